package lookback

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector"
)

// pageSize is how many lines of a timeline are read at once.
const pageSize = 500

// refold begins to fold an order.
func (l *Lookback) refold(source, key string) *refold {
	return &refold{
		Refold: projector.NewRefold(l.config.Model, l.config.Providers, source, key),
		log:    l.config.Log,
		model:  l.config.Model,
		source: source,
		key:    key,
	}
}

// refold is the fold of one order along its timeline.
type refold struct {
	*projector.Refold
	log         Log
	model       Model
	source, key string
}

// step is one webhook of the order, and what it did.
type step struct {
	webhook *domain.Webhook
	*projector.Refolded
}

// all folds every webhook of the order.
func (r *refold) all(ctx context.Context) iter.Seq2[step, error] {
	return r.fold(ctx, func(domain.TimelineEntry) bool { return true })
}

// until folds the webhooks up to a stream sequence.
func (r *refold) until(ctx context.Context, at uint64) iter.Seq2[step, error] {
	return r.fold(ctx, func(e domain.TimelineEntry) bool { return e.StreamSequence <= at })
}

// fold folds the webhooks of the timeline for as long as they are wanted. One that
// by today's rules is not about the order is left out, as a rebuild would do.
func (r *refold) fold(ctx context.Context, wanted func(domain.TimelineEntry) bool) iter.Seq2[step, error] {
	return func(yield func(step, error) bool) {
		for entry, err := range r.timeline(ctx) {
			if err != nil {
				yield(step{}, err)
				return
			}
			if !wanted(entry) {
				return
			}
			s, err := r.read(ctx, entry.StreamSequence)
			if elsewhere(err) {
				continue
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// read reads one webhook and folds it.
func (r *refold) read(ctx context.Context, streamSequence uint64) (s step, err error) {
	s.webhook, err = r.log.Webhook(ctx, streamSequence)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return s, fmt.Errorf("webhook %d: %w", streamSequence, domain.ErrForgotten)
	case err != nil:
		return s, fmt.Errorf("%w: %w", domain.ErrNoStream, err)
	}
	s.Refolded, err = r.Add(ctx, s.webhook)
	return s, err
}

// elsewhere tells whether an error says that a webhook is none of the order's.
func elsewhere(err error) bool {
	_, untranslatable := errors.AsType[*domain.Untranslatable](err)
	return untranslatable || errors.Is(err, domain.ErrNotAboutOrder)
}

// timeline gives the lines of the order's timeline that stand for a webhook.
func (r *refold) timeline(ctx context.Context) iter.Seq2[domain.TimelineEntry, error] {
	return func(yield func(domain.TimelineEntry, error) bool) {
		var after domain.TimelinePosition
		for {
			page, err := r.model.Timeline(ctx, r.source, r.key, after, pageSize)
			if err != nil {
				yield(domain.TimelineEntry{}, err)
				return
			}
			for _, entry := range page {
				after = domain.TimelinePosition{StreamSequence: entry.StreamSequence, Ordinal: entry.Ordinal}
				if entry.Ordinal == 0 && !yield(entry, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}
