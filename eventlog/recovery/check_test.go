package recovery_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// refused requires a refusal that says what was found, and what to do.
func refused(t *testing.T, data, found, hint string) {
	t.Helper()
	err := recovery.Check(filesOf(data), nil)
	var refusal *recovery.Refusal
	require.ErrorAs(t, err, &refusal)
	require.ErrorContains(t, err, found)
	require.Contains(t, refusal.Hint(), hint)
}

// A stream whose end is gone has it back before the broker opens its files, whether a
// whole block is missing, some records or a part of one; and the next webhook gets the
// next stream sequence.
func TestALostEndIsPutBack(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	loss := map[string]func(paths []string) error{
		"a part of a record": func(paths []string) error { return os.Truncate(paths[len(paths)-1], 30) },
		"all of a block":     func(paths []string) error { return os.Truncate(paths[len(paths)-1], 0) },
		"a block's file":     func(paths []string) error { return os.Remove(paths[len(paths)-1]) },
		"two blocks' files": func(paths []string) error {
			return errors.Join(os.Remove(paths[len(paths)-1]), os.Remove(paths[len(paths)-2]))
		},
	}
	for name, lose := range loss {
		for _, from := range []string{f.clean, f.crashed} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				data := copied(t, from)
				require.NoError(t, lose(blocks(t, data)))
				var said bytes.Buffer
				require.NoError(t, recovery.Check(filesOf(data), slog.New(slog.NewTextHandler(&said, nil))))
				require.Contains(t, said.String(), "put back from the archive")
				f.isWhole(t, data)
			})
		}
	}
}

// What a crash left of webhooks that nobody was answered for is cut off, also where a
// part of it is whole.
func TestATornEndIsCutOff(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	paths := blocks(t, f.crashed)
	newest, err := os.ReadFile(paths[len(paths)-1])
	require.NoError(t, err)
	for _, rest := range [][]byte{make([]byte, 4096), newest[:50], append(make([]byte, 100), newest...)} {
		data := copied(t, f.crashed)
		path := blocks(t, data)[len(paths)-1]
		require.NoError(t, os.WriteFile(path, append(bytes.Clone(newest), rest...), 0o600))
		require.NoError(t, recovery.Check(filesOf(data), nil))
		f.isWhole(t, data)
	}
}

// Where a subject and a header end is under no checksum of the broker's. A changed
// length there is found all the same.
func TestLengthsWithoutChecksumAreCompared(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	data := copied(t, f.crashed)
	path := blocks(t, data)[0]
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for at, records := 0, 0; records < 3; records++ { // of the three kinds that fill makes
		length := int(binary.LittleEndian.Uint32(whole[at:]) &^ (1 << 31))
		places := []int{at + 20, at + 21}
		if whole[at+3]&0x80 != 0 {
			header := at + 22 + int(binary.LittleEndian.Uint16(whole[at+20:]))
			places = append(places, header, header+1)
		}
		for _, place := range places {
			for bit := range 8 {
				flipBit(t, path, int64(place), bit)
				require.Error(t, recovery.Check(filesOf(data), nil), "bit %d of byte %d", bit, place-at)
				require.NoError(t, os.WriteFile(path, whole, 0o600))
			}
		}
		at += length
	}
	require.NoError(t, recovery.Check(filesOf(data), nil))
}

// What no crash leaves is refused, with what was found and what to do.
func TestWhatNoCrashLeavesIsRefused(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	t.Run("a record in the middle", func(t *testing.T) {
		t.Parallel()
		data := copied(t, f.crashed)
		flipBit(t, blocks(t, data)[1], 5000, 3)
		refused(t, data, filepath.Join("msgs", "2.blk")+" is damaged at byte", "ticketrail restore")
	})
	t.Run("a block in the middle", func(t *testing.T) {
		t.Parallel()
		data := copied(t, f.clean)
		require.NoError(t, os.Remove(blocks(t, data)[1]))
		refused(t, data, "is missing before those in", "ticketrail restore")
	})
	t.Run("the first block", func(t *testing.T) {
		t.Parallel()
		data := copied(t, f.clean)
		require.NoError(t, os.Remove(blocks(t, data)[0]))
		refused(t, data, "have not expired", "ticketrail restore")
	})
	t.Run("the stream", func(t *testing.T) {
		t.Parallel()
		data := copied(t, f.clean)
		require.NoError(t, os.RemoveAll(filepath.Join(data, "stream")))
		refused(t, data, "the archive holds webhooks up to stream sequence 90", "ticketrail restore")
	})
	t.Run("the settings", func(t *testing.T) {
		t.Parallel()
		data := copied(t, f.clean)
		require.NoError(t, os.Remove(filepath.Join(streamFolder(data), "meta.sum")))
		refused(t, data, "settings are damaged", "ticketrail restore")
	})
	t.Run("a damaged stream without an archive", func(t *testing.T) {
		t.Parallel()
		data := copied(t, f.clean)
		require.NoError(t, os.RemoveAll(filepath.Join(data, "archive")))
		flipBit(t, blocks(t, data)[1], 5000, 3)
		refused(t, data, "is damaged at byte", "no archive")
	})
	t.Run("the archive of another stream", func(t *testing.T) {
		t.Parallel()
		data, other := copied(t, f.clean), t.TempDir()
		r := run(t, other)
		r.fill(1, 3)
		r.stop()
		require.NoError(t, os.RemoveAll(filepath.Join(data, "archive")))
		require.NoError(t, os.Rename(filepath.Join(other, "archive"), filepath.Join(data, "archive")))
		refused(t, data, "the archive is of one that was made at", "ticketrail archive rebuild")
	})
}

