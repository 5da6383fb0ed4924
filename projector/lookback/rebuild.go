package lookback

import (
	"context"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector"
)

// RebuildOrder folds an order anew, compares it and its timeline with what the
// read model holds and, unless it only plans, replaces that where it differs, in one
// transaction between two batches of the projector.
//
// It returns domain.ErrNotFound for an order that is not known, and
// domain.ErrForgotten where the stream no longer holds all of its webhooks. It
// returns domain.ErrOrderAlone where the order cannot be told from its timeline,
// which lacks webhooks that were applied, and where other rules built
// the read model: one order by other rules than its neighbours would be of none.
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
	rows, err := fold.rows(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.checkTimeline(ctx, source, key, rows.Order); err != nil {
		return nil, err
	}
	// An interrupted writer would only cost the transaction.
	return l.config.Model.ReplaceOrder(context.WithoutCancel(ctx), rows, plan)
}

// rows folds every webhook of the order into its rows. A duplicate of a webhook
// that the timeline does not lead to shows that the timeline lacks that one.
func (r *refold) rows(ctx context.Context) (*domain.OrderRows, error) {
	rows, folded := &domain.OrderRows{}, map[uint64]bool{0: true}
	for step, err := range r.all(ctx) {
		if err != nil {
			return nil, err
		}
		if first := step.Change.DuplicateOf; !folded[first] {
			return nil, fmt.Errorf("%w: its timeline lacks webhook %d, which came again", domain.ErrOrderAlone, first)
		}
		folded[step.webhook.StreamSequence] = true
		rows.Timeline = append(rows.Timeline, step.Timeline...)
		if step.Event.Kind == domain.Tombstone {
			rows.Erase()
		}
	}
	rows.Order = r.Order()
	return rows, nil
}

func (l *Lookback) checkVersion(ctx context.Context) error {
	checkpoint, err := l.config.Model.Checkpoint(ctx)
	var stop *projector.StopError
	if err == nil && errors.As(projector.SameRules(checkpoint, l.config.Version, provider.NewSet(l.config.Providers)), &stop) {
		err = fmt.Errorf("%w: %w: %s", domain.ErrOrderAlone, stop.Err, stop.Detail)
	}
	return err
}

// checkTimeline compares the number of webhooks that were applied to the folded
// order, nil where the timeline led to none, with the number that were applied to
// the stored one. A stored order that cannot be read is no obstacle: that is what a
// rebuild mends.
func (l *Lookback) checkTimeline(ctx context.Context, source, key string, folded *domain.Order) error {
	stored, err := l.config.Model.Order(ctx, source, key)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return err
	case folded == nil:
		return fmt.Errorf("%w: its timeline leads to no webhook of it", domain.ErrOrderAlone)
	case err == nil && stored.Version > folded.Version:
		return fmt.Errorf("%w: %d webhooks were applied, the timeline has %d of them",
			domain.ErrOrderAlone, stored.Version, folded.Version)
	}
	return nil
}
