package erasure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/ticketrail/ticketrail/domain"
)

// pageSize is how many lines of a timeline, or of the quarantine, are read at once.
const pageSize = 500

// found is what is kept of an order and was not erased yet.
type found struct {
	order     *domain.Order
	first     uint64   // the stream sequence of its first webhook
	tombstone uint64   // that of its last tombstone; 0 where it was not erased
	webhooks  []said   // by their stream sequences
	rejected  []uint64 // the sequences of the rejected requests that speak of it
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
	slices.SortFunc(f.webhooks, func(a, b said) int { return cmp.Compare(a.webhook.StreamSequence, b.webhook.StreamSequence) })
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
		var sequences []uint64
		for _, entry := range page {
			after = domain.TimelinePosition{StreamSequence: entry.StreamSequence, Ordinal: entry.Ordinal}
			f.first = cmp.Or(f.first, entry.StreamSequence)
			switch {
			case entry.Ordinal > 0:
			case entry.Effect == domain.EffectErased:
				f.tombstone = entry.StreamSequence
			default:
				sequences = append(sequences, entry.StreamSequence)
			}
		}
		others, err := e.add(ctx, f, sequences)
		if err == nil && len(others) > 0 {
			err = fmt.Errorf("%w: webhook %d is none of it by today's rules", domain.ErrOrderAlone, others[0])
		}
		if err != nil || len(page) < pageSize {
			return err
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
		var sequences []uint64
		for _, entry := range page {
			after = entry.StreamSequence
			if entry.Source == f.order.Source && entry.Cause == domain.CauseOrderErased {
				sequences = append(sequences, entry.StreamSequence)
			}
		}
		if _, err := e.add(ctx, f, sequences); err != nil || len(page) < pageSize {
			return err
		}
	}
}

// add adds those of some webhooks that are about the order and were not erased, and
// gives the stream sequences of those that are not about it.
func (e *Eraser) add(ctx context.Context, f *found, sequences []uint64) (others []uint64, err error) {
	for w, err := range e.kept(ctx, sequences) {
		if err != nil {
			return nil, err
		}
		switch event, about := e.about(w, f.order.Key); {
		case !about:
			others = append(others, w.StreamSequence)
		case w.Remains == nil:
			f.webhooks = append(f.webhooks, said{w, event})
		}
	}
	return others, nil
}

// kept gives those of some webhooks that are still kept: by the stream, and then, where
// it has forgotten them, by the archive. The others need no erasure.
func (e *Eraser) kept(ctx context.Context, sequences []uint64) iter.Seq2[*domain.Webhook, error] {
	return func(yield func(*domain.Webhook, error) bool) {
		var forgotten []uint64
		for _, sequence := range sequences {
			w, err := e.config.Log.Webhook(ctx, sequence)
			if errors.Is(err, domain.ErrNotFound) {
				forgotten = append(forgotten, sequence)
				continue
			}
			if err != nil {
				err = fmt.Errorf("%w: %w", domain.ErrNoStream, err)
			}
			if !yield(w, err) {
				return
			}
		}
		if len(forgotten) > 0 && e.config.Archive != nil {
			e.config.Archive.Webhooks(forgotten)(yield)
		}
	}
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
