package recovery_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// trimmed is a data folder whose stream was trimmed, beside how it was before that, and
// the store that has what was trimmed.
type trimmed struct {
	before, after string
	store         archive.Folder
	chain         domain.Digest
}

func trim(t *testing.T) (f trimmed) {
	t.Helper()
	f.after, f.store = t.TempDir(), archive.Folder(filepath.Join(t.TempDir(), "store"))
	r := run(t, f.after)
	t.Cleanup(r.stop)
	r.fill(1, webhooks)
	_, f.chain = r.chain()
	r.stop()
	f.before = copied(t, f.after)

	r = run(t, f.after)
	t.Cleanup(r.stop)
	stored, err := archive.OpenStored(filepath.Join(f.after, "archive"), f.store)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		archive.NewCarrier(archive.CarrierConfig{Log: r.Log, Stored: stored, Keeper: r.keeper, Keep: 40_000, Reached: r.keeper.Reached}).Run(ctx)
	}()
	require.Eventually(t, func() bool {
		info, err := r.Info(t.Context())
		found, lookErr := archive.Look(filepath.Join(f.after, "archive"))
		return err == nil && lookErr == nil && info.First > 1 && found.BeforeFolder().StreamSequence > 0
	}, patience, 10*time.Millisecond)
	cancel()
	<-done
	r.stop()
	return f
}

// isWhole opens a data folder, and reads all from the first webhook on.
func (f trimmed) isWhole(t *testing.T, data string) {
	t.Helper()
	require.NoError(t, recovery.Check(filesOf(data), nil))
	r := run(t, data)
	defer r.stop()
	stored, err := archive.OpenStored(filepath.Join(data, "archive"), f.store)
	require.NoError(t, err)
	joined := archive.Join(stored, r.Log)
	info, err := joined.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{1, webhooks, webhooks}, []uint64{info.First, info.Last, info.Messages})
	var chain domain.Digest
	next := uint64(1)
	for batch, err := range joined.Batches(r.patient(), 1, 7) {
		require.NoError(t, err)
		for _, w := range batch.Webhooks {
			require.Equal(t, next, w.StreamSequence)
			chain, next = w.Chain(chain), next+1
		}
		if next > webhooks {
			break
		}
	}
	require.Equal(t, f.chain, chain)
}

// A stream that was trimmed is opened, and so is one of which a crash has left any of
// what was to be removed: the rest of it is done, and all is read as before.
func TestATrimThatWasCutShortIsFinished(t *testing.T) {
	t.Parallel()
	f := trim(t)
	left := blocksLeft(t, f.after)
	all := blocks(t, f.before)
	require.Less(t, len(left), len(all))
	for _, lacking := range [][]int{{}, {0}, {1}, {0, 1}} {
		data := copied(t, f.after)
		for i, path := range all[:len(all)-len(left)] {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			if len(lacking) == 0 || lacking[len(lacking)-1] != i && lacking[0] != i {
				require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(blocksLeft(t, data)[0]), filepath.Base(path)), content, 0o600))
			}
		}
		f.isWhole(t, data)
		require.Len(t, blocksLeft(t, data), len(left))
	}
	f.isWhole(t, f.after)
}

// Nobody has noted that the first webhooks may be missing: then they are, also where the
// store has them.
func TestAMissingBeginningIsNotTakenForATrim(t *testing.T) {
	t.Parallel()
	f := trim(t)
	require.NoError(t, os.Remove(blocks(t, f.before)[0]))
	var refused *recovery.Refusal
	require.ErrorAs(t, recovery.Check(filesOf(f.before), nil), &refused)
	require.ErrorContains(t, refused, "nor were they trimmed")
	require.NoError(t, os.Remove(blocksLeft(t, f.after)[0]))
	require.ErrorAs(t, recovery.Check(filesOf(f.after), nil), &refused)
}

// A stream that was trimmed is made anew of what the archive's folder has, and the archive
// of what the stream has: neither needs the store, and both go on with it.
func TestATrimmedStreamIsRestored(t *testing.T) {
	t.Parallel()
	f := trim(t)
	damaged := copied(t, f.after)
	flipBit(t, blocksLeft(t, damaged)[0], 100, 3)
	var refused *recovery.Refusal
	require.ErrorAs(t, recovery.Check(filesOf(damaged), nil), &refused)
	plan, err := recovery.Plan(filesOf(damaged), recovery.Source{})
	require.NoError(t, err)
	require.Empty(t, plan.Lost)
	require.Equal(t, f.chain, plan.Mark.Chain)
	_, err = recovery.Restore(filesOf(damaged), recovery.Source{})
	require.NoError(t, err)
	f.isWhole(t, damaged)

	lost := copied(t, f.after)
	flipBit(t, paths(t, lost)[0], 200, 1)
	require.Error(t, recovery.Check(filesOf(lost), nil))
	_, err = recovery.RebuildArchive(filesOf(lost))
	require.NoError(t, err)
	f.isWhole(t, lost)
	flipBit(t, blocksLeft(t, lost)[0], 100, 3) // what is in the store is not in the folder now
	_, err = recovery.Restore(filesOf(lost), recovery.Source{})
	require.NoError(t, err)
	f.isWhole(t, lost)
}

// A backup of the folder has the ledger with it, and is whole with the store.
func TestAnArchiveIsCopiedWithItsLedger(t *testing.T) {
	t.Parallel()
	f := trim(t)
	data := copied(t, f.after)
	archiveFolder := filepath.Join(data, "archive")
	require.NoError(t, os.RemoveAll(archiveFolder))
	mark, err := archive.Copy(filepath.Join(f.after, "archive"), archiveFolder)
	require.NoError(t, err)
	require.Equal(t, f.chain, mark.Chain)
	f.isWhole(t, data)
}

// paths gives the segments in the archive's folder.
func paths(t *testing.T, data string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(data, "archive", "*.jsonl.zst"))
	require.NoError(t, err)
	return paths
}

// blocksLeft gives the paths of the blocks of a stream whose first ones are gone, in order.
func blocksLeft(t *testing.T, data string) (paths []string) {
	t.Helper()
	dir := filepath.Join(streamFolder(data), "msgs")
	numbers, err := brokerfile.Blocks(dir)
	require.NoError(t, err)
	for _, number := range numbers {
		paths = append(paths, brokerfile.BlockPath(dir, number))
	}
	require.Greater(t, len(paths), 1)
	return paths
}
