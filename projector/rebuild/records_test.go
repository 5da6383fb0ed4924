package rebuild_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// The newest records are kept, and beside them those of snapshots that are still
// there; what has ended can be deleted, a snapshot with its file.
func TestRecordsAreBounded(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(3))
	snapshot := r.rebuilt(domain.RebuildOptions{Until: 2})
	r.close()
	for range 51 {
		_, id, err := r.folder.Next()
		require.NoError(t, err)
		plan := fmt.Sprintf(`{"id":%d,"options":{"plan":true},"state":"equal"}`, id)
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, "rebuilds", fmt.Sprintf("%06d.json", id)), []byte(plan), 0o600))
	}
	r.open(rules{})
	require.Len(t, r.Rebuilds(), 52)
	newest := r.rebuilt(domain.RebuildOptions{Plan: true})
	all := r.Rebuilds()
	require.Len(t, all, 51)
	require.Equal(t, snapshot.ID, all[50].ID)
	r.close()
	r.open(rules{})
	require.Len(t, r.Rebuilds(), 51, "their files are gone, too")

	require.NoError(t, r.Delete(snapshot.ID))
	require.NoFileExists(t, r.SnapshotPath(2))
	require.NoError(t, r.Delete(newest.ID))
	for _, id := range []int{snapshot.ID, newest.ID} {
		require.ErrorIs(t, r.Delete(id), domain.ErrNotFound)
	}
	require.Len(t, r.Rebuilds(), 49)
}

// What a killed rebuild left behind is gone at the next start, and its record
// says that it did not end.
func TestRemainsOfAKilledRebuild(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(3))
	r.close()
	unended := `{"id":7,"options":{},"state":"building","started_at":"2026-01-01T00:00:00Z"}`
	for path, content := range map[string]string{
		"model-000007.sqlite": "half", "model-000007.sqlite-wal": "half", "CURRENT.tmp": "half",
		"rebuilds/000007.json": unended, "rebuilds/000009.json.tmp": "half", "snapshots/9.sqlite.tmp": "half", "rebuilds/000008.json": "torn",
		"rebuilds/000001.json": strings.Replace(unended, "7", "1", 1),
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(r.dir, path)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, path), []byte(content), 0o600))
	}
	r.open(rules{})
	record, err := r.Rebuild(7)
	require.NoError(t, err)
	require.Equal(t, domain.RebuildFailed, record.State)
	record, err = r.Rebuild(1)
	require.NoError(t, err)
	require.Equal(t, domain.RebuildSwitched, record.State, "its read model is in use")
	require.NoError(t, filepath.WalkDir(r.dir, func(path string, _ os.DirEntry, err error) error {
		require.NotContains(t, path, "000007.sqlite")
		require.False(t, strings.HasSuffix(path, ".tmp"), path)
		return err
	}))
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{}).State)
}
