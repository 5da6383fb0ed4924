package eventlog_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// subscribe starts a subscriber on a stream of n webhooks.
func subscribe(t *testing.T, n int, config eventlog.SubscriberConfig) (<-chan *message.Message, *eventlog.Subscriber) {
	t.Helper()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	fill(t, openLog(t, embedded, dir), n)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	config.Stream = eventlog.WebhooksStream
	subscriber := eventlog.NewSubscriber(js, config)
	t.Cleanup(func() { require.NoError(t, subscriber.Close()) })
	messages, err := subscriber.Subscribe(t.Context(), "webhooks.>")
	require.NoError(t, err)
	return messages, subscriber
}

// receive takes the next message, which must be that of the stream sequence.
func receive(t *testing.T, messages <-chan *message.Message, sequence uint64) *message.Message {
	t.Helper()
	select {
	case m, open := <-messages:
		require.True(t, open)
		require.Equal(t, sequence, eventlog.DeliveryOf(m).StreamSequence)
		return m
	case <-patient(t).Done():
		require.FailNow(t, "nothing was delivered")
		return nil
	}
}

// A delivered message says where it is in the stream, for readers of metadata and
// for those in a hurry.
func TestSubscriberSaysWhereAMessageIs(t *testing.T) {
	t.Parallel()
	messages, _ := subscribe(t, 3, eventlog.SubscriberConfig{From: func() uint64 { return 2 }})
	m := receive(t, messages, 2)
	delivery := eventlog.DeliveryOf(m)
	require.Equal(t, "webhooks.ivy.shop.order_updated", delivery.Subject)
	require.EqualValues(t, 1, delivery.Pending)
	require.Equal(t, "2", m.Metadata.Get(eventlog.MetadataStreamSequence))
	require.Equal(t, delivery.StoredAt.UTC().Format(time.RFC3339Nano), m.Metadata.Get(eventlog.MetadataStoredAt))
	require.Equal(t, `{"n":1}`, string(eventlog.WebhookOf(m).Body))

	require.Nil(t, eventlog.DeliveryOf(message.NewMessage("", nil)))
	require.Nil(t, eventlog.WebhookOf(message.NewMessage("", nil)))
}

// No more messages are out than may be in flight; acknowledging the oldest makes
// room, in whatever order they are acknowledged.
func TestSubscriberKeepsItsWindow(t *testing.T) {
	t.Parallel()
	messages, _ := subscribe(t, 6, eventlog.SubscriberConfig{InFlight: 3})
	out := []*message.Message{receive(t, messages, 1), receive(t, messages, 2), receive(t, messages, 3)}
	out[2].Ack()
	out[1].Ack()
	require.Empty(t, messages)
	out[0].Ack()
	for sequence := range uint64(3) {
		receive(t, messages, 4+sequence).Ack()
	}
}

// A refused message comes again and all after it too, in order, however often it
// is refused.
func TestSubscriberRewindsToARefusedMessage(t *testing.T) {
	t.Parallel()
	messages, _ := subscribe(t, 4, eventlog.SubscriberConfig{InFlight: 2})
	receive(t, messages, 1).Ack()
	for range 5 {
		refused := receive(t, messages, 2)
		receive(t, messages, 3).Ack()
		refused.Nack()
	}
	for sequence := uint64(2); sequence <= 4; sequence++ {
		receive(t, messages, sequence).Ack()
	}
}

// What a handler does to a message does not change what is delivered again.
func TestSubscriberDeliversAFreshMessageAgain(t *testing.T) {
	t.Parallel()
	messages, _ := subscribe(t, 1, eventlog.SubscriberConfig{})
	first := receive(t, messages, 1)
	first.Metadata.Set("changed", strconv.FormatBool(true))
	first.SetContext(context.Background())
	first.Nack()
	again := receive(t, messages, 1)
	require.NotSame(t, first, again)
	require.Empty(t, again.Metadata.Get("changed"))
	require.NoError(t, again.Context().Err())
}

// The context of a message ends when it is settled, or with the subscription.
func TestSubscriberEndsTheContextOfAMessage(t *testing.T) {
	t.Parallel()
	messages, subscriber := subscribe(t, 2, eventlog.SubscriberConfig{})
	settled, open := receive(t, messages, 1), receive(t, messages, 2)
	for _, m := range []*message.Message{settled, open} {
		require.NoError(t, m.Context().Err())
	}
	settled.Ack()
	<-settled.Context().Done()
	require.ErrorIs(t, settled.Context().Err(), context.Canceled)

	require.NoError(t, subscriber.Close())
	<-open.Context().Done()
	require.ErrorIs(t, open.Context().Err(), context.Canceled)
}

// Close ends every subscription, with messages under way or not, and none starts
// after it.
func TestSubscriberClose(t *testing.T) {
	t.Parallel()
	messages, subscriber := subscribe(t, 100, eventlog.SubscriberConfig{InFlight: 10})
	receive(t, messages, 1)
	require.NoError(t, subscriber.Close())
	_, open := <-messages
	require.False(t, open)
	_, err := subscriber.Subscribe(t.Context(), "webhooks.>")
	require.ErrorIs(t, err, eventlog.ErrClosed)
	require.NoError(t, subscriber.Close())
}
