package recovery_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// filled gives a data folder at rest, with a new stream of some webhooks.
func filled(t *testing.T, to int) (data string) {
	t.Helper()
	data = t.TempDir()
	r := run(t, data)
	r.fill(1, to)
	r.stop()
	return data
}

// grow has a stream at rest go on up to a stream sequence.
func grow(t *testing.T, data string, from, to int) {
	t.Helper()
	r := run(t, data)
	r.fill(from, to)
	r.stop()
}

// What the stream and the archive have, and what a restore from elsewhere would not
// bring back, is counted before: webhooks of another stream that has the same stream
// sequences, those that came after, and those of a history that went another way.
func TestAPlanCountsWhatIsLost(t *testing.T) {
	t.Parallel()
	data := filled(t, 8)
	backup := copied(t, filepath.Join(data, "archive"))
	lost := func(t *testing.T, data string) (webhooks []uint64) {
		plan, err := recovery.Plan(filesOf(data), recovery.Source{Archive: backup})
		require.NoError(t, err)
		for _, loss := range plan.Lost {
			require.NoError(t, loss.Unread)
			webhooks = append(webhooks, loss.Webhooks, loss.First, loss.Last)
		}
		return webhooks
	}
	require.Empty(t, lost(t, data))
	require.Empty(t, lost(t, t.TempDir()))
	require.Equal(t, []uint64{5, 1, 5, 5, 1, 5}, lost(t, filled(t, 5)), "another stream, of which the backup has every stream sequence")

	newer := copied(t, data)
	grow(t, newer, 9, 12)
	require.Empty(t, lost(t, newer), "what follows the backup is taken over")
	require.NoError(t, os.RemoveAll(filepath.Join(newer, "stream")))
	require.Equal(t, []uint64{4, 9, 12}, lost(t, newer), "only the archive has it")

	require.NoError(t, os.RemoveAll(backup))
	older := copied(t, data)
	grow(t, data, 9, 20)
	require.NoError(t, os.CopyFS(backup, os.DirFS(filepath.Join(data, "archive"))))
	grow(t, older, 9, 14)
	require.Equal(t, []uint64{6, 9, 14, 6, 9, 14}, lost(t, older), "the same stream, brought back from before and gone another way")
}

// What cannot be read any more may have been more than the backup has, and is told.
func TestAPlanTellsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	backup := copied(t, filepath.Join(f.clean, "archive"))
	segments, err := filepath.Glob(filepath.Join(f.clean, "archive", "*"))
	require.NoError(t, err)
	flipBit(t, segments[1], 200, 0)
	require.NoError(t, os.RemoveAll(filepath.Join(f.clean, "stream")))
	plan, err := recovery.Plan(filesOf(f.clean), recovery.Source{Archive: backup})
	require.NoError(t, err)
	require.Len(t, plan.Lost, 1)
	require.ErrorContains(t, plan.Lost[0].Unread, segments[1])
}

// Webhooks that the archive does not have, after one that cannot be read in the
// stream's own files, have no place in the stream that is made: they are counted.
func TestWhatFollowsDamageIsCounted(t *testing.T) {
	t.Parallel()
	data := filled(t, 10)
	kept := copied(t, filepath.Join(data, "archive"))
	grow(t, data, 11, 20)
	require.NoError(t, os.RemoveAll(filepath.Join(data, "archive")))
	require.NoError(t, os.CopyFS(filepath.Join(data, "archive"), os.DirFS(kept)))
	path := filepath.Join(streamFolder(data), "msgs", "1.blk")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	flipBit(t, path, int64(bytes.Index(content, []byte(`{"n":15,`))), 1)

	plan, err := recovery.Plan(filesOf(data), recovery.Source{})
	require.NoError(t, err)
	require.Equal(t, uint64(14), plan.Mark.StreamSequence)
	require.Equal(t, uint64(4), plan.FromFiles)
	require.Len(t, plan.Lost, 1)
	require.Equal(t, []uint64{5, 16, 20}, []uint64{plan.Lost[0].Webhooks, plan.Lost[0].First, plan.Lost[0].Last})
	accepted := copied(t, data)
	_, err = recovery.Restore(filesOf(accepted), recovery.Source{})
	require.NoError(t, err)
	found, err := recovery.Compare(filesOf(accepted), 0)
	require.NoError(t, err)
	require.Equal(t, uint64(14), found.Mark.StreamSequence, "the archive has it all at once")
	require.Equal(t, uint64(14), found.Compared)

	require.NoError(t, os.Truncate(path, int64(bytes.Index(content, []byte(`{"n":15,`)))))
	plan, err = recovery.Plan(filesOf(data), recovery.Source{})
	require.NoError(t, err)
	require.Empty(t, plan.Lost)
	require.Positive(t, plan.Torn)
}

