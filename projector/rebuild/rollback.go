package rebuild

import (
	"context"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/projector"
)

// Rollback puts the previous read model, brought up to date, back in the place of
// the one in use, which becomes the previous one. It returns ErrBusy,
// ErrNoPrevious or ErrOtherVersion where it cannot.
func (r *Rebuilder) Rollback(ctx context.Context) error {
	r.afterTheLast()
	r.mu.Lock()
	path, err := r.previous()
	if err != nil {
		r.mu.Unlock()
		return err
	}
	j := r.begin(0, func(stop context.Context, j *job) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(stop, cancel)()
		err = r.rollBack(ctx, j, path)
	})
	r.mu.Unlock()
	<-j.done
	return err
}

func (r *Rebuilder) rollBack(ctx context.Context, j *job, path string) (err error) {
	b := &build{Rebuilder: r, job: j, path: path}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.lookAtInUse(ctx); err != nil {
		return err
	}
	if err := b.openWhole(ctx); err != nil {
		return err
	}
	checkpoint, err := b.db.Checkpoint(ctx)
	if err != nil {
		return err
	}
	var stop *projector.StopError
	if errors.As(r.sameRules(checkpoint), &stop) {
		return fmt.Errorf("%w: %s", ErrOtherVersion, stop.Detail)
	}
	if _, err := projector.NewGuard(r.config.Log).Check(ctx, checkpoint); errors.As(err, &stop) {
		return fmt.Errorf("%w that is made from this stream: %w", ErrNoPrevious, stop)
	}
	return b.takePlace(ctx)
}
