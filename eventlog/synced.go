package eventlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// SyncFile has a file's content, or a folder's names, on disk when it returns.
func SyncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// SyncTree has all that is in a folder on disk when it returns. What is removed meanwhile
// is passed over.
func SyncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = SyncFile(path)
		}
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil
		}
		return err
	})
}

// CopyFile makes a new file with the content of another one, and has it on disk when it
// returns. Its name is not.
func CopyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Sync(), target.Close())
}

// ReplaceFile has a file on disk with a content, or, after a crash, as it was. The
// temporary file, of the same folder, takes its place when it is whole; a crash may leave
// it. After an error it tells whether the file has the content all the same.
func ReplaceFile(path, temporary string, content []byte) (replaced bool, err error) {
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return false, err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return false, errors.Join(err, os.Remove(temporary))
	}
	return true, SyncFile(filepath.Dir(path))
}

// Settle has a file that nobody writes to on disk, content and name, as it is read
// now: it writes all of it once more and syncs it. After a sync that failed the system
// gives out what is on no disk, and takes it for written, so that a later sync alone
// would change nothing.
func Settle(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	_, err = file.WriteAt(content, 0)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	if err := SyncFile(filepath.Dir(path)); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	return nil
}