// Folders are replaced together. Whatever step is the last one before a crash, the next
// check has all of the new ones in place, or all of the former ones.
func TestFoldersAreReplacedTogether(t *testing.T) {
	t.Parallel()
	whole := filled(t, 3)
	for step := range 4 {
		data := copied(t, whole)
		files := filesOf(data)
		made := func(name string) recovery.Swap {
			swap := recovery.Swap{Made: filepath.Join(data, name+".new"), Place: filepath.Join(data, "in", name)}
			require.NoError(t, os.MkdirAll(swap.Made, 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(swap.Made, "new"), nil, 0o600))
			require.NoError(t, os.MkdirAll(swap.Place, 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(swap.Place, "former"), nil, 0o600))
			return swap
		}
		swaps := []recovery.Swap{made("a"), made("b"), made("c")}
		if step < len(swaps) {
			// A folder that cannot be made stands for the crash: the way to it leads nowhere.
			blocked := filepath.Join(data, "blocked")
			require.NoError(t, os.Symlink("nowhere", blocked))
			swaps[step].Place = filepath.Join(blocked, "x", "y")
			_, err := recovery.Replace(files, swaps...)
			require.Error(t, err)
			require.True(t, recovery.Unfinished(files))
			require.Error(t, recovery.Check(files, nil), "nothing is served before it is done")
			require.NoError(t, os.Remove(blocked))
			require.NoError(t, recovery.Check(files, nil))
		} else {
			aside, err := recovery.Replace(files, swaps...)
			require.NoError(t, err)
			require.Len(t, aside, 3)
		}
		require.False(t, recovery.Unfinished(files))
		for _, swap := range swaps {
			require.FileExists(t, filepath.Join(swap.Place, "new"))
			require.NoFileExists(t, filepath.Join(swap.Place, "former"))
			require.NoDirExists(t, swap.Made)
		}
		require.NoError(t, recovery.Check(files, nil))
	}
}

// What a crash has left of folders that were being made is removed, and nothing else.
func TestWhatWasBeingMadeIsRemoved(t *testing.T) {
	t.Parallel()
	data := filled(t, 1)
	files := filesOf(data)
	files.Archive = filepath.Join(t.TempDir(), "elsewhere")
	require.NoError(t, os.Rename(filepath.Join(data, "archive"), files.Archive))
	for _, folder := range []string{files.Server, files.Archive, filepath.Join(data, "read-model")} {
		require.NoError(t, os.MkdirAll(filepath.Join(folder+recovery.Making, "x"), 0o700))
	}
	require.NoError(t, recovery.Check(files, nil))
	for _, folder := range []string{data, filepath.Dir(files.Archive)} {
		left, err := filepath.Glob(filepath.Join(folder, "*"+recovery.Making))
		require.NoError(t, err)
		require.Empty(t, left)
	}
	require.DirExists(t, files.Archive)
}

// A refusal has changed nothing, also where a stream beside that of the webhooks is
// damaged too.
func TestARefusalHasChangedNothing(t *testing.T) {
	t.Parallel()
	data := filled(t, 5)
	flipBit(t, filepath.Join(streamFolder(data), "msgs", "1.blk"), 40, 0)
	beside := filepath.Join(filepath.Dir(streamFolder(data)), eventlog.RejectedStream)
	require.NoError(t, os.Remove(filepath.Join(beside, "meta.sum")))
	refused(t, data, "is damaged at byte", "nothing was changed")
	require.DirExists(t, beside)
	require.NoDirExists(t, filesOf(data).Aside)
}