// Stream sequences that the broker has given a second time, to other webhooks of the
// same sizes, are found: here the archive is of a time before the stream was cut short.
func TestAReusedStreamSequenceIsFound(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	r.fill(1, 5)
	older := t.TempDir()
	copyInUse(t, filepath.Join(data, "stream"), older)
	r.fill(6, 8)
	r.stop()
	kept := copied(t, filepath.Join(data, "archive"))
	for _, folder := range []string{"stream", "archive"} {
		require.NoError(t, os.RemoveAll(filepath.Join(data, folder)))
	}
	require.NoError(t, os.CopyFS(filepath.Join(data, "stream"), os.DirFS(older)))
	r = run(t, data)
	r.fill(6, 8)
	r.stop()
	require.NoError(t, os.RemoveAll(filepath.Join(data, "archive")))
	require.NoError(t, os.CopyFS(filepath.Join(data, "archive"), os.DirFS(kept)))
	refused(t, data, "the webhook with stream sequence 6 is another one", "ticketrail restore")
}

// An older copy of the stream that was put back is brought up to date from the archive.
func TestAnOlderStreamIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	older := t.TempDir()
	require.NoError(t, os.CopyFS(older, os.DirFS(f.clean)))
	r := run(t, f.clean)
	r.fill(webhooks+1, webhooks+10)
	_, chain := r.chain()
	r.stop()
	data := copied(t, f.clean)
	require.NoError(t, os.RemoveAll(filepath.Join(data, "stream")))
	require.NoError(t, os.CopyFS(filepath.Join(data, "stream"), os.DirFS(filepath.Join(older, "stream"))))
	require.NoError(t, recovery.Check(filesOf(data), nil))
	r = run(t, data)
	defer r.stop()
	last, again := r.chain()
	require.Equal(t, uint64(webhooks+10), last)
	require.Equal(t, chain, again)
}

