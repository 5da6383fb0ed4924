package eventlog_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

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

// A process that was being started when the lock was given back has its file still: that is no
// lock any more.
func TestAFolderIsFreeThoughItsFileIsOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := eventlog.LockFolder(dir)
	require.NoError(t, err)
	inherited := openAgain(t, filepath.Join(dir, "LOCK"))
	defer func() { require.NoError(t, unix.Close(inherited)) }()
	require.NoError(t, lock.Close())
	lock, err = eventlog.LockFolder(dir)
	require.NoError(t, err)
	require.NoError(t, lock.Close())
}

// openAgain gives another descriptor of a file that this process has open, as a fork does.
func openAgain(t *testing.T, path string) int {
	t.Helper()
	const descriptors = "/proc/self/fd"
	entries, err := os.ReadDir(descriptors)
	if err != nil {
		t.Skip("the system does not tell which files are open")
	}
	for _, entry := range entries {
		if target, err := os.Readlink(filepath.Join(descriptors, entry.Name())); err == nil && target == path {
			descriptor, err := strconv.Atoi(entry.Name())
			require.NoError(t, err)
			again, err := unix.Dup(descriptor)
			require.NoError(t, err)
			return again
		}
	}
	require.Fail(t, "nobody has it open")
	return 0
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
