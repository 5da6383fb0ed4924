package archive_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

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
