package faults_test

import (
	"net/http"
	"sync"
	"time"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain"
)

// attempt is one request and its answer.
type attempt struct {
	client int
	source string // which is also the provider's name
	id     string // the webhook's id, empty where it has none
	body   domain.Digest
	forged bool // signed with a secret that is not the source's
	begun  time.Time
	ended  time.Time // zero where it was not answered
	answer sender.Answer
}

// answered tells whether there was an answer, of whatever kind.
func (a *attempt) answered() bool { return !a.ended.IsZero() }

// stored tells whether the sender was told that the webhook is kept.
func (a *attempt) stored() bool { return a.answered() && a.answer.Status == http.StatusOK }

// putOff tells whether the sender was told to come again.
func (a *attempt) putOff() bool {
	return a.answer.Status == http.StatusTooManyRequests || a.answer.Status == http.StatusServiceUnavailable
}

// history is every request, written down before it is sent, and every answer. It
// is safe for concurrent use.
type history struct {
	mu       sync.Mutex
	attempts []*attempt
	acks     int
	refusals int
	slowest  time.Duration // of the answers with 503
	curt     int           // those that do not say when to come again
}

func (h *history) begin(a *attempt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a.begun = time.Now()
	h.attempts = append(h.attempts, a)
}

func (h *history) end(a *attempt, answer sender.Answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a.ended, a.answer = time.Now(), answer
	switch {
	case a.stored():
		h.acks++
	case answer.Status == http.StatusServiceUnavailable:
		h.refusals++
	}
}

// acknowledged is how many requests were answered with 200.
func (h *history) acknowledged() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.acks
}

// refused is how many requests were answered with 503.
func (h *history) refused() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refusals
}

// all gives the attempts, in the order in which they began. No request may be
// under way.
func (h *history) all() []*attempt {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.attempts
}

// observed is a transport that notes how requests are refused.
type observed struct {
	http.RoundTripper
	history *history
}

func (o observed) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	response, err := o.RoundTripper.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusServiceUnavailable {
		o.history.refuse(time.Since(began), response.Header.Get("Retry-After"))
	}
	return response, err
}

func (h *history) refuse(after time.Duration, again string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slowest = max(h.slowest, after)
	if again == "" {
		h.curt++
	}
}

// manners gives how requests were refused since the last time.
func (h *history) manners() (slowest time.Duration, curt int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slowest, curt = h.slowest, h.curt
	h.slowest, h.curt = 0, 0
	return slowest, curt
}
