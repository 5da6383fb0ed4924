// Package load is the load of the benchmarks: the webhooks that are sent, and who sends
// them over many connections and looks at the answers. It is made to run in a process
// of its own and to leave the processors to the server.
package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
)

// Plan says how requests are sent.
type Plan struct {
	// Address is the server's host:port.
	Address string
	// Connections is how many are kept alive, each with one request under way.
	Connections int
	// For is how long requests are begun.
	For time.Duration
	// PerSecond is the pace; as fast as they are answered where it is 0. A time is then
	// taken from when a request was due, so that one that had to wait counts as slow.
	PerSecond float64
	// Again begins with the first request when all are sent, where each may be sent more
	// than once.
	Again bool
}

// Report is what came of it.
type Report struct {
	// Answered is how many requests were answered with 200.
	Answered int `json:"answered"`
	// Others counts answers of other statuses; those are no failures of the load's.
	Others map[int]int `json:"others,omitempty"`
	// Took is the time from the first request to the last answer.
	Took time.Duration `json:"took"`
	// P50 and P99 are of the time that single requests took.
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	// Out says that the requests ran out before the time was over.
	Out bool `json:"out,omitempty"`
}

// Receipt is a webhook's place in the stream, as its answer gave it.
type Receipt struct {
	Request        int // its index
	StreamSequence uint64
	At             time.Time // when the answer was there
}

// Run sends requests and gives each receipt to stored, which may be nil and is called
// from many goroutines. It returns an error where a connection breaks.
func Run(ctx context.Context, p Plan, requests []Request, stored func(Receipt)) (Report, error) {
	r := &run{Plan: p, requests: requests, stored: stored, begun: time.Now()}
	connections := make([]*connection, p.Connections)
	group, ctx := errgroup.WithContext(ctx)
	for i := range connections {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Address)
		if err != nil {
			return Report{}, fmt.Errorf("connect: %w", err)
		}
		defer func() { _ = conn.Close() }()
		connections[i] = &connection{run: r, conn: conn, in: NewReader(bufio.NewReaderSize(conn, 16<<10)), others: map[int]int{}}
	}
	r.begun = time.Now()
	for _, c := range connections {
		group.Go(func() error { return c.send(ctx) })
	}
	if err := group.Wait(); err != nil {
		return Report{}, fmt.Errorf("send: %w", err)
	}
	return r.report(connections), nil
}

// run is a plan under way.
type run struct {
	Plan
	requests []Request
	stored   func(Receipt)
	begun    time.Time
	next     atomic.Int64
	out      atomic.Bool
}

// connection sends one request after the other.
type connection struct {
	*run
	conn   net.Conn
	in     *Reader
	times  []time.Duration
	others map[int]int
}

func (c *connection) send(ctx context.Context) error {
	for ctx.Err() == nil {
		n := int(c.next.Add(1)) - 1
		begun, more := c.await(n)
		if !more {
			return nil
		}
		index := n % len(c.requests)
		if _, err := c.conn.Write(c.requests[index]); err != nil {
			return err
		}
		a, err := c.in.answer()
		if err != nil {
			return err
		}
		c.note(index, begun, a)
	}
	return ctx.Err()
}

// await waits until a request is due, and gives when that was; there are no more when
// the time is over, or when all were sent.
func (c *connection) await(n int) (due time.Time, more bool) {
	if n >= len(c.requests) && !c.Again {
		c.out.Store(true)
		return due, false
	}
	now := time.Now()
	due = now
	if c.PerSecond > 0 {
		due = c.begun.Add(time.Duration(float64(n) / c.PerSecond * float64(time.Second)))
		time.Sleep(due.Sub(now))
	}
	return due, due.Sub(c.begun) < c.For
}

func (c *connection) note(index int, begun time.Time, a answer) {
	now := time.Now()
	if a.status != http.StatusOK {
		c.others[a.status]++
		return
	}
	c.times = append(c.times, now.Sub(begun))
	if sequence, ok := streamSequence(a.body); ok && c.stored != nil {
		c.stored(Receipt{index, sequence, now})
	}
}

var before, after = []byte(`{"stream_sequence":`), []byte(`,"duplicate":false}`)

// streamSequence gives the stream sequence that an answer says was given to a webhook.
func streamSequence(body []byte) (uint64, bool) {
	text, begins := bytes.CutPrefix(body, before)
	text, ends := bytes.CutSuffix(text, after)
	sequence, err := strconv.ParseUint(string(text), 10, 64)
	return sequence, begins && ends && err == nil
}

func (r *run) report(connections []*connection) Report {
	report := Report{Took: time.Since(r.begun), Others: map[int]int{}, Out: r.out.Load()}
	var times []time.Duration
	for _, c := range connections {
		times = append(times, c.times...)
		for status, n := range c.others {
			report.Others[status] += n
		}
	}
	report.Answered = len(times)
	report.P50, report.P99 = contest.Percentile(times, 0.5), contest.Percentile(times, 0.99)
	return report
}
