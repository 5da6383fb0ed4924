package ingest_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// maxBody is the body limit in tests: small, so that reaching it is cheap.
const maxBody = 64 << 10

// receiver is a Handler on a real embedded stream, behind a real HTTP server.
type receiver struct {
	url      string
	log      *eventlog.Log
	server   *httptest.Server
	handler  *ingest.Handler
	embedded *eventlog.Embedded
	secrets  map[string][]string
	registry *prometheus.Registry
	logged   *logged
	now      func() time.Time

	// To be set before serve.
	readTimeout time.Duration                   // 0: that of ingest.Server
	around      func(http.Handler) http.Handler // nil: nothing
}

// start runs a receiver with one source for each provider, named after it.
func start(t testing.TB, adjust ...func(*ingest.Config)) *receiver {
	t.Helper()
	r := newReceiver(t, eventlog.Config{})
	r.serve(t, r.log, adjust...)
	return r
}

// startOn is start with a log between the handler and the real one.
func startOn(t testing.TB, wrap func(ingest.Log) ingest.Log, adjust ...func(*ingest.Config)) *receiver {
	t.Helper()
	r := newReceiver(t, eventlog.Config{})
	r.serve(t, wrap(r.log), adjust...)
	return r
}

func newReceiver(t testing.TB, config eventlog.Config) *receiver {
	t.Helper()
	dir := t.TempDir()
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir, MaxBody: ingest.DefaultMaxBody})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, embedded.Close()) })

	config.Embedded, config.Dir = true, dir
	log, err := eventlog.Open(t.Context(), embedded.Conn(), config)
	require.NoError(t, err)
	return &receiver{
		log:      log,
		embedded: embedded,
		secrets:  make(map[string][]string),
		registry: prometheus.NewRegistry(),
		logged:   &logged{},
	}
}

func (r *receiver) serve(t testing.TB, log ingest.Log, adjust ...func(*ingest.Config)) {
	t.Helper()
	config := ingest.Config{
		MaxBody:    maxBody,
		Now:        time.Now,
		Logger:     slog.New(slog.NewJSONHandler(r.logged, nil)),
		Registerer: r.registry,
	}
	for _, p := range provider.All() {
		config.Sources = append(config.Sources, ingest.Source{Name: p.Name(), Provider: p, Secrets: []string{secretOf(p, 1)}})
	}
	for _, change := range adjust {
		change(&config)
	}
	for _, s := range config.Sources {
		r.secrets[s.Name] = s.Secrets
	}
	r.now = config.Now
	handler, err := ingest.New(log, config)
	require.NoError(t, err)

	r.handler = handler
	r.server = httptest.NewUnstartedServer(nil)
	r.server.Config = ingest.Server("", handler)
	r.server.Config.ErrorLog = slog.NewLogLogger(slog.NewJSONHandler(r.logged, nil), slog.LevelError)
	r.server.Config.ReadTimeout = cmp.Or(r.readTimeout, r.server.Config.ReadTimeout)
	if r.around != nil {
		r.server.Config.Handler = r.around(handler)
	}
	r.server.Start()
	t.Cleanup(r.server.Close)
	r.url = r.server.URL
}

func secretOf(p provider.Provider, seed byte) string {
	return p.NewSecret([24]byte{seed, 2: 0xca, 5: 0xfe})
}

// signed gives a request as the source's provider would send it.
func (r *receiver) signed(t testing.TB, source, id string, body []byte) *http.Request {
	t.Helper()
	return r.signedWith(t, source, r.secrets[source][0], id, body)
}

func (r *receiver) signedWith(t testing.TB, source, secret, id string, body []byte) *http.Request {
	t.Helper()
	p, known := provider.Named(source)
	require.True(t, known, "in tests a source is named after its provider")
	sign := &provider.Request{Header: make(http.Header), Query: make(url.Values), Body: body, At: r.now()}
	p.Sign(sign, secret, id)

	request := r.plain(t, http.MethodPost, "/webhooks/"+source, body)
	request.URL.RawQuery = url.Values(sign.Query).Encode()
	for name, values := range sign.Header {
		request.Header[name] = values
	}
	return request
}

// plain gives a request that nobody signed.
func (r *receiver) plain(t testing.TB, method, path string, body []byte) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	return request
}

// answer is what a sender gets.
type answer struct {
	status int
	header http.Header
	body   string
}

func (r *receiver) do(t testing.TB, request *http.Request) answer {
	t.Helper()
	got, err := r.send(request)
	require.NoError(t, err)
	return got
}

