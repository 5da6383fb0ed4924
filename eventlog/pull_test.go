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

	// Nothing is acknowledged until the reader holds as much as it may.
	next := uint64(1)
	var held []*eventlog.Batch
	for batch, err := range log.Batches(patient(t), 1, 500) {
		require.NoError(t, err)
		for _, w := range batch.Webhooks {
			require.Equal(t, next, w.StreamSequence)
			next++
		}
		if held = append(held, batch); len(held) < 8 && next <= small {
			continue
		}
		for _, b := range held {
			b.Ack()
		}
		if held = nil; next > small+large {
			break
		}
	}
	require.NoError(t, embedded.Close())
	require.NotContains(t, strings.ToLower(complaints.String()), "slow")
	require.NotContains(t, complaints.String(), "dropped")
}
