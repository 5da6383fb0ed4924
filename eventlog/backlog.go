package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// backlogWait bounds the wait for messages that the server announced: they may
	// have been forgotten since.
	backlogWait = time.Second
	// backlogInactive is when the server forgets a reader that could not say that
	// it has ended.
	backlogInactive = 10 * time.Second
)

// backlog selects what to read of a stream: what it holds now, and no more.
type backlog struct {
	js      jetstream.JetStream
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
		reader, err := b.open(ctx)
		if err != nil {
			fail(err)
			return
		}
		defer reader.close(ctx)
		for total := reader.consumer.NumPending; reader.read < total; {
			s, err := reader.next(ctx, forever)
			if errors.Is(err, errSilent) {
				if err = reader.checkEnd(ctx); err == nil {
					return
				}
			}
			if err != nil {
				fail(err)
				return
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (b backlog) open(ctx context.Context) (*pull, error) {
	return openPull(ctx, b.js, b.stream.CachedInfo().Config.Name, jetstream.ConsumerConfig{
		FilterSubject:     b.subject,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       b.after + 1,
		HeadersOnly:       b.heads,
		InactiveThreshold: backlogInactive,
	}, backlogWait)
}

// checkEnd tells a stream that has forgotten the rest from a server that was
// silent for a while: it must have nothing left to send, and have sent nothing
// that never came.
func (p *pull) checkEnd(ctx context.Context) error {
	consumer, err := p.js.Consumer(ctx, p.consumer.Stream, p.consumer.Name)
	if err != nil {
		return err
	}
	if info := consumer.CachedInfo(); info.NumPending > 0 || info.Delivered.Consumer > p.read {
		return fmt.Errorf("no more came after message %d", p.read)
	}
	return nil
}
