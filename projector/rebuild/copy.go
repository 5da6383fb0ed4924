package rebuild

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// Copy copies the read model in use, which goes on meanwhile, and gives the file. It has no
// name any more: closing it removes it.
func (r *Rebuilder) Copy(ctx context.Context) (*os.File, error) {
	path, err := temporary(SnapshotFolder(r.config.Folder.Dir()))
	if err == nil {
		err = sqlite.CopyLive(ctx, r.config.Model.Path(), path)
	}
	if err != nil {
		return nil, fmt.Errorf("copy the read model: %w", errors.Join(err, remove(path)))
	}
	file, err := os.Open(path)
	if err = errors.Join(err, remove(path)); err != nil {
		return nil, fmt.Errorf("copy the read model: %w", err)
	}
	return file, nil
}

// temporary makes a file that the next start clears away if this process does not.
func temporary(dir string) (path string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	file, err := os.CreateTemp(dir, "copy-*.tmp")
	if err != nil {
		return "", err
	}
	return file.Name(), file.Close()
}

func remove(path string) error {
	if path == "" {
		return nil
	}
	return os.Remove(path)
}
