package faults_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

const (
	// giantSize is the size of the largest body that is taken, in bytes, and giants how
	// many send such ones, one after the other.
	giantSize = 4 << 20
	giants    = 4
	// impatience is when who was put off for a second comes again.
	impatience = 250 * time.Millisecond
)

// crowd are more senders than there is room for, and one who waits for an answer.
type crowd struct {
	*senders
	one      *client
	mu       sync.Mutex
	impolite []violation // answers that put off, and do not say until when
}

func newCrowd(sources []config.Source, seed uint64) *crowd {
	c := &crowd{senders: newSenders(sources, seed, 0)}
	c.through = func(next http.RoundTripper) http.RoundTripper { return manners{next, c} }
	for n := range crowdSize + 1 {
		c.clients = append(c.clients, &client{
			senders: c.senders, number: n * 1_000_000, random: rand.New(rand.NewPCG(seed, uint64(n))), simulator: simulate.New(seed),
		})
	}
	c.one, c.clients = c.clients[0], c.clients[1:]
	return c
}

// manners looks whether those who are put off are told until when, and has them come
// again long before that.
type manners struct {
	http.RoundTripper
	crowd *crowd
}

func (m manners) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := m.RoundTripper.RoundTrip(r)
	if err == nil && (response.StatusCode == 429 || response.StatusCode == 503) && response.Header.Get("Retry-After") == "" {
		m.crowd.mu.Lock()
		m.crowd.impolite = append(m.crowd.impolite, violation{checkPolite, fmt.Sprint(response.StatusCode, " without Retry-After")})
		m.crowd.mu.Unlock()
	}
	if err == nil && response.StatusCode == 503 {
		select {
		case <-time.After(impatience):
		case <-r.Context().Done():
		}
	}
	return response, err
}

// patient has the one send until so many webhooks were taken, and gives how long each
// of these took.
func (c *crowd) patient(t *testing.T, b *besieged, n int) (waited []time.Duration) {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	fleet := c.fleet(b.program, transport)
	deadline := time.Now().Add(patience)
	for len(waited) < n {
		require.True(t, time.Now().Before(deadline), "nothing is taken any more")
		began := time.Now()
		require.True(t, c.one.send(c.history, fleet), "it does not answer")
		if c.one.answer.OK() {
			waited = append(waited, time.Since(began))
		}
	}
	return waited
}

// giants sends bodies of the largest size until ctx ends: with a signature that is
// wrong, so that all of a body is read; and with none, so that it is read to be kept.
func (c *crowd) giants(ctx context.Context, b *besieged) {
	transport := &http.Transport{MaxIdleConnsPerHost: giants}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: manners{transport, c}, Timeout: sendLimit}
	body := bytes.Repeat([]byte(" "), giantSize)
	var group sync.WaitGroup
	for n := range giants {
		source := []string{"ivy", "ordatic"}[n%2]
		group.Go(func() {
			for ctx.Err() == nil {
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.ingest+"/webhooks/"+source, bytes.NewReader(body))
				if err != nil {
					return
				}
				if source == "ivy" {
					request.Header.Set("X-Ivy-Signature", strings.Repeat("00", 32))
				}
				// Who is cut off in the middle of a body is one of those who are put off.
				if response, err := client.Do(request); err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			}
		})
	}
	group.Wait()
}
