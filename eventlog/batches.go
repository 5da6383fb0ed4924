package eventlog

import (
	"context"
	"iter"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/ticketrail/ticketrail/domain"
)

// Batch is a run of consecutive webhooks of the stream. It must be acknowledged
// once, by Ack or by Nack; either may be called from any goroutine.
type Batch struct {
	Webhooks []*domain.Webhook // at least one
	messages []*message.Message
	bytes    int    // of the bodies
	pending  uint64 // how many the server had after the last one
	reading  *reading
}

// Ack lets the webhooks go. It does not wait.
func (b *Batch) Ack() {
	if b.reading.settle(b) {
		for _, m := range b.messages {
			m.Ack()
		}
	}
}

// Nack has the iterator go on with the first webhook of this batch again, when
// every batch before it is acknowledged. Batches that were given out after it are
// void: their webhooks come again. On an acknowledged or a void batch it does
// nothing.
func (b *Batch) Nack() {
	if b.reading.rewind(b) {
		b.messages[0].Nack()
	}
}

func (b *Batch) add(m *message.Message) {
	b.messages = append(b.messages, m)
	b.Webhooks = append(b.Webhooks, WebhookOf(m))
	b.bytes += len(m.Payload)
	b.pending = DeliveryOf(m).Pending
}

func (b *Batch) clear() {
	b.messages, b.Webhooks, b.bytes = nil, nil, 0
}

// Batches reads the stream from a stream sequence on, as it was stored, and waits
// for more at its end. It waits for the first webhook of a batch, and then goes on
// collecting as long as there are more, up to most (from 1) and 32 MiB: a reader
// that has caught up gets each webhook at once, and one that is behind gets full
// batches. Two batches, or as many as hold 4096 webhooks, may be under way
// unacknowledged; then the iterator waits.
//
// It outlives lost connections. It ends with an error when ctx ends, or with
// [ErrStreamLost].
func (l *Log) Batches(ctx context.Context, from uint64, most int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		subscriber := NewSubscriber(l.js, SubscriberConfig{
			Stream:   WebhooksStream,
			From:     func() uint64 { return from },
			InFlight: max(defaultInFlight, 2*most),
			Bare:     true,
		})
		defer subscriber.Close()
		subscription, err := subscriber.subscribe(ctx, webhookRoot+".>")
		if err != nil {
			yield(nil, err)
			return
		}
		reading := &reading{messages: subscription.out, most: most}
		for batch := reading.next(); batch != nil; batch = reading.next() {
			if !yield(batch, nil) {
				return
			}
		}
		yield(nil, subscription.source.err)
	}
}
