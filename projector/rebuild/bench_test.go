package rebuild_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// orders is how many simulated orders of each provider the benchmarks read.
const orders = 1000

// BenchmarkStream compares what a rebuild does with a stream against reading it.
func BenchmarkStream(b *testing.B) {
	log := projectortest.StartBroker(b, b.TempDir())
	last := fill(b, log)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			var read uint64
			for batch, err := range log.Batches(b.Context(), 1, 4096) {
				require.NoError(b, err)
				read = batch.Webhooks[len(batch.Webhooks)-1].StreamSequence
				batch.Ack()
				if read == last {
					break
				}
			}
		}
		report(b, last)
	})
	b.Run("rebuild", func(b *testing.B) {
		dir := b.TempDir()
		for i := 0; b.Loop(); i++ {
			db, err := sqlite.OpenScratch(b.Context(), filepath.Join(dir, fmt.Sprint(i)))
			require.NoError(b, err)
			require.NoError(b, projector.New(log, db, projector.Config{}).RunUntil(b.Context(), last))
			require.NoError(b, db.Close())
		}
		report(b, last)
	})
}

func report(b *testing.B, webhooks uint64) {
	b.ReportMetric(float64(webhooks)*float64(b.N)/b.Elapsed().Seconds(), "webhooks/s")
}

// fill puts simulated orders on the stream, from many senders at once.
func fill(b *testing.B, log *projectortest.Broker) (last uint64) {
	b.Helper()
	simulator := simulate.New(1)
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var senders errgroup.Group
	senders.SetLimit(16)
	var newest atomic.Uint64
	for _, p := range provider.All() {
		for n := range orders {
			senders.Go(func() error {
				for _, w := range simulator.Order(p.Name(), n, began) {
					receipt, err := log.Append(context.Background(), &domain.Webhook{
						Provider: p.Name(), Source: p.Name(), Event: w.Event, ID: w.ID, Body: w.Body,
					})
					if err != nil {
						return err
					}
					for old := newest.Load(); receipt.StreamSequence > old && !newest.CompareAndSwap(old, receipt.StreamSequence); {
						old = newest.Load()
					}
				}
				return nil
			})
		}
	}
	require.NoError(b, senders.Wait())
	return newest.Load()
}
