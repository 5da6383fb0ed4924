package eventlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrFolderLocked says that another process has the data folder.
var ErrFolderLocked = errors.New("another ticketrail has this folder")

// FolderLock is the right to a data folder. The NATS server takes no lock of its
// own: two servers on one folder would both acknowledge the same sequences.
type FolderLock struct {
	file *os.File
}

// LockFolder makes the folder where it is missing, for its owner only, and locks
// the file LOCK in it. It returns [ErrFolderLocked] at once where another process
// or another call has the lock. The lock ends with Close or with the process.
func LockFolder(dir string) (*FolderLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the folder's lock: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = file.Close() // nothing was written
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", dir, ErrFolderLocked)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return &FolderLock{file: file}, nil
}

// FolderIsLocked tells whether a process has the data folder. Its error says that this
// cannot be seen, as of another user's.
func FolderIsLocked(dir string) (bool, error) {
	file, err := os.Open(filepath.Join(dir, "LOCK"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open the folder's lock: %w", err)
	}
	defer file.Close()
	return unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil, nil
}

// Close gives the folder back. The file LOCK stays: to remove it would let two
// processes lock two files of one name.
//
// A process that is being started has the file too, until it is another program: so the lock
// does not end with the file alone.
func (l *FolderLock) Close() error {
	return errors.Join(unix.Flock(int(l.file.Fd()), unix.LOCK_UN), l.file.Close())
}
