package eventlog

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// backlogFetch is how many messages are asked for at a time.
	backlogFetch = 1000
	// backlogWait bounds the wait for messages that the server announced: they may
	// have been forgotten since.
	backlogWait = time.Second
	// backlogInactive is when the server forgets a reader that could not say that
	// it has ended.
	backlogInactive = 10 * time.Second
)

// backlog selects what to read of a stream: what it holds now, and no more.
type backlog struct {
	stream  jetstream.Stream
	subject string
	after   uint64 // a sequence
	heads   bool   // without the bodies
}

// read gives the messages in order. It ends with the last one that was there when
// it began, or after an error.
func (b backlog) read(ctx context.Context) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		fail := func(err error) {
			yield(nil, fmt.Errorf("read the stream %s: %w", b.stream.CachedInfo().Config.Name, refusal(err)))
		}
		consumer, err := b.open(ctx)
		if err != nil {
			fail(err)
			return
		}
		defer b.close(ctx, consumer)
		for left := consumer.CachedInfo().NumPending; left > 0; {
			fetched, more, err := b.fetch(ctx, consumer, int(min(left, backlogFetch)), yield)
			switch {
			case err != nil:
				fail(err)
				return
			case !more || fetched == 0:
				return
			}
			left -= fetched
		}
	}
}

func (b backlog) open(ctx context.Context) (jetstream.Consumer, error) {
	return b.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubject:     b.subject,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       b.after + 1,
		AckPolicy:         jetstream.AckNonePolicy,
		HeadersOnly:       b.heads,
		InactiveThreshold: backlogInactive,
		MemoryStorage:     true,
		Replicas:          1,
	})
}

// close ends the reader on the server. Where that fails, the server does it later.
func (b backlog) close(ctx context.Context, consumer jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backlogWait)
	defer cancel()
	_ = b.stream.DeleteConsumer(ctx, consumer.CachedInfo().Name)
}

// fetch yields up to most messages, and tells how many there were and whether
// more are wanted. It reads the batch to its end in any case: whoever fills it
// waits for that.
func (b backlog) fetch(
	ctx context.Context, consumer jetstream.Consumer, most int, yield func(*stored, error) bool,
) (fetched uint64, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	batch, err := consumer.Fetch(most, jetstream.FetchMaxWait(backlogWait))
	if err != nil {
		return 0, false, err
	}
	more = true
	for m := range batch.Messages() {
		fetched++
		if !more {
			continue
		}
		s, err := storedDelivered(m)
		if err != nil {
			return fetched, false, err
		}
		more = yield(s, nil)
	}
	return fetched, more, batch.Error()
}
