package app

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

// copyName is the file in the folder of read models that a copy of another one comes into.
const copyName = "copy.part"

// CopyError says that a copy of a read model is not one to begin with.
type CopyError struct{ Err error }

func (e *CopyError) Error() string {
	return fmt.Sprintf("begin with a copy of a read model: %v", e.Err)
}

// Unwrap gives the reason.
func (e *CopyError) Unwrap() error { return e.Err }

// Hint gives the mend.
func (*CopyError) Hint() string {
	return "name another --from, or leave it out: then the read model is made from the beginning of the stream"
}

// adoptReadModel puts a copy of another read model into a folder that has none. What this
// program would not have made itself, of the same stream, is not put there.
func (a *App) adoptReadModel(ctx context.Context) error {
	dir := ReadModelFolder(a.config.Data)
	if _, err := CurrentReadModel(a.config.Data); a.from == nil || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, copyName)
	checkpoint, last, err := a.fetchCopy(ctx, path)
	if err == nil && checkpoint.StreamSequence > 0 {
		a.logger.Info("the read model begins with a copy", "stream_sequence", checkpoint.StreamSequence)
		return sqlite.Adopt(dir, path, checkpoint.StreamSequence, last)
	}
	if err != nil {
		err = &CopyError{Err: err}
	}
	if gone := os.Remove(path); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// fetchCopy fetches a copy and checks it: every page against its sum, and its checkpoint against the
// stream, of which it tells where it ends. The checkpoint is at 0 for a copy that another version,
// or another mapping, made, which is only told of.
func (a *App) fetchCopy(ctx context.Context, path string) (c domain.Checkpoint, last uint64, err error) {
	if err := a.from(ctx, path); err != nil {
		return c, 0, err
	}
	db, err := sqlite.OpenCopy(ctx, path)
	if errors.Is(err, sqlite.ErrSchema) {
		a.tellOtherRules(err)
		return c, 0, nil
	}
	if err != nil {
		return c, 0, err
	}
	if c, err = db.Checkpoint(ctx); err == nil {
		err = db.Check(ctx)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return c, 0, err
	}
	var stop *projector.StopError
	gone := a.checkMappingsOf(c) // for which there is no start, with the copy or without it
	if gone == nil && errors.As(projector.SameRules(c, a.projection.Version, provider.NewSet(a.projection.Providers)), &stop) {
		a.tellOtherRules(stop)
		return domain.Checkpoint{}, 0, nil
	}
	info, err := projector.NewGuard(a.history).Check(ctx, c)
	return c, info.Last, err
}

func (a *App) tellOtherRules(why error) {
	a.logger.Warn("the copy is of a read model that other rules made; this program makes its own, from the beginning of the stream", "error", why)
}
