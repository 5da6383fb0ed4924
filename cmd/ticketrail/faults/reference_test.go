package faults_test

import (
	"errors"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// reference is what a stream comes to: told by the shortest program that can tell
// it, one webhook after the other, all of it in memory.
type reference struct {
	counts api.Counts
	orders map[orderName]*domain.Order
	chain  domain.Digest
}

type orderName struct{ source, key string }

func refer(stream []*domain.Webhook) *reference {
	r := &reference{orders: map[orderName]*domain.Order{}}
	applied := map[domain.WebhookID]bool{}
	for _, w := range stream {
		r.counts.Sum++
		r.chain = w.Chain(r.chain)
		adapter, _ := provider.Named(w.Provider)
		event, err := adapter.Translate(w)
		id := domain.WebhookID{Source: w.Source, ID: w.ID, Body: w.BodyDigest}
		switch {
		case errors.Is(err, domain.ErrNotAboutOrder):
			r.counts.NotAboutOrder++
		case err != nil:
			r.counts.Quarantined++
		case id.ID != "" && applied[id]:
			r.counts.Duplicate++
		default:
			r.counts.Applied++
			applied[id] = true
			r.order(w, event.Key).Apply(event, w.StreamSequence, w.ReceivedAt, w.StoredAt)
		}
	}
	return r
}

func (r *reference) order(w *domain.Webhook, key string) *domain.Order {
	name := orderName{w.Source, key}
	if r.orders[name] == nil {
		r.orders[name] = domain.NewOrder(w.Source, w.Provider, key)
	}
	return r.orders[name]
}
