package rebuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// SnapshotFolder gives where the snapshots are kept in a folder of read models.
func SnapshotFolder(readModels string) string { return filepath.Join(readModels, "snapshots") }

// SnapshotPath gives where the snapshot of a stream sequence is kept, if there is
// one: an ordinary SQLite file that nobody writes any more.
func (r *Rebuilder) SnapshotPath(at uint64) string {
	return filepath.Join(SnapshotFolder(r.config.Folder.Dir()), fmt.Sprintf("%d.sqlite", at))
}

// isSnapshot tells whether a rebuild made a snapshot that is still there.
func (r *Rebuilder) isSnapshot(record domain.Rebuild) bool {
	if record.State != domain.RebuildKept {
		return false
	}
	_, err := os.Stat(r.SnapshotPath(record.Options.Until))
	return err == nil
}

// Snapshot opens the snapshot of a stream sequence for reading. The caller closes it.
// It returns domain.ErrNotFound where there is none, and for one that a rebuild of
// today would not make: of another stream, or by another version of the projection.
// Where the stream does not answer, nothing is known of that: domain.ErrNoStream.
// Damage is found by who reads it, as in every read model.
func (r *Rebuilder) Snapshot(ctx context.Context, at uint64) (*sqlite.Model, error) {
	path := r.SnapshotPath(at)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("snapshot of stream sequence %d: %w", at, domain.ErrNotFound)
	}
	db, err := sqlite.OpenCopy(ctx, path)
	if errors.Is(err, sqlite.ErrSchema) {
		err = fmt.Errorf("%w: %w", domain.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	if err := r.checkSnapshot(ctx, db); err != nil {
		return nil, fmt.Errorf("snapshot of stream sequence %d: %w", at, errors.Join(err, db.Close()))
	}
	return sqlite.NewModel(db), nil
}

// checkSnapshot compares a snapshot with this program and with the stream. One
// whose webhooks have expired since is right all the same.
func (r *Rebuilder) checkSnapshot(ctx context.Context, db *sqlite.DB) error {
	checkpoint, err := db.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if err := r.sameRules(checkpoint); err != nil {
		return fmt.Errorf("%w: %w", domain.ErrNotFound, err)
	}
	_, err = projector.NewGuard(r.config.Log).Check(ctx, checkpoint)
	_, mismatch := errors.AsType[*projector.StopError](err)
	switch {
	case err == nil, errors.Is(err, projector.ErrExpired):
		return nil
	case mismatch:
		return fmt.Errorf("%w: %w", domain.ErrNotFound, err)
	}
	return fmt.Errorf("%w: %w", domain.ErrNoStream, err)
}

// sameRules gives a *projector.StopError for a read model that other rules than today's
// built.
func (r *Rebuilder) sameRules(c domain.Checkpoint) error {
	return projector.SameRules(c, r.config.Version, provider.NewSet(r.config.Providers))
}

// clearTemporary removes what a killed program left of files that it was writing.
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
