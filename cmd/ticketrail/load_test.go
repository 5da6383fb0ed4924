package main_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

// loaders is how many senders post at once.
const loaders = 4

// load posts simulated webhooks to whichever process is up, and remembers every
// answer of 200. A sender that got no answer sends again when the next process is
// up, as providers do.
type load struct {
	simulator *simulate.Simulator
	current   atomic.Pointer[fleet]
	answered  chan struct{} // one token for each 200, lost where nobody waits
	cancel    context.CancelFunc
	group     sync.WaitGroup

	mu     sync.Mutex
	stored map[uint64]domain.Digest // bodies by stream sequence, of every 200
	doubts []uint64                 // stream sequences that were given to two bodies
}

// fleet is the senders to one process.
type fleet struct{ senders map[string]*sender.Sender }

// startLoad begins to post. The load ends with the test at the latest.
func startLoad(t *testing.T, to *process) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{
		simulator: simulate.New(1),
		answered:  make(chan struct{}, 1024),
		cancel:    cancel,
		stored:    map[uint64]domain.Digest{},
	}
	l.direct(t, to)
	for loader := range loaders {
		l.group.Go(func() { l.post(ctx, loader) })
	}
	t.Cleanup(l.end)
	return l
}

// direct points the load to a process.
func (l *load) direct(t *testing.T, to *process) {
	t.Helper()
	senders := map[string]*sender.Sender{}
	for i, source := range to.sources(t) {
		adapter, _ := provider.Named(source.Provider)
		senders[source.Provider] = &sender.Sender{
			Client:   &http.Client{Timeout: 10 * time.Second},
			URL:      to.addresses.Sources[i].URL,
			Provider: adapter,
			Secret:   source.Secrets[0].Reveal(),
		}
	}
	l.current.Store(&fleet{senders})
}

// post sends orders one after the other, until ctx ends.
func (l *load) post(ctx context.Context, loader int) {
	random := rand.New(rand.NewPCG(1, uint64(loader)))
	providers := provider.All()
	for n := loader; ; n += loaders {
		webhooks := l.simulator.Order(providers[n%len(providers)].Name(), n, time.Unix(1_700_000_000, 0))
		for _, webhook := range simulate.Disorder(random, webhooks, simulate.Faults{Delay: time.Hour, Repeat: 0.2}) {
			if !l.deliver(ctx, webhook) {
				return
			}
		}
	}
}

// deliver sends one webhook until it is answered with 200; false when ctx ended.
// What is under way then is still waited for: it may be stored any moment.
func (l *load) deliver(ctx context.Context, webhook simulate.Webhook) bool {
	for ctx.Err() == nil {
		to := l.current.Load().senders[webhook.Provider]
		answer, err := to.Send(context.WithoutCancel(ctx), webhook.ID, webhook.Body)
		if err == nil && answer.OK() {
			l.note(answer.StreamSequence, domain.DigestBody(webhook.Body))
			return true
		}
	}
	return false
}

func (l *load) note(streamSequence uint64, body domain.Digest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.stored[streamSequence]; ok && known != body {
		l.doubts = append(l.doubts, streamSequence)
	}
	l.stored[streamSequence] = body
	select {
	case l.answered <- struct{}{}:
	default:
	}
}

// wait returns after so many more answers of 200.
func (l *load) wait(answers int) {
	for len(l.answered) > 0 {
		<-l.answered
	}
	for range answers {
		<-l.answered
	}
}

// end stops posting and waits for what is under way.
func (l *load) end() {
	l.cancel()
	l.group.Wait()
}
