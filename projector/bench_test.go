package projector_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// BenchmarkLive commits a simulated stream to a read model as the program does while it
// serves, in batches of one size. The stream is in memory: what is measured is the
// projector and its store.
func BenchmarkLive(b *testing.B) {
	for _, size := range []int{1, 10, 100, 1000, 4096} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			log := remember(max(6000, min(100_000, 400*size)))
			var used time.Duration
			for b.Loop() {
				db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "1.db"))
				require.NoError(b, err)
				before := processorTime()
				require.NoError(b, projector.New(log, db, projector.Config{MaxBatch: size}).RunUntil(b.Context(), log.last()))
				used += processorTime() - before
				require.NoError(b, db.Close())
			}
			b.ReportMetric(float64(used.Nanoseconds())/1e3/float64(log.last())/float64(b.N), "cpu-µs/webhook")
		})
	}
}

// processorTime is what this process has used of the processors.
func processorTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// remembered is a stream in memory.
type remembered []*domain.Webhook

func (r remembered) last() uint64 { return uint64(len(r)) }

func (r remembered) Info(context.Context) (domain.StreamInfo, error) {
	return domain.StreamInfo{Identity: domain.StreamIdentity{Name: "memory"}, First: 1, Last: r.last()}, nil
}

func (r remembered) Webhook(_ context.Context, streamSequence uint64) (*domain.Webhook, error) {
	return r[streamSequence-1], nil
}

func (r remembered) Batches(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error] {
	return func(yield func(*eventlog.Batch, error) bool) {
		for at := int(from) - 1; at < len(r); at += most {
			if !yield(&eventlog.Batch{Webhooks: r[at:min(at+most, len(r))]}, nil) {
				return
			}
		}
		<-ctx.Done()
		yield(nil, ctx.Err())
	}
}

// remember makes up a stream: mostly Ordatic's small webhooks, those of 256 orders mixed.
func remember(webhooks int) (all remembered) {
	simulator, random := simulate.New(1), rand.New(rand.NewPCG(1, 1))
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var open [256][]simulate.Webhook
	for orders := 0; len(all) < webhooks; {
		one := &open[random.IntN(len(open))]
		if len(*one) == 0 {
			name := "ordatic"
			switch percent := random.IntN(100); {
			case percent < 7:
				name = "ivy"
			case percent < 12:
				name = "payway"
			case percent < 15:
				name = "runa"
			}
			orders++
			*one = simulator.Order(name, orders, began)
			continue
		}
		w := (*one)[0]
		*one = (*one)[1:]
		all = append(all, &domain.Webhook{
			Provider: w.Provider, Source: w.Provider, Event: w.Event, ID: w.ID, Body: w.Body, BodyDigest: domain.DigestBody(w.Body),
			ReceivedAt: domain.InstantOf(began.Add(time.Duration(len(all)) * time.Millisecond)), StreamSequence: uint64(len(all) + 1),
		})
	}
	return all
}
