package eventlog_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// One webhook is one sync, however many senders there are.
func BenchmarkAppend(b *testing.B) {
	for _, senders := range []int{1, 64} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			log := newLog(b)
			w := webhook("", `{"eventType":"order-accepted","storeId":"s","data":{"orderId":"o"}}`)
			b.SetParallelism(senders)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := log.Append(b.Context(), w); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// Reading through the Watermill subscriber, against the consumer beneath it.
func BenchmarkBatches(b *testing.B) {
	const stored = 50_000
	dir := b.TempDir()
	embedded := startEmbedded(b, dir)
	log := openLog(b, embedded, dir)
	publishMany(b, embedded, stored)

	b.Run("consumer", func(b *testing.B) {
		for range b.N {
			readBare(b, embedded, stored)
		}
		b.ReportMetric(float64(stored*b.N)/b.Elapsed().Seconds(), "webhooks/s")
	})
	b.Run("batches", func(b *testing.B) {
		for range b.N {
			readBatches(b, log, stored)
		}
		b.ReportMetric(float64(stored*b.N)/b.Elapsed().Seconds(), "webhooks/s")
	})
}

func publishMany(b *testing.B, embedded *eventlog.Embedded, n int) {
	js, err := jetstream.New(embedded.Conn())
	require.NoError(b, err)
	for i := range n {
		_, err := js.PublishAsync("webhooks.ordatic.shop.order-accepted", fmt.Appendf(nil,
			`{"eventType":"order-accepted","storeId":"store-7","data":{"orderId":"o-%d"}}`, i), jetstream.WithStallWait(patience))
		require.NoError(b, err)
	}
	<-js.PublishAsyncComplete()
}

func readBare(b *testing.B, embedded *eventlog.Embedded, n uint64) {
	js, err := jetstream.New(embedded.Conn())
	require.NoError(b, err)
	consumer, err := js.OrderedConsumer(b.Context(), eventlog.WebhooksStream, jetstream.OrderedConsumerConfig{})
	require.NoError(b, err)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(4096))
	require.NoError(b, err)
	defer messages.Stop()
	for {
		m, err := messages.Next()
		require.NoError(b, err)
		about, err := m.Metadata()
		require.NoError(b, err)
		if about.Sequence.Stream == n {
			return
		}
	}
}

func readBatches(b *testing.B, log *eventlog.Log, n uint64) {
	for batch, err := range log.Batches(context.Background(), 1, 1000) {
		require.NoError(b, err)
		if batch.Webhooks[len(batch.Webhooks)-1].StreamSequence == n {
			return
		}
	}
}
