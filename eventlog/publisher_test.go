package eventlog_test

import (
	"context"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

const topic = "webhooks.ivy.shop.other"

func newPublisher(t *testing.T, embedded *eventlog.Embedded) *eventlog.Publisher {
	t.Helper()
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	return eventlog.NewPublisher(js, eventlog.PublisherConfig{})
}

// A published message says where it is stored, and the stream's own facts are not
// stored with it when it is published again.
func TestPublishGivesTheReceipt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	openLog(t, embedded, dir)
	publisher := newPublisher(t, embedded)

	m := message.NewMessage("", []byte("{}"))
	m.Metadata.Set(jetstream.MsgIDHeader, "one")
	require.NoError(t, publisher.Publish(topic, m))
	require.Equal(t, "1", m.Metadata.Get(eventlog.MetadataStreamSequence))
	require.Equal(t, "false", m.Metadata.Get(eventlog.MetadataDuplicate))
	require.NoError(t, publisher.Publish(topic, m))
	require.Equal(t, "1", m.Metadata.Get(eventlog.MetadataStreamSequence))
	require.Equal(t, "true", m.Metadata.Get(eventlog.MetadataDuplicate))

	header := rawMessage(t, embedded, eventlog.WebhooksStream, 1).Header
	require.Len(t, header, 1)
}

// What NATS would take as an order, or could not carry as it is, is not sent.
func TestPublishRefusesHostileMetadata(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	publisher := newPublisher(t, embedded)
	for name, value := range map[string]string{
		"Nats-Rollup":                 "all",
		"Nats-Expected-Last-Sequence": "0",
		"Nats-TTL":                    "1s",
		"Two\r\nNats-Rollup":          "all",
		"With:Colon":                  "x",
		"With Space":                  "x",
		"":                            "x",
		"Value":                       "a\r\nNats-Rollup: all",
		"Padded":                      " x",
	} {
		m := message.NewMessage("", []byte("{}"))
		m.Metadata.Set(name, value)
		require.ErrorIs(t, publisher.Publish(topic, m), eventlog.ErrUnfit, name)
	}
	require.ErrorIs(t, publisher.Publish(topic, message.NewMessage("a\nb", nil)), eventlog.ErrUnfit)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Zero(t, info.Last)
}

// A message is published under its own context, and a subject that no stream
// takes is an error.
func TestPublishEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	openLog(t, embedded, dir)
	publisher := newPublisher(t, embedded)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := publisher.Publish(topic, message.NewMessageWithContext(ctx, "", nil))
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, publisher.Publish("elsewhere", message.NewMessage("", nil)), eventlog.ErrUnavailable)
}

// A closed publisher publishes nothing, and leaves the connection to its owner.
func TestPublisherCloseLeavesTheConnection(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	publisher := newPublisher(t, embedded)
	require.NoError(t, publisher.Close())
	require.NoError(t, publisher.Close())
	require.ErrorIs(t, publisher.Publish(topic, message.NewMessage("", nil)), eventlog.ErrClosed)
	appendWebhook(t, log, webhook("", "{}"))
}
