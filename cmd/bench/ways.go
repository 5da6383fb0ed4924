package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// way is a way to read the stream up to a stream sequence; those that make a read model
// make it at the path.
type way func(ctx context.Context, e *embedded, last uint64, model string) error

var ways = map[string]way{
	"ordered":    readOrdered,
	"batches":    readBatches,
	"subscriber": readSubscriber,
	"rebuild":    rebuildModel,
	"live":       projectLive,
	"router":     projectRouted,
}

// replay is the process that reads: a way, the stream's folder, the last stream
// sequence, and the path of a read model. It prints the sample.
func replay(arguments []string) (err error) {
	last, err := strconv.ParseUint(arguments[2], 10, 64)
	if err != nil {
		return err
	}
	ctx := context.Background()
	e, err := openEmbedded(ctx, arguments[1])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	begun, used := time.Now(), ownCPU()
	if err := ways[arguments[0]](ctx, e, last, arguments[3]); err != nil {
		return err
	}
	took := time.Since(begun)
	sample := contest.Sample{
		Rate: float64(last) / took.Seconds(),
		CPU:  (ownCPU() - used) / time.Duration(last),
	}
	sample.Memory = ownMemory()
	if model := arguments[3]; model != "" {
		if err := checkModel(ctx, e, last, model); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(sample)
}

// ownCPU gives the processor time of this process.
func ownCPU() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// ownMemory gives the most memory that this process had, in bytes.
func ownMemory() uint64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return uint64(used.Maxrss) << 10
}

// readOrdered is the yardstick: the client's own ordered consumer, which looks at
// where each message is and at nothing else.
func readOrdered(ctx context.Context, e *embedded, last uint64, _ string) error {
	js, err := jetstream.New(e.server.Reading())
	if err != nil {
		return err
	}
	consumer, err := js.OrderedConsumer(ctx, eventlog.WebhooksStream, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(readBatch))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for next := uint64(1); next <= last; next++ {
		m, err := messages.Next()
		if err != nil {
			return err
		}
		about, err := m.Metadata()
		if err != nil {
			return err
		}
		if about.Sequence.Stream != next {
			return fmt.Errorf("after %d comes %d", next-1, about.Sequence.Stream)
		}
	}
	return nil
}

// readBatches is what the projector does to read.
func readBatches(ctx context.Context, e *embedded, last uint64, _ string) error {
	next := uint64(1)
	for batch, err := range e.Batches(ctx, next, readBatch) {
		if err != nil {
			return err
		}
		for _, w := range batch.Webhooks {
			if w.StreamSequence != next {
				return fmt.Errorf("after %d comes %d", next-1, w.StreamSequence)
			}
			next++
		}
		if next > last {
			return nil
		}
	}
	return ctx.Err()
}

// readSubscriber is what any Watermill program would do with our Subscriber.
func readSubscriber(ctx context.Context, e *embedded, last uint64, _ string) error {
	js, err := jetstream.New(e.server.Reading())
	if err != nil {
		return err
	}
	subscriber := eventlog.NewSubscriber(js, eventlog.SubscriberConfig{Stream: eventlog.WebhooksStream})
	messages, err := subscriber.Subscribe(ctx, "webhooks.>")
	if err != nil {
		return err
	}
	for next := uint64(1); next <= last; next++ {
		m := <-messages
		if at := eventlog.DeliveryOf(m).StreamSequence; at != next {
			return fmt.Errorf("after %d comes %d", next-1, at)
		}
		m.Ack()
	}
	return subscriber.Close()
}

// rebuildModel makes a read model as a rebuild does.
func rebuildModel(ctx context.Context, e *embedded, last uint64, model string) error {
	loader, err := sqlite.NewLoader(ctx, model, 0)
	if err != nil {
		return err
	}
	if err := projector.New(e.Log, loader, projector.Config{}).RunUntil(ctx, last); err != nil {
		return errors.Join(err, loader.Close())
	}
	return loader.Finish(ctx)
}

// projectLive makes one as the program does that serves, in batches of another size.
func projectLive(ctx context.Context, e *embedded, last uint64, model string) error {
	db, err := sqlite.Open(ctx, model)
	if err != nil {
		return err
	}
	settings := projector.Config{MaxBatch: readBatch / 5}
	return errors.Join(projector.New(e.Log, db, settings).RunUntil(ctx, last), db.Close())
}

// checkModel checks that a read model has all of the stream up to a stream sequence, by
// its digest chain, and that what became of the webhooks adds up.
func checkModel(ctx context.Context, e *embedded, last uint64, model string) (err error) {
	db, err := sqlite.Open(ctx, model)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	at, err := db.Checkpoint(ctx)
	if err != nil {
		return err
	}
	chain, err := chainOf(ctx, e, last)
	switch {
	case err != nil:
		return err
	case at.StreamSequence != last || at.Chain != chain:
		return fmt.Errorf("the read model is at %d with another digest than the stream has at %d", at.StreamSequence, last)
	case at.Counts.Sum() != last || at.Counts.Quarantined > 0:
		return fmt.Errorf("at %d the counts are %+v", last, at.Counts)
	}
	return nil
}

func chainOf(ctx context.Context, e *embedded, last uint64) (chain domain.Digest, err error) {
	for batch, err := range e.Batches(ctx, 1, readBatch) {
		if err != nil {
			return chain, err
		}
		for _, w := range batch.Webhooks {
			if chain = w.Chain(chain); w.StreamSequence == last {
				return chain, nil
			}
		}
	}
	return chain, ctx.Err()
}
