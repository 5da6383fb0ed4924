package eventlog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// A data folder has one owner at a time: two servers on it would both
// acknowledge the same stream sequence.
func TestLockFolderHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	lock, err := eventlog.LockFolder(dir)
	require.NoError(t, err)

	_, err = eventlog.LockFolder(dir)
	require.ErrorIs(t, err, eventlog.ErrFolderLocked)
	require.ErrorContains(t, err, dir)
	requireLocked(t, dir, true)

	require.NoError(t, lock.Close())
	requireLocked(t, dir, false)
	requireLocked(t, filepath.Join(dir, "none"), false)
	lock, err = eventlog.LockFolder(dir)
	require.NoError(t, err)
	require.NoError(t, lock.Close())
}

// Nobody but the owner reads webhooks, which hold names and addresses.
func TestLockFolderKeepsOthersOut(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	lock, err := eventlog.LockFolder(dir)
	require.NoError(t, err)
	defer lock.Close()

	folder, err := os.Stat(dir)
	require.NoError(t, err)
	require.EqualValues(t, 0o700, folder.Mode().Perm())
	file, err := os.Stat(filepath.Join(dir, "LOCK"))
	require.NoError(t, err)
	require.EqualValues(t, 0o600, file.Mode().Perm())
}

// A folder that cannot be is an error, not a lock.
func TestLockFolderNeedsAFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := eventlog.LockFolder(file)
	require.Error(t, err)
	require.NotErrorIs(t, err, eventlog.ErrFolderLocked)
}

func requireLocked(t *testing.T, dir string, is bool) {
	t.Helper()
	locked, err := eventlog.FolderIsLocked(dir)
	require.NoError(t, err)
	require.Equal(t, is, locked)
}