// send is do for goroutines that must not end the test.
func (r *receiver) send(request *http.Request) (answer, error) {
	response, err := r.server.Client().Do(request)
	if err != nil {
		return answer{}, err
	}
	return read(response)
}

func read(response *http.Response) (answer, error) {
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: string(body)}, err
}

// dial opens a connection of its own, for requests that no client would send.
func (r *receiver) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", r.server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// beginHead is the head of an authentic webhook of Ordatic with a body of that size.
func (r *receiver) beginHead(size int) string {
	return fmt.Sprintf("POST /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nContent-Length: %d\r\n",
		r.secrets["ordatic"][0], size)
}

// begin sends the head of an authentic webhook, and returns when the handler
// waits for its body.
func (r *receiver) begin(t testing.TB, size int) *net.TCPConn {
	t.Helper()
	conn := r.dial(t)
	_, err := conn.Write([]byte(r.beginHead(size) + "Expect: 100-continue\r\n\r\n"))
	require.NoError(t, err)
	const expected = "HTTP/1.1 100 Continue\r\n\r\n"
	said := make([]byte, len(expected))
	_, err = io.ReadFull(conn, said)
	require.NoError(t, err)
	require.Equal(t, expected, string(said))
	return conn
}

// await reads the answer to what was written on a connection.
func await(t testing.TB, conn net.Conn) answer {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	got, err := read(response)
	require.NoError(t, err)
	return got
}

// code gives the code of a problem, and checks that the answer is one in full.
func (a answer) code(t testing.TB) string {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	var problem struct {
		Type, Title, Detail, Code string
		Status                    int
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &problem))
	require.Equal(t, "about:blank", problem.Type)
	require.NotEmpty(t, problem.Code)
	if a.status == http.StatusUnauthorized {
		require.Equal(t, "Webhook", a.header.Get("WWW-Authenticate"))
	}
	require.Equal(t, a.status, problem.Status)
	require.NotEmpty(t, problem.Title)
	require.NotEmpty(t, problem.Detail)
	return problem.Code
}

// stored gives the number of webhooks in the stream.
func (r *receiver) stored(t testing.TB) uint64 {
	t.Helper()
	info, err := r.log.Info(t.Context())
	require.NoError(t, err)
	return info.Messages
}

// kept gives what the stream of rejected requests holds.
func (r *receiver) kept(t testing.TB) []*jetstream.RawStreamMsg {
	t.Helper()
	js, err := jetstream.New(r.embedded.Conn())
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), "REJECTED")
	require.NoError(t, err)
	var kept []*jetstream.RawStreamMsg
	for i := range stream.CachedInfo().State.Msgs {
		message, err := stream.GetMsg(t.Context(), i+1)
		require.NoError(t, err)
		kept = append(kept, message)
	}
	return kept
}

func (r *receiver) webhook(t testing.TB, streamSequence uint64) *domain.Webhook {
	t.Helper()
	w, err := r.log.Webhook(t.Context(), streamSequence)
	require.NoError(t, err)
	return w
}

// gated is a log whose Append waits at a gate, and tells that it came there.
type gated struct {
	ingest.Log
	arrived chan context.Context // the context of each Append
	gate    chan struct{}        // closed to let everyone pass
}

func newGated() *gated {
	return &gated{arrived: make(chan context.Context, 16), gate: make(chan struct{})}
}

func (g *gated) on(log ingest.Log) ingest.Log {
	g.Log = log
	return g
}

func (g *gated) Append(ctx context.Context, w *domain.Webhook) (eventlog.Receipt, error) {
	g.arrived <- ctx
	select {
	case <-g.gate:
		return g.Log.Append(ctx, w)
	case <-ctx.Done():
		return eventlog.Receipt{}, context.Cause(ctx)
	}
}

// failing is a log that takes nothing.
type failing struct {
	ingest.Log
	err error
}

func failingWith(err error) func(ingest.Log) ingest.Log {
	return func(log ingest.Log) ingest.Log { return &failing{Log: log, err: err} }
}

func (f *failing) Append(context.Context, *domain.Webhook) (eventlog.Receipt, error) {
	return eventlog.Receipt{}, f.err
}

func (f *failing) Reject(context.Context, *eventlog.Rejection) error { return f.err }

func (f *failing) Ready(context.Context) error { return f.err }

// logged collects a log's output.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// clock is a time that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) configure(config *ingest.Config) { config.Now = c.Now }
