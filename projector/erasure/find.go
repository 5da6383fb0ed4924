package erasure

import (
	"context"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// pageSize is how many lines of a timeline, or of the quarantine, are read at once.
const pageSize = 500

// found is what is kept of an order and was not erased yet.
type found struct {
	order    *domain.Order
	first    uint64   // the stream sequence of its first webhook
	webhooks []said   // by their stream sequences
	rejected []uint64 // the sequences of the rejected requests that speak of it
}

// said is a webhook and what it says.
type said struct {
	webhook *domain.Webhook
	event   *domain.Event
}

// clean tells that there is nothing left to erase.
func (f *found) clean() bool {
	return !f.order.ErasedAt.IsZero() && len(f.webhooks) == 0 && len(f.rejected) == 0
}

func (f *found) told() domain.Erased {
	told := domain.Erased{Order: f.order, Rejected: len(f.rejected)}
	for _, s := range f.webhooks {
		told.Webhooks = append(told.Webhooks, s.webhook.StreamSequence)
		if s.event.Proof != nil {
			told.Proofs++
		}
	}
	return told
}

func (e *Eraser) find(ctx context.Context, source, key string) (*found, error) {
	order, err := e.config.Model.Order(ctx, source, key)
	f := &found{order: order}
	for _, look := range []func(context.Context, *found) error{e.lookAtTimeline, e.lookAtQuarantine, e.lookAtRejected} {
		if err == nil {
			err = look(ctx, f)
		}
	}
	return f, err
}

// lookAtTimeline finds the webhooks that were applied, and their duplicates.
func (e *Eraser) lookAtTimeline(ctx context.Context, f *found) error {
	var after domain.TimelinePosition
	for {
		page, err := e.config.Model.Timeline(ctx, f.order.Source, f.order.Key, after, pageSize)
		if err != nil {
			return err
		}
		for _, entry := range page {
			after = domain.TimelinePosition{StreamSequence: entry.StreamSequence, Ordinal: entry.Ordinal}
			if f.first == 0 {
				f.first = entry.StreamSequence
			}
			if entry.Ordinal > 0 || entry.Effect == domain.EffectErased {
				continue
			}
			about, err := e.add(ctx, f, entry.StreamSequence)
			if err == nil && !about {
				err = fmt.Errorf("%w: webhook %d is none of it by today's rules", domain.ErrOrderAlone, entry.StreamSequence)
			}
			if err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// lookAtQuarantine finds the webhooks that came after an earlier erasure.
func (e *Eraser) lookAtQuarantine(ctx context.Context, f *found) error {
	if f.order.ErasedAt.IsZero() {
		return nil
	}
	var after uint64
	for {
		page, err := e.config.Model.Quarantined(ctx, after, pageSize)
		if err != nil {
			return err
		}
		for _, entry := range page {
			after = entry.StreamSequence
			if entry.Source != f.order.Source || entry.Cause != domain.CauseOrderErased {
				continue
			}
			if _, err := e.add(ctx, f, entry.StreamSequence); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// add adds a webhook of the order unless it was erased, and tells whether it is about
// the order. One that the stream has forgotten needs no erasure.
func (e *Eraser) add(ctx context.Context, f *found, streamSequence uint64) (about bool, err error) {
	w, err := e.config.Log.Webhook(ctx, streamSequence)
	if errors.Is(err, domain.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", domain.ErrNoStream, err)
	}
	event, about := e.about(w, f.order.Key)
	if about && w.Remains == nil {
		f.webhooks = append(f.webhooks, said{w, event})
	}
	return about, nil
}

// about tells whether a webhook is about the order with a key, and what it says.
func (e *Eraser) about(w *domain.Webhook, key string) (*domain.Event, bool) {
	event, err := e.providers.Translate(w)
	return event, err == nil && event.Key == key
}

// lookAtRejected finds the rejected requests that would be about the order if they were
// taken for what they say they are.
func (e *Eraser) lookAtRejected(ctx context.Context, f *found) error {
	for request, err := range e.config.Log.RejectedWhole(ctx, f.order.Source) {
		if err != nil {
			return err
		}
		w := &domain.Webhook{
			Provider: request.Provider, Source: request.Source, ReceivedAt: request.ReceivedAt,
			Body: request.Body, BodyDigest: domain.DigestBody(request.Body),
		}
		if _, about := e.about(w, f.order.Key); about {
			f.rejected = append(f.rejected, request.Sequence)
		}
	}
	return nil
}
