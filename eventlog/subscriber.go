package eventlog

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go/jetstream"
)

// defaultInFlight keeps a reader busy while its batches are being committed.
const defaultInFlight = 4096

// SubscriberConfig says what a Subscriber reads.
type SubscriberConfig struct {
	// Stream is the stream's name.
	Stream string
	// From gives the stream sequence of the first message to deliver, asked once
	// for each subscription. The first of the stream where it is nil or gives 0.
	From func() uint64
	// InFlight is how many messages may be delivered and not acknowledged; 4096
	// where it is 0. With 1 the next message waits for the acknowledgement. Where
	// bodies are large, fewer are in flight: they take 128 MiB at the most.
	InFlight int
}

// Subscriber is a Watermill subscriber on JetStream. It delivers the messages of
// a subject in stream order, with many in flight, and remembers nothing: where to
// go on from is the reader's to keep, as SubscriberConfig.From.
//
// Messages may be acknowledged in any order and many at once; they are let go in
// stream order. When all before it are acknowledged, a Nack has that message
// delivered again, and then all after it, the acknowledged ones too.
//
// A lost connection and a restarted server are waited for, and then it goes on
// with the next stream sequence. It cannot tell whether the stream was put back to
// an older point meanwhile, and would then miss what grew up to there: for a reader to
// whom that matters there is [Log.Batches].
//
// The channel closes when the context ends, at Close, or when the stream or the
// connection is gone for good. It is safe for concurrent use.
type Subscriber struct {
	js     jetstream.JetStream
	config SubscriberConfig
	ctx    context.Context // ends every subscription at Close
	cancel context.CancelFunc
	mu     sync.Mutex // between Add and Wait
	active sync.WaitGroup
}

var _ message.Subscriber = (*Subscriber)(nil)

// NewSubscriber makes a subscriber on a connection that it does not own.
func NewSubscriber(js jetstream.JetStream, config SubscriberConfig) *Subscriber {
	config.InFlight = cmp.Or(config.InFlight, defaultInFlight)
	ctx, cancel := context.WithCancel(context.Background())
	return &Subscriber{js: js, config: config, ctx: ctx, cancel: cancel}
}

// Subscribe delivers the messages of a subject, which may hold wildcards. It
// returns [ErrClosed] after Close, and no other error.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, fmt.Errorf("subscribe: %w", ErrClosed)
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	from := &source{js: s.js, stream: s.config.Stream, subject: topic, next: 1}
	if s.config.From != nil {
		from.next = max(1, s.config.From())
	}
	subscription := newSubscription(ctx, s.config.InFlight)
	s.active.Go(func() {
		defer stop()
		defer cancel()
		subscription.run(from)
	})
	return subscription.out, nil
}

// Close ends every subscription and returns when all their channels are closed.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.active.Wait()
	return nil
}
