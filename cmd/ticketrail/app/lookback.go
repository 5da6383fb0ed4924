package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector/erasure"
	"github.com/ticketrail/ticketrail/projector/lookback"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// lookBack gives what folds single orders again, by the rules of the projector.
func (a *App) lookBack() *lookback.Lookback {
	return lookback.New(lookback.Config{
		Log:       a.history,
		Model:     revised{a.readModel, a.folder},
		Live:      a.projector,
		Version:   a.projection.Version,
		Providers: a.projection.Providers,
	})
}

// revised is the read model in use, and the folder that remembers over a restart when an
// order of it became another one.
type revised struct {
	*sqlite.Model
	folder *sqlite.Folder
}

// ReplaceOrder replaces an order. The folder remembers it before: a crash in between only
// has followers read the orders anew for nothing.
func (r revised) ReplaceOrder(ctx context.Context, rows *domain.OrderRows, plan bool) (*domain.OrderRebuild, error) {
	found, err := r.Model.ReplaceOrder(ctx, rows, true)
	if err != nil || plan || !found.Differs() {
		return found, err
	}
	checkpoint, err := r.Checkpoint(ctx)
	if err == nil {
		err = r.folder.Revise(checkpoint.StreamSequence)
	}
	if err != nil {
		return nil, err
	}
	return r.Model.ReplaceOrder(ctx, rows, false)
}

// eraser erases orders, as the API knows it.
type eraser struct{ *erasure.Eraser }

func (a *App) eraser() eraser {
	c := erasure.Config{Log: a.log, Model: a.readModel, Copies: a.rebuilder, Providers: a.projection.Providers}
	if a.keeper != nil {
		c.Archive = a.keeper
	}
	return eraser{erasure.New(c)}
}

// Erase erases an order.
func (e eraser) Erase(ctx context.Context, source, key string, ruling domain.Ruling, plan bool) (domain.Erased, error) {
	erased, err := e.Eraser.Erase(ctx, source, key, ruling, plan)
	_, denied := errors.AsType[*eventlog.SettingError](err)
	switch {
	case denied:
		err = fmt.Errorf("%w: %w", api.ErrNotErasable, err)
	case errors.Is(err, eventlog.ErrFull):
		err = fmt.Errorf("%w: %w", api.ErrNoRoom, err)
	case errors.Is(err, eventlog.ErrUnavailable):
		err = fmt.Errorf("%w: %w", domain.ErrNoStream, err)
	}
	return erased, conflict(err)
}
