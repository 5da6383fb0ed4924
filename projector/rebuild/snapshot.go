package rebuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

func snapshotDir(folder *sqlite.Folder) string { return filepath.Join(folder.Dir(), "snapshots") }

// SnapshotPath gives where the snapshot of a stream sequence is kept, if there is
// one: an ordinary SQLite file that nobody writes any more.
func (r *Rebuilder) SnapshotPath(at uint64) string {
	return filepath.Join(snapshotDir(r.config.Folder), fmt.Sprintf("%d.sqlite", at))
}

// Snapshot opens the snapshot of a stream sequence for reading, or returns
// domain.ErrNotFound. The caller calls done when it has read.
func (r *Rebuilder) Snapshot(ctx context.Context, at uint64) (db *sqlite.DB, done func() error, err error) {
	path := r.SnapshotPath(at)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("snapshot of stream sequence %d: %w", at, domain.ErrNotFound)
	}
	db, err = sqlite.OpenCopy(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	return db, db.Close, nil
}

// clearTemporary removes what a killed program left of snapshots it was writing.
func clearTemporary(dir string) error {
	remains, err := filepath.Glob(filepath.Join(dir, "*.tmp*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range remains {
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}
