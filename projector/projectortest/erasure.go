package projectortest

import (
	"context"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// Of gives the webhooks on the stream that mean an event of an order, and the events.
func (b *Broker) Of(source, key string) (webhooks []*domain.Webhook, events []*domain.Event) {
	b.t.Helper()
	info, err := b.Info(context.Background())
	require.NoError(b.t, err)
	for at := info.First; at <= info.Last; at++ {
		w, err := b.Webhook(context.Background(), at)
		require.NoError(b.t, err)
		event, err := provider.NewSet(nil).Translate(w)
		if err == nil && w.Source == source && event.Key == key && event.Kind != domain.Tombstone {
			webhooks, events = append(webhooks, w), append(events, event)
		}
	}
	return webhooks, events
}

// Entomb puts a tombstone on the stream, which lists webhooks, and gives its stream
// sequence.
func (b *Broker) Entomb(provider, source, key string, erased ...*domain.Webhook) uint64 {
	b.t.Helper()
	erasure := domain.Erasure{Key: key, By: "local", Reason: "asked for", Webhooks: erased}
	body, err := erasure.Body()
	require.NoError(b.t, err)
	return b.AcceptAs(&domain.Webhook{Provider: provider, Source: source, Event: domain.EventErased, Body: body})
}

// Erase puts a tombstone on the stream that lists every webhook of an order so far.
func (b *Broker) Erase(source, key string) uint64 {
	b.t.Helper()
	webhooks, events := b.Of(source, key)
	require.NotEmpty(b.t, webhooks)
	tokens := domain.Tokens([]byte(source + key))
	for i, w := range webhooks {
		webhooks[i] = w.Erased(events[i], tokens)
	}
	return b.Entomb(webhooks[0].Provider, source, key, webhooks...)
}

// Overwrite takes every webhook that a tombstone lists out of the stream, as each start
// does with what a stop has left of an erasure.
func (b *Broker) Overwrite() {
	b.t.Helper()
	b.Stop()
	b.Start()
}
