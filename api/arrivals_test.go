package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

func accept(source string, streamSequence uint64) domain.Arrival {
	return domain.Arrival{
		At: domain.InstantOf(now()), Source: source, Event: "order-accepted", Verdict: domain.VerdictAccepted, Status: http.StatusOK,
		StreamSequence: streamSequence, Size: 99, Took: 1500 * time.Microsecond,
	}
}

// events are what a listener hears, one by one.
type events struct {
	t     *testing.T
	lines *bufio.Scanner
	close func() error
}

// listen begins to listen, and returns when whatever is told from now on will be heard.
func (c *client) listen(query string, headers ...string) *events {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	c.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/arrivals"+query, http.NoBody)
	require.NoError(c.t, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	response, err := c.http.Do(request)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(c.t, http.StatusOK, response.StatusCode)
	require.Equal(c.t, "text/event-stream", response.Header.Get("Content-Type"))
	heard := &events{t: c.t, lines: bufio.NewScanner(response.Body), close: response.Body.Close}
	require.Equal(c.t, ":", heard.line())
	require.Empty(c.t, heard.line())
	return heard
}

func (e *events) line() string {
	e.t.Helper()
	require.True(e.t, e.lines.Scan(), "the stream ended: %v", e.lines.Err())
	return e.lines.Text()
}

// next gives the next event.
func (e *events) next() (name, data string) {
	e.t.Helper()
	name, data = strings.TrimPrefix(e.line(), "event: "), strings.TrimPrefix(e.line(), "data: ")
	require.Empty(e.t, e.line())
	return name, data
}

// What comes in is heard in its order by everybody who listens, with all that is known
// and with null for what is not.
func TestArrivalsAreHeard(t *testing.T) {
	t.Parallel()
	var arrivals api.Arrivals
	arrivals.Tell(accept("ivy", 1)) // nobody listens yet
	c := newLedger(t).serve(func(config *api.Config) { config.Arrivals = &arrivals })
	first, second := c.listen(""), c.listen("")
	arrivals.Tell(accept("ordatic", 2))
	arrivals.Tell(domain.Arrival{At: domain.InstantOf(now()), Verdict: "unknown-source", Status: http.StatusNotFound, Size: -1})
	for _, heard := range []*events{first, second} {
		name, data := heard.next()
		require.Equal(t, "arrival", name)
		require.Equal(t, `{"received_at":"2026-03-01T14:00:00Z","source":"ordatic","event":"order-accepted","verdict":"accepted","status":200,`+
			`"stream_sequence":2,"size":99,"took_seconds":0.0015}`, data)
		_, data = heard.next()
		require.Equal(t, `{"received_at":"2026-03-01T14:00:00Z","source":null,"event":null,"verdict":"unknown-source","status":404,`+
			`"stream_sequence":null,"size":null,"took_seconds":0}`, data)
	}
}

// Who wants some of it only hears that.
func TestArrivalsAreFiltered(t *testing.T) {
	t.Parallel()
	var arrivals api.Arrivals
	c := newLedger(t).serve(func(config *api.Config) {
		config.Arrivals, config.Sources = &arrivals, append(config.Sources, api.Source{Name: "runa", Provider: "runa"})
		config.Problems = []api.ProblemType{{Code: "credential-wrong", Status: http.StatusUnauthorized}}
	})
	heard := map[string]*events{}
	for _, query := range []string{"?source=ivy", "?verdict=refused", "?verdict=401", "?verdict=credential-wrong", "?verdict=duplicate", "?verdict=200&source=runa"} {
		heard[query] = c.listen(query)
	}
	repeated, forged, late := accept("runa", 7), accept("runa", 0), accept("runa", 0)
	repeated.Verdict = domain.VerdictDuplicate
	forged.Verdict, forged.Status = "credential-wrong", http.StatusUnauthorized
	late.Verdict, late.Status = "rate-limited", http.StatusTooManyRequests
	last := accept("ivy", 8)
	for _, a := range []domain.Arrival{late, forged, repeated, last} {
		arrivals.Tell(a)
	}
	for query, want := range map[string]string{
		"?source=ivy": "accepted", "?verdict=refused": "rate-limited", "?verdict=401": "credential-wrong",
		"?verdict=credential-wrong": "credential-wrong", "?verdict=duplicate": "duplicate", "?verdict=200&source=runa": "duplicate",
	} {
		_, data := heard[query].next()
		require.Contains(t, data, `"verdict":"`+want+`"`, query)
	}
}

// Who does not read holds nobody up, and is told how much was missed.
func TestASlowListenerMissesSomeAndIsToldSo(t *testing.T) {
	t.Parallel()
	var arrivals api.Arrivals
	c := newLedger(t).serve(func(config *api.Config) { config.Arrivals = &arrivals })
	heard := c.listen("")
	const told = 100_000 // more than connections and buffers hold
	for i := range uint64(told) {
		arrivals.Tell(accept("ordatic", i+1))
	}
	read, missed := uint64(0), uint64(0)
	for read+missed < told {
		name, data := heard.next()
		if name == "arrival" {
			read++
			continue
		}
		var unheard api.Unheard
		require.Equal(t, "unheard", name)
		require.NoError(t, json.Unmarshal([]byte(data), &unheard))
		missed += unheard.Unheard
		if read+missed < told {
			arrivals.Tell(accept("ordatic", 1)) // what was missed last is told with the next
			missed--
		}
	}
	require.NotZero(t, missed)
}

// Only so many may listen at once; the next one can when one has gone.
func TestListenersAreBounded(t *testing.T) {
	t.Parallel()
	var arrivals api.Arrivals
	c := newLedger(t).serve(func(config *api.Config) { config.Arrivals = &arrivals })
	var all []*events
	for range 16 {
		all = append(all, c.listen(""))
	}
	c.get("/v1/arrivals").refused(http.StatusServiceUnavailable, "busy")
	require.NoError(t, all[0].close())
	require.Eventually(t, func() bool {
		arrivals.Tell(accept("ordatic", 1)) // who has gone is noticed when there is something to tell
		response, err := c.http.Get(c.base + "/v1/arrivals")
		require.NoError(t, err)
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond)
}

// deadlines is a listener of one connection that knows its deadlines.
type deadlines struct {
	net.Listener
	mu          sync.Mutex
	read, write time.Time
}

type timedConn struct {
	net.Conn
	of *deadlines
}

func (d *deadlines) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	return timedConn{conn, d}, err
}

func (c timedConn) SetReadDeadline(t time.Time) error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.read = t
	return c.Conn.SetReadDeadline(t)
}

