package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/cmd/bench/load"
	"github.com/ticketrail/ticketrail/eventlog"
)

// publishers is how many publish at once.
const publishers = 64

// watermillContests measure what Watermill's interface costs a publisher. What it costs
// a reader is among the replays.
func (b *bench) watermillContests() []*contest.Contest {
	publishing := func(name, way string) contest.Contestant {
		return contest.Contestant{Name: name, Run: func(ctx context.Context) (sample contest.Sample, err error) {
			dir, err := os.MkdirTemp(b.dir, "publishing-")
			if err != nil {
				return sample, err
			}
			err = ask(ctx, &sample, "publishing", way, dir, b.length.String(), fmt.Sprint(b.nextSeed()), fmt.Sprint(b.webhooks))
			return sample, errors.Join(err, os.RemoveAll(dir))
		}}
	}
	return []*contest.Contest{{
		Path:        fmt.Sprintf("publish, %d at once, not synced", publishers),
		Contestants: []contest.Contestant{publishing("js.PublishMsg", "bare"), publishing("Watermill Publisher", "watermill")},
		Comparisons: []contest.Comparison{
			{What: "js.PublishMsg", Against: "js.PublishMsg"},
			{What: "Watermill Publisher", Against: "js.PublishMsg"},
		},
	}}
}

// publishing is the process that publishes: a way, a folder, for how long, a seed and
// how many messages there are. It prints the sample.
func publishing(arguments []string) error {
	length, err := time.ParseDuration(arguments[2])
	if err != nil {
		return err
	}
	var seed uint64
	var most int
	if _, err := fmt.Sscan(arguments[3]+" "+arguments[4], &seed, &most); err != nil {
		return err
	}
	b, err := startBroker(arguments[1], false)
	if err != nil {
		return err
	}
	sample, err := b.publish(arguments[0], length, load.NewMix(seed), most)
	if err := errors.Join(err, b.close()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(sample)
}

// publish publishes from many goroutines, and checks that the stream has each message.
func (b *broker) publish(way string, length time.Duration, mix *load.Mix, most int) (sample contest.Sample, err error) {
	ctx := context.Background()
	log, err := b.open(ctx)
	if err != nil {
		return sample, err
	}
	js, err := jetstream.New(b.conn)
	if err != nil {
		return sample, err
	}
	publish, ready, err := publisher(ctx, way, js, mix, most)
	if err != nil {
		return sample, err
	}
	var next, published atomic.Int64
	begun, used := time.Now(), ownCPU()
	var group errgroup.Group
	for range publishers {
		group.Go(func() error {
			for n := int(next.Add(1)) - 1; n < ready && time.Since(begun) < length; n = int(next.Add(1)) - 1 {
				if err := publish(n); err != nil {
					return err
				}
				published.Add(1)
			}
			return nil
		})
	}
	err = group.Wait()
	took, used := time.Since(begun), ownCPU()-used
	info, failed := log.Info(ctx)
	if err := errors.Join(err, failed); err != nil {
		return sample, err
	}
	if info.Messages != uint64(published.Load()) {
		return sample, fmt.Errorf("%d messages were acknowledged, and the stream has %d", published.Load(), info.Messages)
	}
	return contest.Sample{Rate: float64(published.Load()) / took.Seconds(), CPU: used / time.Duration(published.Load())}, nil
}

// publisher makes messages ready, and gives what publishes one by its number.
func publisher(ctx context.Context, way string, js jetstream.JetStream, mix *load.Mix, most int) (publish func(n int) error, ready int, err error) {
	type topical struct {
		topic string
		*message.Message
	}
	var messages []topical
	var bare []*nats.Msg
	for w := range mix.Webhooks(0, most) {
		topic, m, err := eventlog.NewMessage(w.Webhook)
		if err != nil {
			return nil, 0, err
		}
		n, err := messageOf(w)
		if err != nil {
			return nil, 0, err
		}
		m.SetContext(ctx)
		messages, bare = append(messages, topical{topic, m}), append(bare, n)
		if len(bare) == most {
			break
		}
	}
	if way == "bare" {
		return func(n int) error {
			_, err := js.PublishMsg(ctx, bare[n])
			return err
		}, len(bare), nil
	}
	p := eventlog.NewPublisher(js, eventlog.PublisherConfig{})
	return func(n int) error { return p.Publish(messages[n].topic, messages[n].Message) }, len(messages), nil
}
