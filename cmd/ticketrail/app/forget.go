package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/rebuild"
)

// forgetEvery is how often it is looked for orders that were erased: one question to the
// broker, which no replica knows the answer of before it asks.
const forgetEvery = 5 * time.Second

// startForgetting has snapshots and the previous read model forget the orders that another
// process erases: that one knows of its own alone. Nobody else can on the embedded broker.
func (a *App) startForgetting(context.Context) error {
	if !a.config.NATS.Embedded() {
		a.steps.beside("stop forgetting", limitWatch, a.forget)
	}
	return nil
}

func (a *App) forget(ctx context.Context) {
	complain := rate.Sometimes{Interval: time.Minute}
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	for {
		err := a.forgetErased(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, rebuild.ErrBusy) {
			complain.Do(func() { a.logger.Warn("copies of the read model may hold what was erased", "error", err) })
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// forgetErased goes through the tombstones that came since, as far as the read model has:
// what is copied of it from then on is without what they erased.
func (a *App) forgetErased(ctx context.Context) error {
	checkpoint, err := a.readModel.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("forget what was erased: %w", err)
	}
	for w, err := range a.log.Erasures(ctx, a.folder.ForgottenAt()) {
		if err != nil {
			return fmt.Errorf("forget what was erased: %w", err)
		}
		if w.StreamSequence > checkpoint.StreamSequence {
			return nil
		}
		if err := a.forgetOrder(w); err != nil {
			return fmt.Errorf("forget what was erased: %w", err)
		}
	}
	return nil
}

func (a *App) forgetOrder(tombstone *domain.Webhook) error {
	erasure, err := domain.ParseErasure(tombstone)
	if err == nil && len(erasure.Webhooks) > 0 { // else it is another program's, and erases nothing
		if _, err := a.rebuilder.Forget(tombstone.Source, erasure.Key, erasure.Webhooks[0].StreamSequence, false); err != nil {
			return err
		}
	}
	return a.folder.Forgotten(tombstone.StreamSequence)
}