// Damage beside the webhooks keeps none out: it is told, and the files are kept.
func TestDamageBesideTheWebhooksIsTold(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	r.fill(1, 2)
	for range 5 {
		require.NoError(t, r.Decide(t.Context(), &domain.Decision{Verdict: domain.Discarded, At: domain.UnixInstant(1)}))
	}
	r.stop()
	path := filepath.Join(filepath.Dir(streamFolder(data)), eventlog.DecisionsStream, "msgs", "1.blk")
	flipBit(t, path, 40, 0)
	var said bytes.Buffer
	require.NoError(t, recovery.Check(filesOf(data), slog.New(slog.NewTextHandler(&said, nil))))
	require.Contains(t, said.String(), "stream=DECISIONS")
	require.Contains(t, said.String(), "byte=0")
	kept, err := filepath.Glob(filepath.Join(data, "aside", "DECISIONS-*", "msgs", "1.blk"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	r = run(t, data)
	r.fill(3, 3)
	r.stop()
}

// The last record beside the webhooks is damaged after a clean stop, when the server
// believes in it without looking: it is cut off, and what is left is read to its end.
func TestADamagedEndBesideTheWebhooksIsCutOff(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	decide := func() {
		require.NoError(t, r.Decide(t.Context(), &domain.Decision{Verdict: domain.Discarded, At: domain.UnixInstant(1)}))
	}
	decide()
	r.stop()
	path := filepath.Join(filepath.Dir(streamFolder(data)), eventlog.DecisionsStream, "msgs", "1.blk")
	flipBit(t, path, 40, 0)
	var said bytes.Buffer
	require.NoError(t, recovery.Check(filesOf(data), slog.New(slog.NewTextHandler(&said, nil))))
	require.Contains(t, said.String(), "stream=DECISIONS")
	r = run(t, data)
	defer r.stop()
	for want := range 2 {
		found := 0
		for _, err := range r.Decisions(t.Context(), 0) {
			require.NoError(t, err)
			found++
		}
		require.Equal(t, want, found)
		decide()
	}
}

// A restore changes nothing when it only plans, keeps the damaged files, and takes over
// what only the stream's own files have; also where its settings are lost.
func TestRestoreMakesTheStreamAnew(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	data := copied(t, f.crashed)
	files := filesOf(data)
	segments, err := filepath.Glob(filepath.Join(files.Archive, "*"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(segments[len(segments)-1]))
	flipBit(t, blocks(t, data)[1], 5000, 3)
	require.NoError(t, os.Remove(filepath.Join(streamFolder(data), "meta.inf")))

	plan, err := recovery.Plan(files, recovery.Source{})
	require.NoError(t, err)
	require.Equal(t, uint64(webhooks), plan.Mark.StreamSequence)
	require.Positive(t, plan.FromFiles)
	require.Equal(t, f.chain, plan.Mark.Chain)
	require.Error(t, recovery.Check(files, nil), "nothing was changed")

	done, err := recovery.Restore(files, recovery.Source{})
	require.NoError(t, err)
	require.Len(t, done.Aside, 1)
	require.True(t, strings.HasPrefix(done.Aside[0], files.Aside))
	plan.Aside = done.Aside
	require.Equal(t, plan, done)
	require.FileExists(t, filepath.Join(done.Aside[0], "msgs", "2.blk"))
	require.NoError(t, recovery.Check(files, nil))
	f.isWhole(t, data)

	_, err = recovery.Restore(filesOf(t.TempDir()), recovery.Source{})
	require.ErrorContains(t, err, "holds no webhook")
}

// A comparison of every webhook finds nothing where nothing is, and says how far it
// came; also while the broker writes.
func TestCompareReadsEveryWebhook(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	defer r.stop()
	r.fill(1, 60)
	_, chain := r.chain()
	found, err := recovery.Compare(filesOf(data), 60)
	require.NoError(t, err)
	require.Equal(t, chain, found.At.Chain)
	require.Equal(t, uint64(60), found.Compared)
	require.Greater(t, found.Segments, 1)
	_, err = recovery.Compare(recovery.Files{Server: fmt.Sprint(data, "/none"), Archive: fmt.Sprint(data, "/archive")}, 0)
	require.NoError(t, err)
}

// A read model is made from the webhooks of an archive where their digests agree; of an
// archive that was made when the first webhooks had expired only the last one can be
// compared.
func TestAReadModelIsMadeFromTheArchive(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	r.fill(1, 60)
	r.stop()
	whole := filesOf(data)
	late := whole
	late.Archive = filepath.Join(data, "late")
	stream, err := archive.Look(whole.Archive)
	require.NoError(t, err)
	require.NoError(t, archive.Add(late.Archive, stream.Stream(), archive.Read(whole.Archive, 31)))
	before, err := recovery.Compare(whole, 59)
	require.NoError(t, err)
	made := domain.Checkpoint{StreamSequence: 60, PreviousChain: before.At.Chain, Chain: stream.Last().Chain}
	unlike := domain.Checkpoint{StreamSequence: 60, PreviousChain: domain.Digest{1}, Chain: stream.Last().Chain}
	for _, files := range []recovery.Files{whole, late} {
		found, err := recovery.Compare(files, 60)
		require.NoError(t, err)
		require.True(t, found.At.Made(made))
		require.Equal(t, files == whole, found.At.Made(unlike))
		require.False(t, found.At.Made(domain.Checkpoint{StreamSequence: 59, Chain: before.At.Chain}))
		elsewhere := domain.Checkpoint{StreamSequence: 60, PreviousChain: domain.Digest{1}, Chain: found.At.Webhook.Chain(domain.Digest{1})}
		require.Equal(t, files == late, found.At.Made(elsewhere))
	}
}

// What has expired is not missing, whether some webhooks are left or none; what has not
// expired yet is.
func TestWhatHasExpiredIsNotMissing(t *testing.T) {
	t.Parallel()
	const maxAge = 5 * time.Second
	data := t.TempDir()
	r := runFor(t, data, maxAge)
	r.fill(1, 60)
	left := func() uint64 {
		info, err := r.Info(t.Context())
		require.NoError(t, err)
		return info.Messages
	}
	require.Eventually(t, func() bool { return left() == 0 }, patience, 10*time.Millisecond)
	r.stop()
	require.NoError(t, recovery.Check(filesOf(data), nil))
	r = runFor(t, data, maxAge)
	require.Zero(t, left())
	r.fill(61, 90)
	r.stop()
	require.NoError(t, recovery.Check(filesOf(data), nil))
	r = runFor(t, data, maxAge)
	info, err := r.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(90), info.Last)
	require.Greater(t, info.First, uint64(60))
	r.stop()
	plan, err := recovery.PlanArchive(filesOf(data))
	require.NoError(t, err)
	found, err := archive.Look(filesOf(data).Archive)
	require.NoError(t, err)
	require.Equal(t, plan.First-1-found.Before().StreamSequence, plan.Loss.Webhooks, "what the archive alone has yet")
	made, err := recovery.RebuildArchive(filesOf(data))
	require.NoError(t, err)
	require.Equal(t, uint64(90), made.Last)
	require.NoError(t, recovery.Check(filesOf(data), nil))

	data = t.TempDir()
	r = runFor(t, data, time.Hour)
	r.fill(1, webhooks)
	r.stop()
	require.NoError(t, os.Remove(blocks(t, data)[0]))
	refused(t, data, "have not expired", "ticketrail restore")
}
