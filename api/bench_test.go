package api_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/api/access"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

var benchOrders = flag.Int("orders", 100_000, "how many orders the read model has that the benchmarks read")

const (
	// benchClients is how many connections read at once.
	benchClients = 16
	// benchRound is how many requests are sent before the other handler has its turn.
	benchRound = 2000
	// benchPaths is how many different orders are read where one is read at a time.
	benchPaths = 10_000
)

// BenchmarkReads is what reads cost beside a handler that does nothing, over kept-alive
// connections. The two take turns: of-null is the API's share of that handler's rate,
// and cpu-of-null the same by the processor's time, in which others have no part. Orders
// and pages are read for the first time where it says once, and again and again elsewhere.
func BenchmarkReads(b *testing.B) {
	paths, handler := crowd(b)
	shuffled := slices.Clone(paths)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, read := range []struct {
		name  string
		paths []string
	}{
		{"once", shuffled},
		{"again", shuffled[:min(len(shuffled), benchPaths)]},
		{"timeline", []string{shuffled[0] + "/timeline", shuffled[1] + "/timeline", shuffled[2] + "/timeline"}},
		{"page", []string{"/v1/orders?limit=50", "/v1/orders?limit=50&source=ordatic", "/v1/orders?limit=50&state=completed"}},
		{"page-once", pagesOnce()},
		{"counts", []string{"/v1/stats?minutes=1"}},
	} {
		b.Run(read.name, func(b *testing.B) { besideNull(b, handler, read.paths) })
	}
}

// pagesOnce gives pages that nobody has asked for before.
func pagesOnce() (paths []string) {
	for n := range 100_000 {
		since := opening.Add(-time.Duration(n) * time.Second).Format(time.RFC3339)
		paths = append(paths, "/v1/orders?limit=50&source=ordatic&updated_since="+since)
	}
	return paths
}

// besideNull reads the paths from the handler and from one that does nothing.
func besideNull(b *testing.B, handler http.Handler, paths []string) {
	nothing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	null := newReaders(b, httptest.NewUnstartedServer(nothing), paths)
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.Server("", handler)
	read := newReaders(b, server, paths)
	read.send(b, 1) // opens what is opened once
	b.ResetTimer()
	for range (b.N + benchRound - 1) / benchRound {
		null.send(b, benchRound)
		read.send(b, benchRound)
	}
	b.ReportMetric(median(null.took)/median(read.took), "of-null")
	b.ReportMetric(median(null.used)/median(read.used), "cpu-of-null")
	b.ReportMetric(median(read.used)/benchRound*1e6, "cpu-µs")
	b.ReportMetric(slices.Sorted(slices.Values(read.times))[len(read.times)*99/100].Seconds()*1e3, "p99-ms")
}

func median(all []float64) float64 { return slices.Sorted(slices.Values(all))[len(all)/2] }

// readers are clients of a handler that keep their connections, and how they fared.
type readers struct {
	clients    []*rawClient
	paths      []string
	next       atomic.Int64
	took, used []float64 // by round: seconds, and seconds of a processor
	times      []time.Duration
}

func newReaders(b *testing.B, server *httptest.Server, paths []string) *readers {
	server.Start()
	b.Cleanup(server.Close)
	r := &readers{paths: paths}
	for range benchClients {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(b, err)
		b.Cleanup(func() { _ = conn.Close() })
		r.clients = append(r.clients, &rawClient{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)})
	}
	return r
}

// send has a round of requests answered.
func (r *readers) send(b *testing.B, requests int64) {
	end, begun, used := r.next.Load()+requests, time.Now(), processorTime()
	var group errgroup.Group
	for _, c := range r.clients {
		group.Go(func() error {
			for {
				n := r.next.Add(1)
				if n > end {
					return nil
				}
				if err := c.get(r.paths[int(n)%len(r.paths)]); err != nil {
					return err
				}
			}
		})
	}
	require.NoError(b, group.Wait())
	r.took = append(r.took, time.Since(begun).Seconds())
	r.used = append(r.used, (processorTime() - used).Seconds())
	for _, c := range r.clients {
		r.times, c.times = append(r.times, c.times...), c.times[:0]
	}
	r.next.Store(end)
}

func processorTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// rawClient asks on one connection, and costs little beside who answers.
type rawClient struct {
	conn  net.Conn
	in    *bufio.Reader
	out   []byte
	times []time.Duration
}

func (c *rawClient) get(path string) error {
	begun := time.Now()
	c.out = fmt.Appendf(c.out[:0], "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	status, err := c.in.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("%s is answered with %q: %w", path, status, err)
	}
	length := -1 // chunked
	for line := status; len(line) > 2; {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return err
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	err = c.discard(length)
	c.times = append(c.times, time.Since(begun))
	return err
}

func (c *rawClient) discard(length int) error {
	if length >= 0 {
		_, err := c.in.Discard(length)
		return err
	}
	for length != 0 {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		length = int(size)
		if _, err := c.in.Discard(length + len("\r\n")); err != nil {
			return err
		}
	}
	return nil
}

// crowd gives the paths of many orders, and the API on a read model that has them.
func crowd(b *testing.B) (paths []string, handler http.Handler) {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "model.sqlite"))
	require.NoError(b, err)
	l := &ledger{Model: sqlite.NewModel(db)}
	b.Cleanup(func() { require.NoError(b, l.Model.Close()) })
	told := tell(b)
	for len(paths) < *benchOrders {
		batch := &domain.Batch{Tallies: domain.Tallies{Orders: map[domain.OrderTally]int{}}}
		for range min(benchRound, *benchOrders-len(paths)) {
			one := told[len(paths)%len(told)]
			order := l.follow(batch, one.source, one.events, len(paths))
			paths = append(paths, api.PathOfOrder(order.Source, order.Key))
		}
		batch.Checkpoint = domain.Checkpoint{StreamSequence: uint64(len(l.sent)), Stream: identity(), Counts: l.counts, Version: 1}
		require.NoError(b, l.Model.Commit(b.Context(), batch))
	}
	return paths, api.New(l.Model, l, api.Config{
		Sources: []api.Source{{Name: "ordatic", Currency: "SEK"}}, Tokens: access.NewTokens(b.TempDir()), Registerer: prometheus.NewRegistry(),
	})
}

// history is what a source tells of one order.
type history struct {
	source string
	events []domain.Event
}

// tell gives the events of simulated orders, most of them meals.
func tell(b *testing.B) (told []history) {
	simulator := simulate.New(1)
	for _, of := range []struct {
		adapter provider.Provider
		orders  int
	}{{provider.Ordatic{}, 85}, {provider.Ivy{}, 7}, {provider.Payway{}, 5}, {provider.Runa{}, 3}} {
		name := of.adapter.Name()
		for n := range of.orders {
			var events []domain.Event
			for _, w := range simulator.Order(name, n, opening) {
				event, err := of.adapter.Translate(&domain.Webhook{Provider: name, Source: name, Event: w.Event, ID: w.ID, Body: w.Body})
				if err == nil && event.Proof == nil {
					events = append(events, *event)
				}
			}
			require.NotEmpty(b, events)
			told = append(told, history{name, events})
		}
	}
	return told
}

// follow puts into a batch what events do to an order that has a number in its key.
func (l *ledger) follow(b *domain.Batch, source string, events []domain.Event, number int) *domain.Order {
	order := domain.NewOrder(source, source, fmt.Sprint(events[0].Key, "-", number))
	for i := range events {
		w := &domain.Webhook{StreamSequence: uint64(len(l.sent) + 1), ReceivedAt: at(i)}
		l.sent = append(l.sent, w)
		l.counts.Applied++
		change := order.Apply(&events[i], w.StreamSequence, w.ReceivedAt, w.StoredAt)
		b.Timeline = append(b.Timeline, entries(order, &events[i], w, change)...)
	}
	b.Orders = append(b.Orders, order)
	b.Tallies.Orders[domain.OrderTally{Source: source, State: order.State()}]++
	return order
}
