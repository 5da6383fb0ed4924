package archive_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// BenchmarkAppend gives what an archive costs those who wait for an answer: 64 at once,
// with bodies of 1 KiB.
func BenchmarkAppend(b *testing.B) {
	for _, archived := range []bool{false, true} {
		b.Run(fmt.Sprint("archived=", archived), func(b *testing.B) {
			dir := b.TempDir()
			server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
			require.NoError(b, err)
			defer func() { require.NoError(b, server.Close()) }()
			log, err := eventlog.Open(b.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: dir})
			require.NoError(b, err)
			if archived {
				defer follow(b, log)()
			}
			text := strings.Repeat("order ", 1024/6)
			var sent atomic.Int64
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					body := fmt.Appendf(nil, `{"n":%d,"text":%q}`, sent.Add(1), text)
					_, err := log.Append(b.Context(), &domain.Webhook{Provider: "ivy", Source: "shop", Event: "order_updated", Body: body})
					require.NoError(b, err)
				}
			})
		})
	}
}

// BenchmarkGroup is what a group takes of the processors, its sync included: of a webhook
// that came alone, and of as many as share one at 64 connections.
func BenchmarkGroup(b *testing.B) {
	body := []byte(`{"eventType":"order-accepted","storeId":"store-7","data":{"orderId":"o-1"}}`)
	for _, size := range []int{1, 32} {
		b.Run(fmt.Sprint("webhooks=", size), func(b *testing.B) {
			w, err := archive.Open(b.TempDir(), stream)
			require.NoError(b, err)
			defer func() { require.NoError(b, w.Close()) }()
			entries := make([]archive.Entry, size)
			begun := used()
			for b.Loop() {
				for i := range entries {
					entries[i] = archive.Entry{Webhook: &domain.Webhook{
						StreamSequence: w.Last().StreamSequence + uint64(i) + 1,
						Provider:       "ordatic", Source: "shop", Event: "order-accepted", Body: body,
					}}
				}
				require.NoError(b, w.Append(entries))
			}
			b.ReportMetric(float64((used()-begun).Nanoseconds())/1e3/float64(size*b.N), "cpu-µs/webhook")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// used gives the processor time of this process.
func used() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // it knows this process
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// follow has a new archive follow a stream, until stop is called.
func follow(b *testing.B, log *eventlog.Log) (stop func()) {
	info, err := log.Info(b.Context())
	require.NoError(b, err)
	w, err := archive.Open(b.TempDir(), info.Identity)
	require.NoError(b, err)
	k := archive.NewKeeper(log, w, nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Run(ctx)
	}()
	log.AnswerAfter(k)
	return func() {
		cancel()
		<-done
		require.NoError(b, w.Close())
	}
}
