package app

import (
	"context"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/eventlog/orders"
)

// startFeed makes what tells of changes of orders.
func (a *App) startFeed(context.Context) error {
	a.feed = api.NewFeed(a.readModel, api.FeedConfig{Sources: APISources(a.sources), Limits: a.config.LimitsOf(a.sources), Registerer: a.metrics})
	return nil
}

// startPublishing publishes the changes for other services, beside everything else: what
// becomes of that is for the log and the metrics to tell.
func (a *App) startPublishing(ctx context.Context) error {
	if !a.config.Publishes() {
		return nil
	}
	publisher, err := orders.New(ctx, orders.Config{
		Conn:       a.log.Reading(),
		Source:     published{a.feed},
		Newest:     a.newest,
		Log:        a.log,
		MaxBytes:   int64(a.config.Orders.MaxBytes),
		MaxAge:     time.Duration(a.config.Orders.MaxAge),
		Replicas:   a.config.NATS.Replicas,
		Logger:     a.logger,
		Registerer: a.metrics,
	})
	if err != nil {
		return err
	}
	a.alerts = publisher
	a.steps.beside("stop publishing changes", limitWatch, func(ctx context.Context) {
		if err := publisher.Run(ctx); err != nil {
			a.logger.Error("changes of orders are published no more", "error", err)
		}
	})
	return nil
}

// newest gives the stream sequence that a read model has come to, or has to come to before
// it is complete: what changes after it is new.
func (a *App) newest(ctx context.Context) (uint64, error) {
	checkpoint, err := a.readModel.Checkpoint(ctx)
	return max(checkpoint.StreamSequence, a.completeAt), err
}

// published is the feed as those know it who publish.
type published struct{ *api.Feed }

// Follow follows the changes.
func (p published) Follow(ctx context.Context, after uint64) (next func(context.Context) ([]orders.Change, error), leave func(), err error) {
	from, leave, err := p.Feed.Follow(ctx, after)
	return func(ctx context.Context) ([]orders.Change, error) {
		found, err := from(ctx)
		changes := make([]orders.Change, len(found))
		for i, c := range found {
			changes[i] = orders.Change{
				StreamSequence: c.StreamSequence, Source: c.Source, Key: c.Key, State: c.State, ReceivedAt: c.ReceivedAt, Data: c.JSON,
			}
		}
		return changes, err
	}, leave, err
}
