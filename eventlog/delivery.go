package eventlog

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/ticketrail/ticketrail/domain"
)

// The metadata with which a Publisher and a Subscriber say where a message is in
// the stream. They are never sent.
const (
	// MetadataStreamSequence is the stream sequence, in decimal.
	MetadataStreamSequence = "ticketrail-stream-sequence"
	// MetadataDuplicate is "true" where the stream had a published message
	// already, and else "false".
	MetadataDuplicate = "ticketrail-duplicate"
	// MetadataStoredAt is when a delivered message was stored, as RFC 3339 with
	// nanoseconds, in UTC.
	MetadataStoredAt = "ticketrail-stored-at"
)

func isReceiptMetadata(name string) bool {
	return name == MetadataStreamSequence || name == MetadataDuplicate || name == MetadataStoredAt
}

// Delivery tells where in the stream a delivered message is.
type Delivery struct {
	Subject        string
	StreamSequence uint64
	// Pending is the number of messages that came after this one and were not
	// delivered yet, when this one was: at 0 the reader has caught up.
	Pending uint64
	// StoredAt is the stream's own timestamp.
	StoredAt time.Time
}

// DeliveryOf gives the delivery of a message that a [Subscriber] delivered, and
// nil for any other message.
func DeliveryOf(m *message.Message) *Delivery {
	if s := storedOf(m); s != nil {
		return &s.Delivery
	}
	return nil
}

// WebhookOf gives the webhook of a message that a [Subscriber] delivered, and nil
// for any other message.
func WebhookOf(m *message.Message) *domain.Webhook {
	if s := storedOf(m); s != nil {
		return s.webhook()
	}
	return nil
}

func storedOf(m *message.Message) *stored {
	s, _ := m.Context().Value(storedKey{}).(*stored)
	return s
}

type storedKey struct{}

// message gives a new, unacknowledged Watermill message of what is stored.
func (s *stored) message(ctx context.Context) *message.Message {
	m := message.NewMessage("", s.body)
	s.describe(m)
	m.SetContext(&deliveryContext{Context: ctx, stored: s, message: m})
	return m
}

// describe writes the headers and the delivery into the message's metadata.
// Headers of NATS itself stay behind, and of a repeated one the first is taken.
func (s *stored) describe(m *message.Message) {
	for name, values := range s.header {
		switch {
		case len(values) == 0 || strings.HasPrefix(name, natsPrefix):
		case name == headerUUID:
			m.UUID = values[0]
		default:
			m.Metadata.Set(name, values[0])
		}
	}
	m.Metadata.Set(MetadataStreamSequence, strconv.FormatUint(s.StreamSequence, 10))
	m.Metadata.Set(MetadataStoredAt, s.StoredAt.UTC().Format(time.RFC3339Nano))
}

// deliveryContext is the context of one delivered message: it ends when the
// message is acknowledged, or with the subscription. Watching for that costs a
// goroutine, which only a message whose Done is asked for gets.
type deliveryContext struct {
	context.Context // the subscription's
	stored          *stored
	message         *message.Message
	watched         sync.Once
	done            chan struct{}
}

func (c *deliveryContext) Done() <-chan struct{} {
	c.watched.Do(func() {
		c.done = make(chan struct{})
		go c.watch()
	})
	return c.done
}

func (c *deliveryContext) watch() {
	defer close(c.done)
	select {
	case <-c.message.Acked():
	case <-c.message.Nacked():
	case <-c.Context.Done():
	}
}

func (c *deliveryContext) Err() error {
	select {
	case <-c.Done():
	default:
		return nil
	}
	if err := c.Context.Err(); err != nil {
		return err
	}
	return context.Canceled
}

func (c *deliveryContext) Value(key any) any {
	if key == (storedKey{}) {
		return c.stored
	}
	return c.Context.Value(key)
}
