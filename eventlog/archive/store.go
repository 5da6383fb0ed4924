package archive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ticketrail/ticketrail/eventlog"
)

// Store is a place for sealed segments outside the folder of the archive: another disk,
// or a service. An object in it has a name and a content, and is never changed. A Store
// must be safe for concurrent use, but that one object is put at a time.
type Store interface {
	// Put has an object on disk there when it returns without an error, also where there
	// was one of this name.
	Put(ctx context.Context, name string, content []byte) error
	// Get gives the content of an object, or an error that wraps fs.ErrNotExist.
	Get(ctx context.Context, name string) ([]byte, error)
	// Delete removes an object, if it is there.
	Delete(ctx context.Context, name string) error
	// List gives the names that begin with a prefix, in order.
	List(ctx context.Context, prefix string) ([]string, error)
	// String says where it is, for people, without anything secret.
	String() string
}

// Folder is a store that is a folder, as of a disk that is mounted. It is made where it
// is missing, but not the folder that it is in: that is the disk's.
type Folder string

const (
	// partial ends the name of a file that is being written.
	partial = ".part"
	// putting is such a file in a store. It has the same name each time, so that what a crash
	// has left of one object is gone with the next.
	putting = "object" + partial
)

// Put writes a file.
func (f Folder) Put(_ context.Context, name string, content []byte) error {
	if err := f.make(); err != nil {
		return err
	}
	_, err := eventlog.ReplaceFile(filepath.Join(string(f), name), filepath.Join(string(f), putting), content)
	return err
}

// make makes the folder, which a power cut must not take with all that is in it.
func (f Folder) make() error {
	err := os.Mkdir(string(f), 0o700)
	switch {
	case os.IsExist(err):
		return nil
	case err != nil:
		return err
	}
	if err = eventlog.SyncFile(filepath.Dir(filepath.Clean(string(f)))); err != nil {
		err = errors.Join(err, os.Remove(string(f)))
	}
	return err
}

// Get reads a file.
func (f Folder) Get(_ context.Context, name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), name))
}

// Delete removes a file.
func (f Folder) Delete(_ context.Context, name string) error {
	if err := os.Remove(filepath.Join(string(f), name)); !os.IsNotExist(err) {
		return err
	}
	return nil
}

// List reads the folder's names.
func (f Folder) List(_ context.Context, prefix string) (names []string, err error) {
	entries, err := os.ReadDir(string(f))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), prefix) && strings.HasSuffix(entry.Name(), suffix) {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// String gives the folder's path.
func (f Folder) String() string { return string(f) }
