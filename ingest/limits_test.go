package ingest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
)

// A body of exactly the limit passes, with and without an announced length.
func TestBodyOfTheLimitPasses(t *testing.T) {
	t.Parallel()
	r := start(t)
	request := r.signed(t, "ordatic", "", padded(maxBody))
	require.Equal(t, http.StatusOK, r.do(t, request).status)

	request = r.signed(t, "ordatic", "", padded(maxBody))
	request.ContentLength = -1
	require.Equal(t, http.StatusOK, r.do(t, request).status)
}

// A body that is announced as too large is refused before any of it is sent.
func TestTooLargeAnnouncementIsRefusedUnread(t *testing.T) {
	t.Parallel()
	r := start(t)
	conn := r.dial(t)
	_, err := conn.Write([]byte("POST /webhooks/runa HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"))
	require.NoError(t, err)
	require.Equal(t, "body-too-large", await(t, conn).code(t))
}

// A body that comes too slowly is refused in time, is not kept, and its place
// in flight is free again.
func TestSlowBodyTimesOut(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, eventlog.Config{})
	r.readTimeout = 100 * time.Millisecond
	r.serve(t, r.log, func(c *ingest.Config) { c.MaxInFlight = 1 })
	conn := r.begin(t, 100)
	_, err := conn.Write([]byte("{"))
	require.NoError(t, err)

	got := await(t, conn)

	require.Equal(t, http.StatusRequestTimeout, got.status)
	require.Equal(t, "body-too-slow", got.code(t))
	require.Empty(t, r.kept(t))

	patient := httptest.NewServer(r.handler)
	t.Cleanup(patient.Close)
	r.url = patient.URL
	require.Equal(t, http.StatusOK, r.do(t, r.signed(t, "ordatic", "", []byte(`{}`))).status)
}

// A body that breaks off before its announced end is refused and not kept.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	r := start(t)
	conn := r.begin(t, 100)
	_, err := conn.Write([]byte("{}"))
	require.NoError(t, err)
	require.NoError(t, conn.CloseWrite())

	got := await(t, conn)

	require.Equal(t, http.StatusBadRequest, got.status)
	require.Equal(t, "body-incomplete", got.code(t))
	require.Empty(t, r.kept(t))
}

// Beyond the limit in flight a webhook is put off, and taken once a place is free.
func TestPlacesInFlight(t *testing.T) {
	t.Parallel()
	log := newGated()
	r := startOn(t, log.on, func(c *ingest.Config) { c.MaxInFlight = 1 })
	first := r.signed(t, "ordatic", "", []byte(`{"n":1}`))
	var group errgroup.Group
	group.Go(func() error { return r.expect(first, http.StatusOK) })
	<-log.arrived

	got := r.do(t, r.signed(t, "ordatic", "", []byte(`{"n":2}`)))

	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "busy", got.code(t))
	require.Equal(t, "1", got.header.Get("Retry-After"))
	close(log.gate)
	require.NoError(t, group.Wait())
	require.Equal(t, http.StatusOK, r.do(t, r.signed(t, "ordatic", "", []byte(`{"n":2}`))).status)
}

// The bodies in flight together stay within their budget.
func TestBodyBudget(t *testing.T) {
	t.Parallel()
	log := newGated()
	r := startOn(t, log.on, func(c *ingest.Config) { c.BodyBudget = maxBody })
	first := r.signed(t, "ordatic", "", padded(maxBody*3/4))
	var group errgroup.Group
	group.Go(func() error { return r.expect(first, http.StatusOK) })
	<-log.arrived

	require.Equal(t, "busy", r.do(t, r.signed(t, "ordatic", "", padded(maxBody/2))).code(t))

	close(log.gate)
	require.NoError(t, group.Wait())
	require.Equal(t, http.StatusOK, r.do(t, r.signed(t, "ordatic", "", padded(maxBody))).status)
}

// A sender who hangs up while its webhook is being appended interrupts nothing.
func TestHangUpDuringPublish(t *testing.T) {
	t.Parallel()
	log := newGated()
	r := newReceiver(t, eventlog.Config{})
	requests := make(chan context.Context, 1)
	answered := make(chan struct{})
	r.around = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			defer close(answered)
			requests <- request.Context()
			next.ServeHTTP(w, request)
		})
	}
	r.serve(t, log.on(r.log))
	ctx, hangUp := context.WithCancel(t.Context())
	request := r.signed(t, "ordatic", "", []byte(`{}`)).WithContext(ctx)
	var group errgroup.Group
	group.Go(func() error {
		_, err := r.send(request)
		return err
	})
	publishing := <-log.arrived

	hangUp()
	require.ErrorIs(t, group.Wait(), context.Canceled)
	<-(<-requests).Done()
	require.NoError(t, publishing.Err())
	close(log.gate)
	<-answered

	require.EqualValues(t, 1, r.stored(t))
}

// A stream that takes too long is given up on, and the sender asked again.
func TestPublishTimeout(t *testing.T) {
	t.Parallel()
	log := newGated()
	r := startOn(t, log.on, func(c *ingest.Config) { c.PublishTimeout = 20 * time.Millisecond })

	got := r.do(t, r.signed(t, "ordatic", "", []byte(`{}`)))

	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "stream-unavailable", got.code(t))
}

