package eventlog_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// A reader that is slow, over a stream of many small webhooks and of large ones, is
// sent nothing that there is no room for: the client never drops a message, and
// nothing is read twice.
func TestSlowReaderIsNeverSentTooMuch(t *testing.T) {
	t.Parallel()
	var complaints bytes.Buffer
	dir := t.TempDir()
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{
		Dir: dir, Logger: slog.New(slog.NewTextHandler(&complaints, nil)),
	})
	require.NoError(t, err)
	log, err := eventlog.Open(t.Context(), embedded.Conn(), eventlog.Config{
		Embedded: true, Dir: dir, Reading: embedded.Reading(),
	})
	require.NoError(t, err)
	const small, large = 12_000, 12
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	for i := range small {
		_, err := js.PublishAsync("webhooks.ordatic.shop.order-accepted", []byte(`{}`), jetstream.WithStallWait(patience))
		require.NoError(t, err)
		if i == small/2 {
			for range large {
				_, err := log.Append(t.Context(), &domain.Webhook{
					Provider: "ordatic", Source: "shop", Event: "other", Body: bytes.Repeat([]byte("x"), 4<<20),
				})
				require.NoError(t, err)
			}
		}
	}
	<-js.PublishAsyncComplete()

	// The server has sent all that it was asked for before the reader goes on.
	next := uint64(1)
	for batch, err := range log.Batches(patient(t), 1, 500) {
		require.NoError(t, err)
		for _, w := range batch.Webhooks {
			require.Equal(t, next, w.StreamSequence)
			next++
		}
		require.NoError(t, embedded.Reading().Flush())
		if next > small+large {
			break
		}
	}
	require.NoError(t, embedded.Close())
	require.NotContains(t, strings.ToLower(complaints.String()), "slow")
	require.NotContains(t, complaints.String(), "dropped")
}

// Webhooks whose bytes add up to exactly what a reader asks for at a time hold it up
// for a moment at the most: the server says nothing of a request that it used up so.
func TestReaderSurvivesARequestThatIsUsedUpExactly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	overhead := deliveryOverhead(t, embedded, log)
	const asked, large = 32 << 20, 8
	for i := range large + 1 {
		size := asked/large - overhead
		if i == large {
			size = 10
		}
		_, err := log.Append(t.Context(), &domain.Webhook{
			Provider: "ordatic", Source: "shop", Event: "other", Body: bytes.Repeat([]byte("x"), size),
		})
		require.NoError(t, err)
	}
	next := uint64(2)
	for batch, err := range log.Batches(patient(t), 2, 1) {
		require.NoError(t, err)
		require.Equal(t, next, batch.Webhooks[0].StreamSequence)
		if next++; next == large+3 {
			return
		}
	}
}

// deliveryOverhead is what a delivered webhook with a stream sequence of one digit takes
// beside its body. It stores one.
func deliveryOverhead(t *testing.T, embedded *eventlog.Embedded, log *eventlog.Log) int {
	t.Helper()
	_, err := log.Append(t.Context(), &domain.Webhook{Provider: "ordatic", Source: "shop", Event: "other", Body: []byte("x")})
	require.NoError(t, err)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	consumer, err := js.CreateConsumer(t.Context(), eventlog.WebhooksStream, jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true,
	})
	require.NoError(t, err)
	m, err := consumer.Next()
	require.NoError(t, err)
	return len(m.Subject()) + len(m.Reply())
}