func (c timedConn) SetWriteDeadline(t time.Time) error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.write = t
	return c.Conn.SetWriteDeadline(t)
}

// A listener outlives the time that the server gives to a request and to an answer, has a
// time of its own for each piece, and is let go when the server ends.
func TestAListenerOutlivesTheServersPatience(t *testing.T) {
	t.Parallel()
	var arrivals api.Arrivals
	server := api.Server("", newLedger(t).handler(func(config *api.Config) { config.Arrivals = &arrivals }))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	timed := &deadlines{Listener: listener}
	served := make(chan error, 1)
	go func() { served <- server.Serve(timed) }()
	c := &client{t: t, base: "http://" + listener.Addr().String(), http: &http.Client{}}
	heard := c.listen("")
	timed.mu.Lock()
	require.True(t, timed.read.IsZero())
	first := timed.write
	timed.mu.Unlock()
	require.False(t, first.IsZero())

	arrivals.Tell(accept("ordatic", 3))
	_, data := heard.next()
	require.Contains(t, data, `"stream_sequence":3`)
	timed.mu.Lock()
	require.True(t, timed.write.After(first))
	timed.mu.Unlock()

	require.NoError(t, server.Shutdown(t.Context()))
	require.ErrorIs(t, <-served, http.ErrServerClosed)
	require.False(t, heard.lines.Scan())
}

// Where ingest is elsewhere there is nothing to listen to, and who may not see what senders
// sent hears nothing of them.
func TestWhoMayNotListen(t *testing.T) {
	t.Parallel()
	newLedger(t).serve().get("/v1/arrivals").refused(http.StatusNotImplemented, "ingest-elsewhere")
	c := newLedger(t).serve(guardedBy(newKeyring()), func(config *api.Config) { config.Arrivals = &api.Arrivals{} })
	c.get("/v1/arrivals", "Authorization: Bearer read").refused(http.StatusForbidden, "forbidden")
	c.listen("", "Authorization: Bearer raw")
}
