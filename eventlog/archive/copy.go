package archive

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Copy copies an archive up to its last whole group into a folder, which it makes, and
// gives the mark that the copy ends with. It may be written to meanwhile. What Copy
// returns without an error for is on disk and sound.
func Copy(from, to string) (Mark, error) {
	found, err := Look(from)
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	if err != nil {
		return Mark{}, fmt.Errorf("copy the archive: %w", err)
	}
	for _, s := range found.segments {
		if err := copyFile(s.path, filepath.Join(to, filepath.Base(s.path)), s.size); err != nil {
			return Mark{}, fmt.Errorf("copy the archive: %w", err)
		}
	}
	if err := syncFolder(to); err != nil {
		return Mark{}, fmt.Errorf("copy the archive: %w", err)
	}
	copied, err := Look(to)
	if err != nil {
		return Mark{}, err
	}
	return copied.Last(), nil
}

func copyFile(from, to string, size int64) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(target, source, size)
	return errors.Join(err, target.Sync(), target.Close())
}
