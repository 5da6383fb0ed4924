package projectortest

import (
	"context"
	"iter"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
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

// Erased gives the stream as it reads when the erased webhooks are gone from it: in the
// place of each is what the tombstones list.
func (b *Broker) Erased() ErasedLog {
	b.t.Helper()
	log := ErasedLog{Broker: b, left: map[uint64]*domain.Webhook{}}
	info, err := b.Info(context.Background())
	require.NoError(b.t, err)
	for at := info.First; at <= info.Last; at++ {
		w, err := b.Webhook(context.Background(), at)
		require.NoError(b.t, err)
		if w.Event != domain.EventErased {
			continue
		}
		if erasure, err := domain.ParseErasure(w); err == nil {
			for _, left := range erasure.Webhooks {
				log.left[left.StreamSequence] = left
			}
		}
	}
	return log
}

// ErasedLog is a stream without the erased webhooks.
type ErasedLog struct {
	*Broker
	left map[uint64]*domain.Webhook
}

// Webhook gives what is left of a webhook that was erased.
func (l ErasedLog) Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error) {
	if left, erased := l.left[streamSequence]; erased {
		return left, nil
	}
	return l.Broker.Webhook(ctx, streamSequence)
}

// Batches gives what is left of the webhooks that were erased.
func (l ErasedLog) Batches(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error] {
	return func(yield func(*eventlog.Batch, error) bool) {
		for batch, err := range l.Broker.Batches(ctx, from, most) {
			if batch != nil {
				for i, w := range batch.Webhooks {
					if left, erased := l.left[w.StreamSequence]; erased {
						batch.Webhooks[i] = left
					}
				}
			}
			if !yield(batch, err) {
				return
			}
		}
	}
}
