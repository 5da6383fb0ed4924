package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// routed is the stream as a Watermill router hands it on: a handler is called for each
// webhook, and acknowledges it when its transaction is on disk. The effects are those
// of the projector, so what is compared is the way and not the work.
type routed struct {
	*eventlog.Log
	webhooks chan *domain.Webhook
	done     chan struct{} // after each of them
}

// Batches gives each webhook by itself, and lets its handler go when the next is wanted.
func (r *routed) Batches(ctx context.Context, _ uint64, _ int) iter.Seq2[*eventlog.Batch, error] {
	return func(yield func(*eventlog.Batch, error) bool) {
		for {
			select {
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			case w := <-r.webhooks:
				goesOn := yield(&eventlog.Batch{Webhooks: []*domain.Webhook{w}}, nil)
				r.done <- struct{}{}
				if !goesOn {
					return
				}
			}
		}
	}
}

// handle is the router's handler.
func (r *routed) handle(m *message.Message) error {
	r.webhooks <- eventlog.WebhookOf(m)
	<-r.done
	return nil
}

// projectRouted makes a read model in the ordinary way: a Watermill router, and a synced
// transaction for each webhook. One is under way at a time, since a router keeps no
// order among several.
func projectRouted(ctx context.Context, e *embedded, last uint64, model string) error {
	db, err := sqlite.Open(ctx, model)
	if err != nil {
		return err
	}
	js, err := jetstream.New(e.server.Reading())
	if err != nil {
		return err
	}
	router, err := message.NewRouter(message.RouterConfig{}, watermill.NewSlogLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	r := &routed{e.Log, make(chan *domain.Webhook), make(chan struct{}, 1)}
	subscriber := eventlog.NewSubscriber(js, eventlog.SubscriberConfig{Stream: eventlog.WebhooksStream, InFlight: 1})
	router.AddConsumerHandler("project", "webhooks.>", subscriber, r.handle)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- router.Run(ctx) }()
	err = projector.New(r, db, projector.Config{MaxBatch: 1}).RunUntil(ctx, last)
	go r.release() // the router closes when its handlers have returned
	return errors.Join(err, router.Close(), <-ran, db.Close())
}

// release lets go of what the router still hands on when the work is done.
func (r *routed) release() {
	for range r.webhooks {
		r.done <- struct{}{}
	}
}
