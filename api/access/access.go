// Package access keeps in the data folder who may ask the API, and what
// administrators have done.
//
// The tokens are in tokens.json: names, scopes and SHA-256 sums, never a token
// itself. The file is replaced atomically, under a lock of its own, while a program
// serves; that one notices at its next request what was changed on this machine, and
// within a second what was changed on another one. Once the file is there a token is
// needed, even where the last one was revoked: only to remove the file opens the
// API again.
//
// The acts are lines of JSON in audit.jsonl. At 8 MiB it becomes audit.1.jsonl, in
// place of the one before.
package access

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// locked does something while nobody else changes the file. The lock is a file
// beside it, since the file itself is replaced.
func locked(path string, do func() error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	return do()
}

// syncFolder makes a rename in a folder last.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
