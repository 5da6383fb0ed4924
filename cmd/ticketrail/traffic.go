package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

const (
	// openOrders is how many orders of each provider are under way at once: their
	// webhooks come mixed, as those of many shops do.
	openOrders = 12
	// posters is how many webhooks are posted at once.
	posters = 8
	// repeated is the share of webhooks that are sent again.
	repeated = 0.15
)

// traffic is what simulated shops send to the sources of one program.
type traffic struct {
	simulator *simulate.Simulator
	random    *rand.Rand
	senders   map[string]*sender.Sender // by provider
	began     time.Time
	tally     tally
}

// tally counts what was sent and answered. It is safe for concurrent use.
type tally struct {
	sent, stored, known, refused, unanswered atomic.Uint64
}

// newTraffic makes the shops of the sources, one for each: it takes those that a
// start without configuration makes, one of each provider.
func newTraffic(seed uint64, ingest string, sources []config.Source) *traffic {
	client := &http.Client{Timeout: sendTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: posters}}
	senders := make(map[string]*sender.Sender, len(sources))
	for _, source := range sources {
		adapter, _ := provider.Named(source.Provider) // config has made the source from it
		senders[source.Provider] = &sender.Sender{
			Client:   client,
			URL:      ingest + "/webhooks/" + source.Name,
			Provider: adapter,
			Secret:   source.Secrets[0].Reveal(),
		}
	}
	return &traffic{
		simulator: simulate.New(seed),
		random:    rand.New(rand.NewPCG(seed, 1)),
		senders:   senders,
		began:     time.Now(),
	}
}

// run sends until ctx ends, at most so many webhooks a second.
func (t *traffic) run(ctx context.Context, perSecond float64) {
	pace := rate.NewLimiter(rate.Limit(perSecond), 1)
	var group errgroup.Group
	group.SetLimit(posters)
	for webhook := range t.webhooks() {
		if pace.Wait(ctx) != nil {
			break
		}
		group.Go(func() error {
			t.post(ctx, webhook)
			return nil
		})
	}
	_ = group.Wait() // a post that fails is tallied
}

// post sends one webhook, and is not cut off by the end of the traffic: what is
// on its way is answered.
func (t *traffic) post(ctx context.Context, webhook simulate.Webhook) {
	t.tally.sent.Add(1)
	answer, err := t.senders[webhook.Provider].Send(context.WithoutCancel(ctx), webhook.ID, webhook.Body)
	switch {
	case err != nil:
		t.tally.unanswered.Add(1)
	case !answer.OK():
		t.tally.refused.Add(1)
	case answer.Duplicate:
		t.tally.known.Add(1)
	default:
		t.tally.stored.Add(1)
	}
}

// webhooks gives the webhooks of ever new orders, those of many orders mixed, and
// those of each order late, out of order and repeated.
func (t *traffic) webhooks() iter.Seq[simulate.Webhook] {
	return func(yield func(simulate.Webhook) bool) {
		var open [][]simulate.Webhook
		providers := provider.All()
		for next := 0; ; {
			for len(open) < openOrders*len(providers) {
				open = append(open, t.order(providers[next%len(providers)].Name(), next/len(providers)))
				next++
			}
			i := t.random.IntN(len(open))
			if !yield(open[i][0]) {
				return
			}
			if open[i] = open[i][1:]; len(open[i]) == 0 {
				open[i] = open[len(open)-1]
				open = open[:len(open)-1]
			}
		}
	}
}

// order gives an order's webhooks as they arrive. Delays are a part of the time
// that the order takes, so that some change places whatever its pace.
func (t *traffic) order(provider string, n int) []simulate.Webhook {
	webhooks := t.simulator.Order(provider, n, t.began)
	took := webhooks[len(webhooks)-1].After
	return simulate.Disorder(t.random, webhooks, simulate.Faults{Delay: took/3 + time.Second, Repeat: repeated})
}

// explains tells whether a stream that nobody else writes to can end at this
// stream sequence: it holds every webhook that was answered with 200 as new, and
// may hold those that were not answered, or refused with a 503.
func (t *tally) explains(last uint64) bool {
	stored, doubtful := t.stored.Load(), t.refused.Load()+t.unanswered.Load()
	return stored <= last && last <= stored+doubtful
}

// String gives the counts in a few words.
func (t *tally) String() string {
	words := fmt.Sprintf("sent %d, answered 200: %d", t.sent.Load(), t.stored.Load()+t.known.Load())
	if n := t.refused.Load(); n > 0 {
		words += fmt.Sprintf(", refused %d", n)
	}
	if n := t.unanswered.Load(); n > 0 {
		words += fmt.Sprintf(", not answered %d", n)
	}
	return words
}
