package orders_test

import (
	"bytes"
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/orders"
)

// backlog gives so many changes, in runs as large as the feed's, and tells when more than
// those are asked for.
type backlog struct {
	changes int
	over    chan struct{}
}

func (b backlog) Newest(context.Context) (uint64, error)              { return 0, nil }
func (b backlog) Info(context.Context) (_ domain.StreamInfo, _ error) { return }

func (b backlog) Follow(_ context.Context, after uint64) (func(context.Context) ([]orders.Change, error), func(), error) {
	data := bytes.Repeat([]byte("x"), 1200)
	return func(ctx context.Context) (run []orders.Change, err error) {
		for ; len(run) < 128 && int(after) < b.changes; after++ {
			c := change(after + 1)
			c.Data = data
			run = append(run, c)
		}
		if len(run) == 0 {
			close(b.over)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return run, nil
	}, func() {}, nil
}

// BenchmarkPublish publishes a backlog on the embedded broker.
func BenchmarkPublish(b *testing.B) {
	const changes = 20_000
	var used time.Duration
	for b.Loop() {
		server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: b.TempDir()})
		require.NoError(b, err)
		from := backlog{changes, make(chan struct{})}
		before := processorTime()
		publisher, err := orders.New(b.Context(), orders.Config{
			Conn: server.Reading(), Source: from, Newest: from.Newest, Log: from, MaxBytes: 64 << 20, MaxAge: time.Hour, Registerer: prometheus.NewRegistry(),
		})
		require.NoError(b, err)
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- publisher.Run(ctx) }()
		<-from.over
		used += processorTime() - before
		stop()
		require.NoError(b, <-ended)
		require.NoError(b, server.Close())
	}
	b.ReportMetric(float64(used.Nanoseconds())/1e3/changes/float64(b.N), "cpu-µs/change")
	b.ReportMetric(0, "ns/op")
}

// processorTime is what this process has used of the processors.
func processorTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