// A stream beside that of the webhooks is copied once for each damage, however often
// the program starts, and it is said what that means.
func TestDamageBesideTheWebhooksIsCopiedOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	for range 5 {
		require.NoError(t, r.Decide(t.Context(), &domain.Decision{Verdict: domain.Discarded, At: domain.UnixInstant(1)}))
	}
	r.stop()
	path := filepath.Join(filepath.Dir(streamFolder(data)), eventlog.DecisionsStream, "msgs", "1.blk")
	flipBit(t, path, 40, 0)
	for range 3 {
		var said bytes.Buffer
		require.NoError(t, recovery.Check(filesOf(data), slog.New(slog.NewTextHandler(&said, nil))))
		require.Contains(t, said.String(), "ticketrail quarantine list")
	}
	kept, err := os.ReadDir(filesOf(data).Aside)
	require.NoError(t, err)
	require.Len(t, kept, 1)
}

// A look that only asks finds what is wrong and what is not, and mends nothing.
func TestSoundOnlyLooks(t *testing.T) {
	t.Parallel()
	data := filled(t, 5)
	path := filepath.Join(streamFolder(data), "msgs", "1.blk")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, int64(len(whole)-5)))
	last, err := recovery.Sound(filesOf(data))
	require.NoError(t, err)
	require.Equal(t, uint64(5), last, "the next start puts it back")
	torn, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, torn, len(whole)-5)
	flipBit(t, path, 40, 0)
	_, err = recovery.Sound(filesOf(data))
	require.ErrorContains(t, err, "is damaged at byte 0")
}

// An archive that is made anew from the stream holds the same as before, and takes the
// place of the former one when it is whole. From a stream that is not whole none is made.
func TestAnArchiveIsMadeAnew(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	data := copied(t, f.crashed)
	files := filesOf(data)
	path := blocks(t, data)[1]
	flipBit(t, path, 5000, 3)
	_, err := recovery.RebuildArchive(files)
	var refusal *recovery.Refusal
	require.ErrorAs(t, err, &refusal)
	require.NoDirExists(t, files.Aside)
	flipBit(t, path, 5000, 3)

	segments, err := filepath.Glob(filepath.Join(files.Archive, "*"))
	require.NoError(t, err)
	info, err := os.Stat(segments[0])
	require.NoError(t, err)
	flipBit(t, segments[0], info.Size()*3/4, 0)
	plan, err := recovery.PlanArchive(files)
	require.NoError(t, err)
	require.ErrorContains(t, plan.Loss.Unread, segments[0])
	require.Zero(t, plan.Loss.Webhooks, "what can be read before the damage is in the stream")
	made, err := recovery.RebuildArchive(files)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, webhooks}, []uint64{made.First, made.Last})
	require.Len(t, made.Aside, 1)
	found, err := recovery.Compare(files, webhooks)
	require.NoError(t, err)
	require.Equal(t, f.chain, found.At.Chain)
	f.isWhole(t, data)
}

// An archive whose end is torn is told, by a comparison with what the stream has of it
// and in the log before it is cut off; and then it is whole again.
func TestATornArchiveIsTold(t *testing.T) {
	t.Parallel()
	data := filled(t, 6)
	files := filesOf(data)
	segments, err := filepath.Glob(filepath.Join(files.Archive, "*"))
	require.NoError(t, err)
	info, err := os.Stat(segments[0])
	require.NoError(t, err)
	flipBit(t, segments[0], info.Size()-5, 0)
	found, err := recovery.Compare(files, 0)
	require.NoError(t, err)
	require.Positive(t, found.Torn)
	require.Positive(t, found.Behind)
	require.Equal(t, uint64(6), found.Mark.StreamSequence+found.Behind)
	var said bytes.Buffer
	require.NoError(t, recovery.Check(files, slog.New(slog.NewTextHandler(&said, nil))))
	require.Contains(t, said.String(), "the archive's end is torn")
	grow(t, data, 7, 7)
	found, err = recovery.Compare(files, 0)
	require.NoError(t, err)
	require.Equal(t, []int64{0, 0, 7}, []int64{found.Torn, int64(found.Behind), int64(found.Mark.StreamSequence)})
}
