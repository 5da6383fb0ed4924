package faults_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

const (
	// clients is how many senders send at once.
	clients = 4
	// canary begins a text that is in every body, and may be in no log.
	canary = "canary-"
	// sendLimit bounds one request: an ingest answers long before.
	sendLimit = 30 * time.Second
	// largeSize is more than a connection takes of what nobody reads, but for a few.
	largeSize = 1 << 20
)

// senders are those who send to one data folder, through all the programs that
// come and go on it. What was not answered is sent again to the next program.
type senders struct {
	sources []config.Source
	history *history
	clients []*client
	through func(http.RoundTripper) http.RoundTripper // that looks at what comes and goes, or nil
	large   atomic.Bool                               // some webhooks are, meanwhile
}

// client sends one webhook after the other.
type client struct {
	senders   *senders // of whom it is one
	number    int
	random    *rand.Rand
	simulator *simulate.Simulator
	orders    int
	queue     []simulate.Webhook
	last      *parcel // what was sent last
	again     bool    // and was not answered
	answer    sender.Answer
	past      []*parcel // what was sent before
	made      int
}

// parcel is a webhook as one client sends it.
type parcel struct {
	source, id string
	body       []byte
	forged     bool
}

func newSenders(sources []config.Source, seed uint64, count int) *senders {
	s := &senders{sources: sources, history: &history{}}
	for n := range count {
		s.clients = append(s.clients, &client{
			senders: s, number: n, random: rand.New(rand.NewPCG(seed, uint64(n))), simulator: simulate.New(seed),
		})
	}
	return s
}

// sending is what goes on towards one program.
type sending struct {
	cancel context.CancelFunc
	group  sync.WaitGroup
}

// send sends to a program until the sending is ended or nobody answers.
func (s *senders) send(p *program) *sending {
	ctx, cancel := context.WithCancel(context.Background())
	going := &sending{cancel: cancel}
	transport := &http.Transport{MaxIdleConnsPerHost: len(s.clients)}
	fleet := s.fleet(p, transport)
	for _, c := range s.clients {
		going.group.Go(func() {
			for ctx.Err() == nil && c.send(s.history, fleet) {
			}
		})
	}
	go func() {
		going.group.Wait()
		transport.CloseIdleConnections()
	}()
	return going
}

// fleet gives, for each source, who signs as the source wants it, and who does not.
func (s *senders) fleet(p *program, transport http.RoundTripper) map[string][2]*sender.Sender {
	if s.through != nil {
		transport = s.through(transport)
	}
	fleet := map[string][2]*sender.Sender{}
	for _, source := range s.sources {
		adapter, _ := provider.Named(source.Provider)
		to := sender.Sender{
			Client:   &http.Client{Timeout: sendLimit, Transport: observed{transport, s.history}},
			URL:      p.ingest + "/webhooks/" + source.Name,
			Provider: adapter,
			Secret:   source.Secrets[0].Reveal(),
		}
		forged := to
		forged.Secret = adapter.NewSecret([24]byte{1})
		fleet[source.Name] = [2]*sender.Sender{&to, &forged}
	}
	return fleet
}

// end lets what is under way be answered, and sends nothing more.
func (s *sending) end() {
	s.cancel()
	s.group.Wait()
}

// send sends the client's next webhook, and tells whether it was answered.
func (c *client) send(h *history, fleet map[string][2]*sender.Sender) bool {
	if !c.again {
		c.last = c.next()
		c.past = append(c.past, c.last)
	}
	to := fleet[c.last.source][0]
	if c.last.forged {
		to = fleet[c.last.source][1]
	}
	a := &attempt{
		client: c.number, source: c.last.source, forged: c.last.forged,
		id: to.WebhookID(c.last.id, c.last.body), body: domain.DigestBody(c.last.body),
	}
	h.begin(a)
	answer, err := to.Send(context.Background(), c.last.id, c.last.body)
	if c.again = err != nil; c.again {
		return false
	}
	h.end(a, answer)
	c.answer = answer
	c.again = answer.Status == http.StatusServiceUnavailable
	return true
}

// next gives what to send: mostly an order's next webhook, and now and then what
// senders also do.
func (c *client) next() *parcel {
	switch {
	case c.last == nil || c.last.forged:
	case c.random.IntN(12) == 0: // the same again, under the same id
		return c.last
	case c.random.IntN(12) == 0: // or much later
		return c.past[c.random.IntN(len(c.past))]
	case c.random.IntN(3) == 0 && c.last.source == "runa": // another body under a used id
		return &parcel{source: c.last.source, id: c.last.id, body: c.mark(c.webhook("runa").Body)}
	}
	if c.random.IntN(20) == 0 { // authentic, and about nobody knows which order
		return &parcel{source: "ordatic", body: c.mark([]byte(`{"eventType":"order-accepted"}`))}
	}
	webhook := c.webhook("")
	return &parcel{
		source: webhook.Provider, id: webhook.ID, body: c.mark(webhook.Body), forged: c.random.IntN(16) == 0,
	}
}

// webhook gives the next webhook of the orders that the client makes up, of one
// provider or of any.
func (c *client) webhook(of string) simulate.Webhook {
	providers := provider.All()
	if of != "" {
		adapter, _ := provider.Named(of)
		providers = []provider.Provider{adapter}
	}
	if of != "" || len(c.queue) == 0 {
		c.orders++
		made := c.simulator.Order(providers[c.orders%len(providers)].Name(), c.orders*len(c.senders.clients)+c.number, time.Unix(1_700_000_000, 0))
		made = simulate.Disorder(c.random, made, simulate.Faults{Delay: time.Hour})
		if of != "" {
			return made[0]
		}
		c.queue = made
	}
	webhook := c.queue[0]
	c.queue = c.queue[1:]
	return webhook
}

// mark makes a body unlike any other, with a text to look for.
func (c *client) mark(body []byte) []byte {
	c.made++
	marked := fmt.Appendf(nil, `{"canary":"%s%d-%d",`, canary, c.number, c.made)
	if c.senders.large.Load() && c.random.IntN(4) == 0 {
		marked = fmt.Appendf(marked, `"padding":"%s",`, strings.Repeat("x", largeSize))
	}
	return append(marked, bytes.TrimPrefix(body, []byte("{"))...)
}
