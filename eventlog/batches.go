package eventlog

import (
	"context"
	"iter"
	"time"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	// stallTimeout ends the wait for messages that the server announced and does
	// not deliver, as it happens where its files are damaged: what is there is
	// given out.
	stallTimeout = time.Second
	// batchBytes is when a batch of large webhooks is full.
	batchBytes = 32 << 20
)

// Batch is a run of webhooks of the stream, in its order.
type Batch struct {
	Webhooks []*domain.Webhook // at least one
	bytes    int               // of the bodies
	pending  uint64            // how many the server had after the last one
}

func (b *Batch) add(m *stored) {
	b.Webhooks = append(b.Webhooks, m.webhook())
	b.bytes += len(m.body)
	b.pending = m.Pending
}

// last gives the stream sequence of the last webhook.
func (b *Batch) last() uint64 { return b.Webhooks[len(b.Webhooks)-1].StreamSequence }

// patience is how long to wait for another webhook: for the first one always, and for
// more as long as more were announced.
func (b *Batch) patience() time.Duration {
	switch {
	case len(b.Webhooks) == 0:
		return forever
	case b.pending > 0:
		return stallTimeout
	}
	return 0
}

// Batches reads the stream from a stream sequence on, as it was stored or with what an
// erasure left, and waits for more at its end. The embedded server has on disk what it
// gives out. It waits for the first webhook of a batch, and then goes on collecting as
// long as there are more, up to most (from 1) and 32 MiB: a reader that has caught up
// gets each webhook at once, and one that is behind gets large batches. An external
// server sends ahead while the reader works on one, up to 1536 webhooks or 64 MiB.
//
// It ends with an error: when ctx ends, with [ErrStreamLost], with [ErrUnavailable]
// where the embedded server cannot sync, and with [ErrInterrupted] before the first webhook
// that came after the connection, the server, the consumer or the server's files did not
// last. So all that one iterator gives is of one history: a stream that is put back to an older
// point takes another iterator to be read, and a look at the stream after that one's
// first batch vouches for all of its batches.
func (l *Log) Batches(ctx context.Context, from uint64, most int) iter.Seq2[*Batch, error] {
	if l.embedded == nil {
		return l.consume(ctx, from, most)
	}
	life := l.embedded.now() // before anything is read
	if life.rounds == nil {
		return l.consume(ctx, from, most) // the files have a message before the server has synced it
	}
	return func(yield func(*Batch, error) bool) {
		for batch, err := range l.follow(ctx, life, &life.durable, from, most) {
			if err == nil {
				err = life.onDisk(ctx, WebhooksStream, batch.last())
			}
			if !yield(batch, err) || err != nil {
				return
			}
		}
	}
}

// Written is Batches that does not wait for a sync: for a copy of the stream, which syncs
// what it has itself, meanwhile.
func (l *Log) Written(ctx context.Context, from uint64, most int) iter.Seq2[*Batch, error] {
	if l.embedded == nil {
		return l.consume(ctx, from, most)
	}
	life := l.embedded.now()
	return l.follow(ctx, life, &life.stored, from, most)
}

// consume reads the stream by a consumer.
func (l *Log) consume(ctx context.Context, from uint64, most int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		webhooks := &source{js: l.reading, stream: WebhooksStream, subject: webhookRoot + ".>", erased: l.erased, next: max(1, from)}
		reading, err := webhooks.open(ctx)
		if err != nil {
			yield(nil, ending(ctx, err))
			return
		}
		defer reading.close()
		for {
			batch, err := reading.batch(most)
			if err != nil {
				yield(nil, ending(ctx, err))
				return
			}
			if !yield(batch, nil) {
				return
			}
		}
	}
}

// batch collects the next batch.
func (r *reading) batch(most int) (*Batch, error) {
	batch := &Batch{}
	for len(batch.Webhooks) < most && batch.bytes < batchBytes {
		m, err := r.take(batch.patience())
		if err != nil {
			return nil, err
		}
		if m == nil {
			break
		}
		batch.add(m)
	}
	return batch, nil
}
