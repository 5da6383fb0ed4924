package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// WaitFor returns as soon as the checkpoint is there, and never before.
func TestWaitForCheckpoint(t *testing.T) {
	t.Parallel()
	db := open(t)
	model := sqlite.NewModel(db)
	w := newWriter(t, db)
	reached := make(chan error, 1)
	go func() { reached <- model.WaitFor(t.Context(), 2) }()
	for range 2 {
		select {
		case err := <-reached:
			t.Fatalf("returned early: %v", err)
		default:
		}
		w.apply(step("a", domain.FulfillmentAccepted))
		w.commit()
	}
	require.NoError(t, <-reached)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, model.WaitFor(ended, 3), context.Canceled)
}

// While one file takes the place of another, no read fails: those under way end
// on the old file, which is then closed, and later ones see the new one.
func TestReplaceWhileReading(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	model := sqlite.NewModel(filled(t, filepath.Join(dir, "0.db"), 0))
	t.Cleanup(func() { require.NoError(t, model.Close()) })
	ctx, cancel := context.WithCancel(t.Context())
	var readers errgroup.Group
	for range 4 {
		readers.Go(func() error {
			for ctx.Err() == nil {
				orders, err := model.Orders(t.Context(), domain.OrderQuery{Limit: 10})
				if err != nil || len(orders) != 1 {
					return fmt.Errorf("%d orders: %w", len(orders), err)
				}
			}
			return nil
		})
	}
	for i := 1; i <= 10; i++ {
		require.NoError(t, model.Replace(filled(t, filepath.Join(dir, fmt.Sprint(i, ".db")), i)))
		orders, err := model.Orders(t.Context(), domain.OrderQuery{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), orders[0].Key)
	}
	cancel()
	require.NoError(t, readers.Wait())
}

// Who waits for a checkpoint is not left waiting on a file that was replaced.
func TestWaitForOutlivesReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty, err := sqlite.Open(t.Context(), filepath.Join(dir, "0.db"))
	require.NoError(t, err)
	model := sqlite.NewModel(empty)
	t.Cleanup(func() { require.NoError(t, model.Close()) })
	reached := make(chan error, 1)
	go func() { reached <- model.WaitFor(t.Context(), 1) }()
	require.NoError(t, model.Replace(filled(t, filepath.Join(dir, "1.db"), 1)))
	require.NoError(t, <-reached)
}

// A read that begins after Close is an error and does no harm.
func TestReadAfterClose(t *testing.T) {
	t.Parallel()
	model := sqlite.NewModel(filled(t, filepath.Join(t.TempDir(), "1.db"), 1))
	require.NoError(t, model.Close())
	_, err := model.Checkpoint(t.Context())
	require.ErrorContains(t, err, "closed")
	require.NoError(t, model.Close(), "twice does no harm either")
}

// filled opens a read model of one order, whose key is the number.
func filled(t *testing.T, path string, number int) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	w := newWriter(t, db)
	w.apply(step(fmt.Sprint(number), domain.FulfillmentReady))
	w.commit()
	return db
}

// The pointer names one file at any time, the one before it is kept for a
// rollback, and what no pointer names is cleared away at the next start.
func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "read-model")
	folder, err := sqlite.OpenFolder(dir)
	require.NoError(t, err)
	first := folder.Current()
	_, ok := folder.Previous()
	require.False(t, ok)
	touch(t, first, first+"-wal")

	abandoned, _, err := folder.Next()
	require.NoError(t, err)
	touch(t, abandoned, abandoned+"-wal", abandoned+"-shm", abandoned+"-journal")
	other := filepath.Join(dir, "notes.txt")
	touch(t, other)
	folder, err = sqlite.OpenFolder(dir)
	require.NoError(t, err)
	require.Equal(t, first, folder.Current())
	require.NoFileExists(t, abandoned)
	require.NoFileExists(t, abandoned+"-wal")
	require.NoFileExists(t, abandoned+"-journal")
	require.FileExists(t, other)

	second, number, err := folder.Next()
	require.NoError(t, err)
	require.Equal(t, 3, number, "a name is never used twice")
	touch(t, second)
	require.NoError(t, folder.Switch(second))
	folder, err = sqlite.OpenFolder(dir)
	require.NoError(t, err)
	require.Equal(t, second, folder.Current())
	previous, ok := folder.Previous()
	require.True(t, ok)
	require.Equal(t, first, previous)

	require.Error(t, folder.Switch(filepath.Join(dir, "model-000099.sqlite")), "there is no such file")
	require.Equal(t, second, folder.Current(), "after an error it is what it was")
	require.NoError(t, folder.Switch(first), "back again")
	require.Equal(t, first, folder.Current())
	require.FileExists(t, second)
}

// A pointer that is not what was written, by a single bit, is told as damaged and
// never guessed at.
func TestFolderRefusesADamagedPointer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := sqlite.OpenFolder(dir)
	require.NoError(t, err)
	path := filepath.Join(dir, "CURRENT")
	sound, err := os.ReadFile(path)
	require.NoError(t, err)
	spoilt := [][]byte{nil, []byte("{"), sound[:len(sound)-1], []byte(`{"current":"../elsewhere.sqlite","last":1} 7fa2a5c1` + "\n")}
	for bit := range 8 * len(sound) {
		flipped := bytes.Clone(sound)
		flipped[bit/8] ^= 1 << (bit % 8)
		spoilt = append(spoilt, flipped)
	}
	for _, content := range spoilt {
		require.NoError(t, os.WriteFile(path, content, 0o600))
		_, err := sqlite.OpenFolder(dir)
		require.ErrorIs(t, err, domain.ErrDamaged, "%q", content)
		require.ErrorContains(t, err, dir)
		_, err = sqlite.CurrentIn(dir)
		require.ErrorIs(t, err, domain.ErrDamaged, "%q", content)
	}
}

// A folder that is started over has an empty read model in use, under a name that
// was never used, and keeps what was there out of the way.
func TestFolderIsStartedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder, err := sqlite.OpenFolder(dir)
	require.NoError(t, err)
	second, _, err := folder.Next()
	require.NoError(t, err)
	touch(t, folder.Current(), folder.Current()+"-wal", second)
	require.NoError(t, folder.Switch(second))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "CURRENT"), nil, 0o600))

	_, err = sqlite.StartOver(dir, sqlite.Damaged)
	require.NoError(t, err)
	folder, err = sqlite.OpenFolder(dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "model-000003.sqlite"), folder.Current())
	_, ok := folder.Previous()
	require.False(t, ok)
	require.NoFileExists(t, second)
	for _, kept := range []string{"damaged-model-000001.sqlite", "damaged-model-000001.sqlite-wal", "damaged-model-000002.sqlite"} {
		require.FileExists(t, filepath.Join(dir, kept))
	}
}

// Who only looks into a folder changes nothing in it: what it takes for remains may
// be what another process is building.
func TestLookingIntoAFolderChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := sqlite.CurrentIn(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoFileExists(t, filepath.Join(dir, "CURRENT"))
	folder, err := sqlite.OpenFolder(dir)
	require.NoError(t, err)
	building, _, err := folder.Next()
	require.NoError(t, err)
	touch(t, building)
	current, err := sqlite.CurrentIn(dir)
	require.NoError(t, err)
	require.Equal(t, folder.Current(), current)
	require.FileExists(t, building)
}

func touch(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		require.NoError(t, os.WriteFile(path, nil, 0o600))
	}
}
