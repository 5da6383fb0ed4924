package lookback

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector"
)

// Log is what a Lookback needs of the stream.
type Log interface {
	// Webhook gives one webhook, or domain.ErrNotFound.
	Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error)
}

// Model is what a Lookback needs of the read model in use.
type Model interface {
	projector.WebhookIDs
	Checkpoint(ctx context.Context) (domain.Checkpoint, error)
	// Order gives one order, or domain.ErrNotFound.
	Order(ctx context.Context, source, key string) (*domain.Order, error)
	// Timeline gives up to limit entries after a position, in the order of the
	// stream, or domain.ErrNotFound for an order that is not known.
	Timeline(ctx context.Context, source, key string, after domain.TimelinePosition, limit int) ([]domain.TimelineEntry, error)
	// ReplaceOrder compares the rows of an order with those given and, unless it
	// only plans, replaces those that differ.
	ReplaceOrder(ctx context.Context, rows *domain.OrderRows, plan bool) (*domain.OrderRebuild, error)
}

// Holder keeps the read model still: it calls act while nothing is committed.
type Holder interface {
	Hold(ctx context.Context, act func() error) error
}

// Config is what a Lookback is given. Log, Model and Live are required.
type Config struct {
	Log   Log
	Model Model
	Live  Holder // the projector of the read model in use
	// Version and Providers are those of the projection, as for the projector.
	Version   int
	Providers []provider.Provider
}

// Lookback folds single orders again. It is safe for concurrent use.
type Lookback struct {
	config  Config
	schemes map[string]string // by provider
}

// New gives a Lookback.
func New(c Config) *Lookback {
	c.Version = cmp.Or(c.Version, projector.Version)
	if c.Providers == nil {
		c.Providers = provider.All()
	}
	schemes := make(map[string]string, len(c.Providers))
	for _, p := range c.Providers {
		schemes[p.Name()] = p.Scheme()
	}
	return &Lookback{config: c, schemes: schemes}
}

// OrderAt gives an order as it was after the webhook of a stream sequence. It returns
// domain.ErrNotFound for an order of which there was no webhook by then,
// domain.ErrForgotten where the stream no longer holds all of those that there were,
// and domain.ErrNoStream where it does not answer. Nothing is known beyond the
// checkpoint: of a later stream sequence it gives the order as it is.
func (l *Lookback) OrderAt(ctx context.Context, source, key string, at uint64) (*domain.Order, error) {
	fold := l.refold(source, key)
	for _, err := range fold.until(ctx, at) {
		if err != nil {
			return nil, fmt.Errorf("look back at an order of source %s: %w", source, err)
		}
	}
	if fold.Order() == nil {
		return nil, fmt.Errorf("look back at an order of source %s: %w", source, domain.ErrNotFound)
	}
	return fold.Order(), nil
}

// Explain gives the webhooks of an order in the order of the stream, each with
// what it said, what it did, and by which rule. Its errors are those of OrderAt.
// One is read after the other, so whoever wants a page of a long life takes only that.
func (l *Lookback) Explain(ctx context.Context, source, key string) iter.Seq2[*domain.ExplainedWebhook, error] {
	return func(yield func(*domain.ExplainedWebhook, error) bool) {
		for step, err := range l.refold(source, key).all(ctx) {
			if err != nil {
				yield(nil, fmt.Errorf("explain an order of source %s: %w", source, err))
				return
			}
			if !yield(l.explain(step), nil) {
				return
			}
		}
	}
}

// explain tells of one webhook. A tombstone had no sender to be verified. The tokens of
// an erased one have done their part with the fold: they are no texts to show.
func (l *Lookback) explain(s step) *domain.ExplainedWebhook {
	explained := &domain.ExplainedWebhook{
		Webhook: s.webhook,
		Event:   s.Event,
		Change:  s.Change,
		Reason:  s.Change.Reason(s.Event),
	}
	if s.webhook.Remains != nil {
		explained.Event, explained.Change = s.Event.Redact(domain.NoText), s.Change.Redacted()
	}
	if s.Event.Kind != domain.Tombstone {
		explained.Verified = l.schemes[s.webhook.Provider]
	}
	return explained
}
