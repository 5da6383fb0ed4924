package faults_test

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// paceSize is how many senders a pace has: more than can be waiting at once.
	paceSize = 250
	// paceEvery is the time from one webhook of a pace to the next.
	paceEvery = 25 * time.Millisecond
	// answerLimit is how long an answer may take, whatever is broken.
	answerLimit = 15 * time.Second
)

// pace sends by the clock, and not when somebody has been answered: so it is seen how
// long nothing is taken, and that nobody waits for an answer in vain.
type pace struct {
	*sending
	program *program
	begun   time.Time
	client  http.RoundTripper
	idle    chan *client
	excused atomic.Bool  // the program is being killed
	hung    atomic.Int64 // requests without an answer
	blunt   atomic.Int64 // refusals that do not say when to come again
}

func (s *senders) pace(p *program) *pace {
	ctx, cancel := context.WithCancel(context.Background())
	transport := &http.Transport{MaxIdleConnsPerHost: paceSize}
	c := &pace{sending: &sending{cancel: cancel}, program: p, begun: time.Now(), client: transport, idle: make(chan *client, len(s.clients))}
	for _, each := range s.clients {
		c.idle <- each
	}
	fleet := s.fleet(p, c)
	c.group.Go(func() {
		defer transport.CloseIdleConnections()
		tick := time.NewTicker(paceEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			next := <-c.idle
			c.group.Go(func() {
				if !next.send(s.history, fleet) && !c.excused.Load() {
					c.hung.Add(1)
				}
				c.idle <- next
			})
		}
	})
	return c
}

// RoundTrip looks at the answers that senders get.
func (c *pace) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.client.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
		c.blunt.Add(1)
	}
	return response, err
}

// kill kills the program under the pace, and ends the sending.
func (c *pace) kill() {
	c.excused.Store(true)
	c.program.kill()
	c.end()
}

// manners holds the answers that a pace got to what senders may expect: one each,
// soon, and a refusal that says when to come again.
func (j *judge) manners(c *pace) {
	if n := c.hung.Load(); n > 0 {
		j.find(checkAnswers, "%d requests got none", n)
	}
	if n := c.blunt.Load(); n > 0 {
		j.find(checkAnswers, "%d refusals do not say when to come again", n)
	}
	for _, a := range j.history.all() {
		switch took := a.ended.Sub(a.begun); {
		case !a.answered() || a.begun.Before(c.begun):
		case took > answerLimit:
			j.find(checkAnswers, "one took %v", took.Round(time.Second))
		case !slices.Contains([]int{200, 401, 503}, a.answer.Status):
			j.find(checkAnswers, "one was %d", a.answer.Status)
		}
	}
}

// unavailable is the longest time without a webhook taken, from a point in time on and
// up to the last that was.
func (h *history) unavailable(since time.Time) (longest time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var taken []time.Time
	for _, a := range h.attempts {
		if a.stored() && a.ended.After(since) {
			taken = append(taken, a.ended)
		}
	}
	slices.SortFunc(taken, time.Time.Compare)
	for _, at := range taken {
		longest = max(longest, at.Sub(since))
		since = at
	}
	return longest
}
