package rebuild_test

import (
	"cmp"
	"context"
	"flag"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

var (
	benchOrders = flag.Int("orders", 20_000, "orders of Ordatic on the stream that BenchmarkStream reads")
	benchStream = flag.String("stream", "", "a folder to keep that stream in, so that the next run need not fill it")
)

// BenchmarkStream compares what a rebuild does with a stream against reading it: by an
// ordered consumer of the client library, and in our own batches. Each round does all
// three, so that what else the machine does meets them alike.
func BenchmarkStream(b *testing.B) {
	dir := cmp.Or(*benchStream, b.TempDir())
	log := projectortest.StartBroker(b, dir)
	last := fill(b, log)
	ways := []struct {
		name string
		read func(context.Context) error
		took []time.Duration
		cpu  time.Duration
	}{
		{name: "consumer", read: func(ctx context.Context) error { return readBare(ctx, log, last) }},
		{name: "batches", read: func(ctx context.Context) error { return readBatches(ctx, log, last) }},
		{name: "rebuild", read: func(ctx context.Context) error {
			return build(ctx, log, filepath.Join(b.TempDir(), "model.sqlite"), last)
		}},
	}
	for b.Loop() {
		for i := range ways {
			begun, cpu := time.Now(), cpuTime()
			require.NoError(b, ways[i].read(b.Context()))
			ways[i].took = append(ways[i].took, time.Since(begun))
			ways[i].cpu += cpuTime() - cpu
		}
	}
	yardstick := median(ways[0].took)
	for _, way := range ways {
		b.ReportMetric(float64(last)/median(way.took).Seconds(), way.name+"/s")
		b.ReportMetric(float64(way.cpu.Nanoseconds())/1e3/float64(last)/float64(len(way.took)), way.name+"-cpu-µs")
		b.ReportMetric(yardstick.Seconds()/median(way.took).Seconds(), way.name+"-ratio")
	}
}

// cpuTime is what the process has used of the processors, server included: less
// noisy than a rate where others use them too.
func cpuTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func median(took []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(took))[len(took)/2]
}

func readBare(ctx context.Context, log *projectortest.Broker, last uint64) error {
	js, err := jetstream.New(log.Server().Conn())
	if err != nil {
		return err
	}
	consumer, err := js.OrderedConsumer(ctx, eventlog.WebhooksStream, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(4096))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next()
		if err != nil {
			return err
		}
		about, err := m.Metadata()
		if err != nil || about.Sequence.Stream == last {
			return err
		}
	}
}

func readBatches(ctx context.Context, log *projectortest.Broker, last uint64) error {
	for batch, err := range log.Batches(ctx, 1, 4096) {
		if err != nil {
			return err
		}
		if batch.Webhooks[len(batch.Webhooks)-1].StreamSequence == last {
			break
		}
	}
	return nil
}

func build(ctx context.Context, log *projectortest.Broker, path string, last uint64) error {
	loader, err := sqlite.NewLoader(ctx, path, 0)
	if err != nil {
		return err
	}
	if err := projector.New(log, loader, projector.Config{}).RunUntil(ctx, last); err != nil {
		return err
	}
	return loader.Finish(ctx)
}

// fill puts simulated orders on the stream, unless it holds some: most of them
// Ordatic's, whose webhooks are small, and about one in a hundred of each other
// provider. Some thousand orders are under way at a time.
func fill(b *testing.B, log *projectortest.Broker) (last uint64) {
	b.Helper()
	info, err := log.Info(b.Context())
	require.NoError(b, err)
	if info.Last > 0 {
		return info.Last
	}
	simulator := simulate.New(1)
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	type dated struct {
		simulate.Webhook
		at time.Time
	}
	var all []dated
	for n := range *benchOrders {
		at := began.Add(time.Duration(n) * time.Second)
		providers := []string{"ordatic"}
		if n%100 == 0 {
			providers = []string{"ordatic", "ivy", "payway", "runa"}
		}
		for _, p := range providers {
			for _, w := range simulator.Order(p, n, at) {
				all = append(all, dated{w, at.Add(w.After)})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y dated) int { return x.at.Compare(y.at) })
	var senders errgroup.Group
	senders.SetLimit(256)
	for _, w := range all {
		senders.Go(func() error {
			_, err := log.Append(context.Background(), &domain.Webhook{
				Provider: w.Provider, Source: w.Provider, Event: w.Event, ID: w.ID, Body: w.Body,
			})
			return err
		})
	}
	require.NoError(b, senders.Wait())
	info, err = log.Info(b.Context())
	require.NoError(b, err)
	b.Logf("%d webhooks", info.Last)
	return info.Last
}
