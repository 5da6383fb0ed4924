package lookback

import (
	"context"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// RebuildOrder folds an order anew, compares it and its timeline with what the
// read model holds and, unless it only plans, replaces that where it differs, in one
// transaction between two batches of the projector.
//
// It returns domain.ErrNotFound for an order that is not known, and
// domain.ErrForgotten where the stream no longer holds all of its webhooks. It
// returns domain.ErrOrderAlone where the order cannot be told from its timeline,
// which lacks webhooks that were applied, and where another version of the
// projection built the read model: one order by other rules than its neighbours
// would be of no version at all.
func (l *Lookback) RebuildOrder(ctx context.Context, source, key string, plan bool) (rebuild *domain.OrderRebuild, err error) {
	err = l.config.Live.Hold(ctx, func() error {
		rebuild, err = l.rebuildOrder(ctx, source, key, plan)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rebuild an order of source %s: %w", source, err)
	}
	return rebuild, nil
}

func (l *Lookback) rebuildOrder(ctx context.Context, source, key string, plan bool) (*domain.OrderRebuild, error) {
	if err := l.checkVersion(ctx); err != nil {
		return nil, err
	}
	fold := l.refold(source, key)
	rows := &domain.OrderRows{}
	var webhooks uint64
	for step, err := range fold.all(ctx) {
		if err != nil {
			return nil, err
		}
		webhooks++
		rows.Timeline = append(rows.Timeline, step.Timeline...)
	}
	rows.Order = fold.Order()
	if err := l.checkTimeline(ctx, source, key, webhooks); err != nil {
		return nil, err
	}
	if rows.Order == nil {
		return nil, fmt.Errorf("%w: its timeline leads to no webhook of it", domain.ErrOrderAlone)
	}
	// An interrupted writer would only cost the transaction.
	return l.config.Model.ReplaceOrder(context.WithoutCancel(ctx), rows, plan)
}

func (l *Lookback) checkVersion(ctx context.Context) error {
	checkpoint, err := l.config.Model.Checkpoint(ctx)
	if err == nil && checkpoint.Version != l.config.Version {
		err = fmt.Errorf("%w: version %d of the projection built the read model, this is version %d",
			domain.ErrOrderAlone, checkpoint.Version, l.config.Version)
	}
	return err
}

// checkTimeline compares the number of webhooks that the timeline led to with the
// number that were applied. An order that cannot be read is no obstacle: that is
// what a rebuild mends.
func (l *Lookback) checkTimeline(ctx context.Context, source, key string, webhooks uint64) error {
	stored, err := l.config.Model.Order(ctx, source, key)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return err
	case err == nil && stored.Version > webhooks:
		return fmt.Errorf("%w: %d webhooks were applied, the timeline has %d", domain.ErrOrderAlone, stored.Version, webhooks)
	}
	return nil
}
