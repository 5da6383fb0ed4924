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
)

// lookBack gives what folds single orders again, by the rules of the projector.
func (a *App) lookBack() *lookback.Lookback {
	return lookback.New(lookback.Config{
		Log:       a.log,
		Model:     a.readModel,
		Live:      a.projector,
		Version:   a.projection.Version,
		Providers: a.projection.Providers,
	})
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
