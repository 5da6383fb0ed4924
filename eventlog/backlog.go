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
// it began, or after an error: never without one where the server fell silent.
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
		reader := backlogReader{consumer: consumer, total: consumer.CachedInfo().NumPending}
		for reader.read < reader.total {
			fetched, more, err := reader.fetch(ctx, yield)
			if err == nil && fetched == 0 {
				err = reader.checkEnd(ctx)
			}
			if err != nil {
				fail(err)
				return
			}
			if !more || fetched == 0 {
				return
			}
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

// backlogReader counts what has come of a backlog.
type backlogReader struct {
	consumer    jetstream.Consumer
	read, total uint64 // messages
}

// fetch yields some messages, and tells how many there were and whether more are
// wanted. It reads the batch to its end in any case: whoever fills it waits for
// that.
func (r *backlogReader) fetch(
	ctx context.Context, yield func(*stored, error) bool,
) (fetched uint64, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	most := min(r.total-r.read, backlogFetch)
	batch, err := r.consumer.Fetch(int(most), jetstream.FetchMaxWait(backlogWait))
	if err != nil {
		return 0, false, err
	}
	more = true
	for m := range batch.Messages() {
		fetched++
		if !more {
			continue
		}
		s, err := r.next(m)
		if err != nil {
			return fetched, false, err
		}
		more = yield(s, nil)
	}
	return fetched, more, batch.Error()
}

// next reads a message, and refuses one that others were sent before that never
// came: the server sends each only once.
func (r *backlogReader) next(m jetstream.Msg) (*stored, error) {
	s, err := storedDelivered(m)
	if err != nil {
		return nil, err
	}
	if r.read++; s.delivered != r.read {
		return nil, fmt.Errorf("messages were lost on their way after %d of %d", r.read-1, r.total)
	}
	return s, nil
}

// checkEnd tells a stream that has forgotten the rest from a server that was
// silent for a while: it must have nothing left to send, and have sent nothing
// that never came.
func (r *backlogReader) checkEnd(ctx context.Context) error {
	info, err := r.consumer.Info(ctx)
	if err != nil {
		return err
	}
	if info.NumPending > 0 || info.Delivered.Consumer > r.read {
		return fmt.Errorf("no more came after %d of %d messages", r.read, r.total)
	}
	return nil
}
