package eventlog

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// defaultPublishTimeout is above what a sync takes on a busy disk and below what
// senders wait for an answer.
const defaultPublishTimeout = 5 * time.Second

// Receipt says where a message was stored.
type Receipt struct {
	StreamSequence uint64
	// Duplicate is true where the stream had the message already, at this
	// stream sequence.
	Duplicate bool
}

// PublisherConfig says how a Publisher behaves; the zero value is of use.
type PublisherConfig struct {
	// Timeout bounds the wait for each acknowledgement; 5 seconds where it is 0.
	Timeout time.Duration
	// Server is the embedded server that is published to, which is not waited for
	// once it is broken; nil where the server is external.
	Server *Embedded
}

// Publisher is a Watermill publisher into JetStream. The topic is the subject,
// the metadata are headers. A message is acknowledged by the stream when Publish
// returns, and its metadata hold the receipt: see MetadataStreamSequence and
// MetadataDuplicate. It is safe for concurrent use.
type Publisher struct {
	store  store
	closed atomic.Bool
}

// store stores one message and returns when the stream has it as it promises. How
// messages share the cost of that is its own affair.
type store func(context.Context, *nats.Msg) (Receipt, error)

var _ message.Publisher = (*Publisher)(nil)

// NewPublisher makes a publisher on a connection that it does not own.
func NewPublisher(js jetstream.JetStream, config PublisherConfig) *Publisher {
	config.Timeout = cmp.Or(config.Timeout, defaultPublishTimeout)
	return &Publisher{store: single{js, config, noCopy}.store}
}

// Publish stores the messages one after the other, each under its own context.
// It stops at the first error, which is one of those of [Log.Append] or ErrClosed.
func (p *Publisher) Publish(topic string, messages ...*message.Message) error {
	for _, m := range messages {
		receipt, err := p.publish(topic, m)
		if err != nil {
			return err
		}
		m.Metadata.Set(MetadataStreamSequence, strconv.FormatUint(receipt.StreamSequence, 10))
		m.Metadata.Set(MetadataDuplicate, strconv.FormatBool(receipt.Duplicate))
	}
	return nil
}

func (p *Publisher) publish(topic string, m *message.Message) (Receipt, error) {
	if p.closed.Load() {
		return Receipt{}, fmt.Errorf("publish: %w", ErrClosed)
	}
	n, err := natsMessage(topic, m)
	if err != nil {
		return Receipt{}, fmt.Errorf("publish: %w", err)
	}
	receipt, err := p.store(m.Context(), n)
	if err != nil {
		return Receipt{}, fmt.Errorf("publish: %w", err)
	}
	return receipt, nil
}

// Close makes every later Publish return ErrClosed. There is nothing to flush,
// and the connection belongs to its owner.
func (p *Publisher) Close() error {
	p.closed.Store(true)
	return nil
}

// single stores each message by itself.
type single struct {
	js     jetstream.JetStream
	config PublisherConfig
	copy   func() Copy // that is waited for; it may give nil
}

func noCopy() Copy { return nil }

func (s single) store(ctx context.Context, n *nats.Msg) (Receipt, error) {
	life := s.config.Server.now()
	if err := life.reason(nil); err != nil {
		return Receipt{}, err
	}
	ctx, leave := life.during(ctx, s.config.Timeout)
	defer leave()
	ack, err := s.publish(ctx, n)
	if err == nil {
		err = durable(ctx, life, ack, s.copy)
	}
	if err != nil {
		return Receipt{}, life.reason(err)
	}
	return Receipt{StreamSequence: ack.Sequence, Duplicate: ack.Duplicate}, nil
}

// durable returns when what the server said of a message can be relied on.
func durable(ctx context.Context, life *life, ack *jetstream.PubAck, copy func() Copy) error {
	if ack.Duplicate {
		// A server that failed to write a message remembers its id all the same,
		// and takes the retry for a duplicate of what is on no disk.
		if err := life.vouch(ctx); err != nil {
			return err
		}
	}
	if err := life.onDisk(ctx, ack.Stream, ack.Sequence); err != nil || copy() == nil {
		return err
	}
	return copy().Wait(ctx, ack.Sequence) // it has begun as soon as the sync here
}

func (s single) publish(ctx context.Context, n *nats.Msg) (*jetstream.PubAck, error) {
	ack, err := s.js.PublishMsg(ctx, n)
	if err != nil {
		return nil, refusal(err)
	}
	return ack, nil
}
