package eventlog

import (
	"context"
	"iter"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/ticketrail/ticketrail/domain"
)

// Batch is a run of webhooks of the stream, in its order.
type Batch struct {
	Webhooks []*domain.Webhook // at least one
	messages []*message.Message
	bytes    int    // of the bodies
	pending  uint64 // how many the server had after the last one
}

// Ack lets the webhooks go, to make room for more. It does not wait, and may be
// called from any goroutine. Who cannot work on a batch leaves the iterator.
func (b *Batch) Ack() {
	for _, m := range b.messages {
		m.Ack()
	}
}

// StoredAt gives the stream's own timestamp of the webhook at an index.
func (b *Batch) StoredAt(i int) domain.Instant {
	return domain.InstantOf(DeliveryOf(b.messages[i]).StoredAt)
}

func (b *Batch) add(m *message.Message) {
	b.messages = append(b.messages, m)
	b.Webhooks = append(b.Webhooks, WebhookOf(m))
	b.bytes += len(m.Payload)
	b.pending = DeliveryOf(m).Pending
}

// last gives the stream sequence of the last webhook.
func (b *Batch) last() uint64 { return b.Webhooks[len(b.Webhooks)-1].StreamSequence }

// Batches reads the stream from a stream sequence on, as it was stored or with what an
// erasure left, and waits for more at its end. The embedded server has on disk what it
// gives out. It waits for the first webhook of a batch, and then goes on collecting as
// long as there are more, up to most (from 1) and 32 MiB: a reader that has caught up gets
// each webhook at once, and one that is behind gets full batches. Two batches, or as many
// as hold 4096 webhooks, may be under way unacknowledged; then the iterator waits.
//
// It ends with an error: when ctx ends, with [ErrStreamLost], with [ErrUnavailable] where
// the embedded server cannot sync, and with [ErrInterrupted] before the first webhook that
// came after the connection, the server or the consumer did not last. So all that one
// iterator gives is of one history: a stream that is put back to an older point takes
// another iterator to be read, and a look at the stream after that one's first batch
// vouches for all of its batches.
func (l *Log) Batches(ctx context.Context, from uint64, most int) iter.Seq2[*Batch, error] {
	life := l.embedded.now() // before anything is read
	return func(yield func(*Batch, error) bool) {
		for batch, err := range l.Written(ctx, from, most) {
			if err == nil {
				err = life.onDisk(ctx, WebhooksStream, batch.last())
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(batch, nil) {
				return
			}
		}
	}
}

// Written is Batches that does not wait for a sync: for a copy of the stream, which syncs
// what it has itself, meanwhile.
func (l *Log) Written(ctx context.Context, from uint64, most int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		subscriber := NewSubscriber(l.reading, SubscriberConfig{
			Stream:   WebhooksStream,
			From:     func() uint64 { return from },
			InFlight: max(defaultInFlight, 2*most),
			Once:     true,
			Bare:     true,
			erased:   l.erased,
		})
		defer subscriber.Close()
		subscription, err := subscriber.subscribe(ctx, webhookRoot+".>")
		if err != nil {
			yield(nil, err)
			return
		}
		reading := reading{messages: subscription.out, most: most}
		for batch := reading.next(); batch != nil; batch = reading.next() {
			if !yield(batch, nil) {
				return
			}
		}
		yield(nil, subscription.source.err)
	}
}
