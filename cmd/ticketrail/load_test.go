package main_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

const (
	// loaders is how many senders post at once.
	loaders = 4
	// sendAgain is when a sender that got no 200 sends again to the same process.
	sendAgain = time.Second
)

// load posts simulated webhooks to whichever process is up, and remembers every
// answer of 200. A sender that got no answer sends again when the next process is
// up, as providers do.
type load struct {
	t         *testing.T
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
type fleet struct {
	senders  map[string]*sender.Sender
	replaced chan struct{} // closed when another process is up
}

// startLoad begins to post. The load ends with the test at the latest.
func startLoad(t *testing.T, to *process) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{
		t:         t,
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

// direct points the load to a process that takes webhooks.
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
	if before := l.current.Swap(&fleet{senders: senders, replaced: make(chan struct{})}); before != nil {
		close(before.replaced)
	}
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
		to := l.current.Load()
		answer, err := to.senders[webhook.Provider].Send(context.WithoutCancel(ctx), webhook.ID, webhook.Body)
		if err == nil && answer.OK() {
			l.note(answer.StreamSequence, domain.DigestBody(webhook.Body))
			return true
		}
		select {
		case <-to.replaced:
		case <-time.After(sendAgain):
		case <-ctx.Done():
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
	l.t.Helper()
	for len(l.answered) > 0 {
		<-l.answered
	}
	for n := range answers {
		select {
		case <-l.answered:
		case <-time.After(startTimeout):
			require.FailNow(l.t, "nothing is taken any more", "after %d of %d answers", n, answers)
		}
	}
}

// end stops posting and waits for what is under way.
func (l *load) end() {
	l.cancel()
	l.group.Wait()
}
