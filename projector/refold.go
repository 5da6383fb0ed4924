package projector

import (
	"context"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// Refold folds one order anew from its webhooks, by the projector's own rules:
// after each of them it holds the order that a projector holds which has come
// this far and no further. It must not be used by two goroutines at once.
type Refold struct {
	ids         WebhookIDs
	providers   provider.Set
	source, key string
	order       *domain.Order // nil before the first webhook
}

// Refolded is what one webhook said, and what it did to the order.
type Refolded struct {
	Event  *domain.Event
	Change domain.Change
	// Timeline are its lines of the timeline: its own, then what it back-filled.
	Timeline []domain.TimelineEntry
}

// NewRefold gives a Refold of an order of which nothing was heard. The ids may
// know of webhooks that come later. The providers are all of package provider
// where there are none.
func NewRefold(ids WebhookIDs, providers []provider.Provider, source, key string) *Refold {
	return &Refold{ids: ids, providers: provider.NewSet(providers), source: source, key: key}
}

// Add takes the next webhook of the order, in the order of the stream. It returns
// domain.ErrNotAboutOrder for a webhook of another order or of none, and a
// *domain.Untranslatable for one that no event can be made of, or that the order cannot
// take; both are left out.
func (r *Refold) Add(ctx context.Context, w *domain.Webhook) (*Refolded, error) {
	effects := newEffects(soFar{r.ids, r.order}, r.providers, domain.Checkpoint{StreamSequence: w.StreamSequence - 1}, 1)
	event, err := r.providers.Translate(w)
	if err == nil && (w.Source != r.source || event.Key != r.key) {
		err = domain.ErrNotAboutOrder
	}
	if err != nil {
		return nil, fmt.Errorf("fold webhook %d anew: %w", w.StreamSequence, err)
	}
	change, err := effects.take(ctx, w, event)
	if err != nil {
		return nil, fmt.Errorf("fold webhook %d anew: %w", w.StreamSequence, err)
	}
	if len(effects.batch.Orders) > 0 { // else it is a duplicate
		r.order = effects.batch.Orders[0]
	}
	refolded := &Refolded{Event: event, Change: change}
	for _, entry := range effects.batch.Timeline {
		refolded.Timeline = append(refolded.Timeline, entry.TimelineEntry)
	}
	return refolded, nil
}

// Order gives the order after the webhooks so far, nil before the first. The next
// Add changes it.
func (r *Refold) Order() *domain.Order { return r.order }

// soFar is the memory of the fold of one order.
type soFar struct {
	WebhookIDs
	order *domain.Order
}

func (m soFar) TakeOrder(context.Context, string, string) (*domain.Order, error) {
	if m.order == nil {
		return nil, domain.ErrNotFound
	}
	return m.order, nil
}