// However many come at about the same time, none is given up on before its time.
func TestNobodyIsGivenUpOnEarly(t *testing.T) {
	t.Parallel()
	const patience = 2 * time.Second
	log := newGated()
	r := startOn(t, log.on, func(c *ingest.Config) { c.PublishTimeout = patience })
	var all sync.WaitGroup
	for range 15 {
		request := r.signed(t, "ordatic", "", []byte(`{}`))
		all.Go(func() {
			begun := time.Now()
			response, err := r.send(request)
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusServiceUnavailable, response.status)
			}
			assert.GreaterOrEqual(t, time.Since(begun), patience)
		})
		<-log.arrived
	}
	all.Wait()
}

// A source over its rate is put off until there is room again. Only authentic
// requests count, and every source has a rate of its own, of which its sender alone is told.
func TestRate(t *testing.T) {
	t.Parallel()
	now := newClock()
	r := start(t, now.configure, func(c *ingest.Config) {
		for i := range c.Sources {
			c.Sources[i].Rate = 2
		}
	})
	for range 10 {
		stranger := r.do(t, r.plain(t, http.MethodPost, "/webhooks/ivy", []byte(`{}`)))
		require.Equal(t, http.StatusUnauthorized, stranger.status)
		require.Empty(t, stranger.header.Get("RateLimit"))
	}
	post := func(source string) answer { return r.do(t, r.signed(t, source, "msg_1", []byte(`{}`))) }
	for _, left := range []string{`"source";r=1;t=1`, `"source";r=0;t=1`} {
		taken := post("ivy")
		require.Equal(t, http.StatusOK, taken.status)
		require.Equal(t, `"source";q=2;w=1`, taken.header.Get("RateLimit-Policy"))
		require.Equal(t, left, taken.header.Get("RateLimit"))
	}

	got := post("ivy")
	require.Equal(t, `"source";q=2;w=1`, got.header.Get("RateLimit-Policy"))
	require.Equal(t, `"source";r=0;t=1`, got.header.Get("RateLimit"))
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "rate-limited", got.code(t))
	require.Equal(t, "1", got.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, post("runa").status)

	now.advance(time.Second)
	require.Equal(t, http.StatusOK, post("ivy").status)
}

// A rate is measured when a webhook is taken and not when it began to come: a slow
// one gives nothing back of what was used up meanwhile.
func TestSlowBodiesDoNotRaiseTheRate(t *testing.T) {
	t.Parallel()
	now := newClock()
	r := start(t, now.configure, func(c *ingest.Config) {
		for i := range c.Sources {
			c.Sources[i].Rate = 2
		}
	})
	slow := r.begin(t, 2)
	now.advance(time.Second)
	post := func() int { return r.do(t, r.signed(t, "ordatic", "", []byte(`{}`))).status }
	require.Equal(t, http.StatusOK, post())
	_, err := slow.Write([]byte("{}"))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, await(t, slow).status)

	require.Equal(t, http.StatusTooManyRequests, post())
}

// One source holds no more than half of the budget, so that the others have the
// rest.
func TestASourceLeavesRoomForTheOthers(t *testing.T) {
	t.Parallel()
	log := newGated()
	r := startOn(t, log.on, func(c *ingest.Config) { c.BodyBudget = 2 * maxBody })
	held, other := r.signed(t, "ordatic", "", padded(maxBody)), r.signed(t, "ivy", "", padded(maxBody))
	var group errgroup.Group
	group.Go(func() error { return r.expect(held, http.StatusOK) })
	<-log.arrived

	require.Equal(t, "busy", r.do(t, r.signed(t, "ordatic", "", []byte(`{}`))).code(t))
	group.Go(func() error { return r.expect(other, http.StatusOK) })
	<-log.arrived

	close(log.gate)
	require.NoError(t, group.Wait())
}

// Connections that never finish their request keep nobody from being served.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *ingest.Config) { c.MaxInFlight = 1 })
	for range 200 {
		_, err := r.dial(t).Write([]byte("POST /webhooks/runa HTTP/1.1\r\nHost:"))
		require.NoError(t, err)
	}
	require.Equal(t, http.StatusOK, r.do(t, r.signed(t, "ordatic", "", []byte(`{}`))).status)
}

// Headers over the limit are refused by the server.
func TestHeaderLimit(t *testing.T) {
	t.Parallel()
	r := start(t)
	request := r.signed(t, "ordatic", "", []byte(`{}`))
	request.Header.Set("X-Long", strings.Repeat("x", 32<<10))
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, r.do(t, request).status)
}

// Every limit of a connection is set: net/http has none by default.
func TestServer(t *testing.T) {
	t.Parallel()
	server := ingest.Server("127.0.0.1:0", http.NotFoundHandler())
	require.Equal(t, "127.0.0.1:0", server.Addr)
	require.NotNil(t, server.Handler)
	require.Equal(t, 5*time.Second, server.ReadHeaderTimeout)
	require.Equal(t, 15*time.Second, server.ReadTimeout)
	require.Equal(t, 30*time.Second, server.WriteTimeout)
	require.Equal(t, time.Minute, server.IdleTimeout)
	require.Equal(t, 16<<10, server.MaxHeaderBytes)
}

// expect sends a request from a goroutine and tells where the status is another.
func (r *receiver) expect(request *http.Request, status int) error {
	got, err := r.send(request)
	if err == nil && got.status != status {
		err = fmt.Errorf("answered %d: %s", got.status, got.body)
	}
	return err
}
