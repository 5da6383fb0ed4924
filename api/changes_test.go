package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// feed is one connection to the live feed.
type feed struct {
	t      *testing.T
	end    func()
	Header http.Header
	events chan sse.Event // closed at the end of the connection
}

// follow opens the feed; headers are "Name: value".
func (c *client) follow(query string, headers ...string) *feed {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/changes"+query, nil)
	require.NoError(c.t, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := c.http.Do(request) //nolint:bodyclose // who reads it closes it
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, response.StatusCode)
	f := &feed{t: c.t, Header: response.Header, events: make(chan sse.Event)}
	done := make(chan struct{})
	f.end = func() {
		cancel()
		<-done
	}
	go func() {
		defer close(done)
		defer close(f.events)
		defer func() { _ = response.Body.Close() }()
		readEvents(ctx, response.Body, f.events)
	}()
	c.t.Cleanup(f.end)
	return f
}

func readEvents(ctx context.Context, from io.Reader, to chan<- sse.Event) {
	for event, err := range sse.Read(from, &sse.ReadConfig{MaxEventSize: 1 << 20}) {
		if err != nil {
			return
		}
		select {
		case to <- event:
		case <-ctx.Done():
			return
		}
	}
}

// next gives the next event that has data.
func (f *feed) next() sse.Event {
	f.t.Helper()
	for event := range f.events {
		if event.Data != "" {
			return event
		}
	}
	require.Fail(f.t, "the feed has ended")
	return sse.Event{}
}

// change gives the next event, which must be a change.
func (f *feed) change() (c api.Change) {
	f.t.Helper()
	event := f.next()
	require.Equal(f.t, "change", event.Type, event.Data)
	require.NoError(f.t, json.Unmarshal([]byte(event.Data), &c))
	require.Equal(f.t, fmt.Sprint(c.StreamSequence), event.LastEventID)
	require.GreaterOrEqual(f.t, c.Order.StreamSequence, c.StreamSequence)
	return c
}

// reset gives the next event, which must be a reset.
func (f *feed) reset() (r api.Reset) {
	f.t.Helper()
	event := f.next()
	require.Equal(f.t, "reset", event.Type, event.Data)
	require.NoError(f.t, json.Unmarshal([]byte(event.Data), &r))
	require.Equal(f.t, fmt.Sprint(r.StreamSequence), event.LastEventID)
	return r
}

// sequences gives the stream sequences of the next n changes.
func (f *feed) sequences(n int) (all []uint64) {
	f.t.Helper()
	for range n {
		all = append(all, f.change().StreamSequence)
	}
	return all
}

// fed has the API serve a feed with other limits.
func (l *ledger) fed(limits api.FeedConfig, configure ...func(*api.Config)) *client {
	l.t.Helper()
	return l.serve(append(configure, func(c *api.Config) {
		limits.Sources = c.Sources
		c.Feed = api.NewFeed(l.Model, limits)
	})...)
}

// The feed has the form that clients rely on, byte for byte, and the order in it is the
// one that GET gives.
func TestChangeOnTheWire(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve()
	f := c.follow("?after=3")
	require.Equal(t, "text/event-stream", f.Header.Get("Content-Type"))
	require.Equal(t, "no-store", f.Header.Get("Cache-Control"))
	require.Equal(t, "no", f.Header.Get("X-Accel-Buffering"))
	order := strings.TrimSpace(c.get("/v1/orders/ordatic/store-7:o-1").Body)
	require.JSONEq(t, `{"stream_sequence":4,"source":"ordatic","key":"store-7:o-1","event":"rider-error","effect":"updated",
		"state":"rider-delivering","occurred_at":null,"received_at":"2026-03-01T12:03:00Z","order":`+order+`}`, f.next().Data)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/changes?after=3", nil)
	require.NoError(t, err)
	response, err := c.http.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	want := "retry: 2000\n\nid: 3\n\nid: 4\nevent: change\ndata: {\"stream_sequence\":4,"
	have := make([]byte, len(want))
	_, err = io.ReadFull(response.Body, have)
	require.NoError(t, err)
	require.Equal(t, want, string(have))
}

// Without an id the feed begins with what comes; a browser's id goes before the address.
func TestFeedBeginsWhereItIsTold(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve()
	live, all, resumed := c.follow(""), c.follow("?after=0"), c.follow("?after=0", "Last-Event-ID: 2")
	require.Equal(t, "4", (<-live.events).LastEventID, "a client that is cut off before its first change knows where it was")
	require.Equal(t, []uint64{1, 2, 3, 4}, all.sequences(4))
	require.Equal(t, []uint64{3, 4}, resumed.sequences(2))
	l.apply("ordatic", "ordatic", accepted("o-2"))
	for _, f := range []*feed{live, all, resumed} {
		require.Equal(t, "o-2", f.change().Key)
	}
	for _, bad := range []reply{c.get("/v1/changes?after=x"), c.get("/v1/changes?after=99999999999999999999"), c.get("/v1/changes", "Last-Event-ID: x")} {
		bad.refused(http.StatusBadRequest, "invalid-parameter")
	}
}

// What only was heard is no change.
func TestNoChangeIsNotSent(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	f := l.serve().follow("")
	l.apply("ordatic", "ordatic", accepted("o-1"))
	l.apply("ordatic", "ordatic", accepted("o-1"))
	l.quarantine("ordatic", "not-an-object", "")
	l.apply("ordatic", "ordatic", accepted("o-2"))
	require.Equal(t, []uint64{1, 4}, f.sequences(2))
}

// Every filter narrows the feed further, and the state is the one after the change.
func TestFeedFilters(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.apply("ivy", "ivy", accepted("o-2"))
	c := l.serve()
	for query, want := range map[string][]uint64{
		"":                                {1, 2, 3, 4, 5},
		"&source=ivy":                     {5},
		"&state=ready":                    {2},
		"&state=accepted,ready":           {1, 2, 5},
		"&state=accepted&state=ready":     {1, 2, 5},
		"&store=store-7&state=accepted":   {1},
		"&key=o-2":                        {5},
		"&key=store-7:o-1&source=ordatic": {1, 2, 3, 4},
	} {
		f := c.follow("?after=0" + query)
		require.Equal(t, want, f.sequences(len(want)), query)
		f.end()
	}
	c.get("/v1/changes?state=lost").refused(http.StatusBadRequest, "invalid-parameter")
}

// A client whose filter lets nothing through still learns how far the feed is, and a
// stream outlives what bounds the reading of a request.
func TestHeartbeatMovesTheLastID(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := l.fed(api.FeedConfig{Heartbeat: 10 * time.Millisecond})
	f := c.follow("?source=ivy")
	l.apply("ordatic", "ordatic", accepted("o-1"))
	for event := range f.events {
		require.Empty(t, event.Data)
		require.Empty(t, event.Type)
		if event.LastEventID == "1" {
			return
		}
	}
	require.Fail(t, "the feed has ended")
}

// What is personal is for who may see it, in the feed as elsewhere.
func TestFeedKeepsTheScope(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := l.serve(guardedBy(newKeyring()))
	read, raw := c.follow("", "Authorization: Bearer read"), c.follow("", "Authorization: Bearer raw")
	event := accepted("o-1")
	event.Reference = "for Ada"
	l.apply("ordatic", "ordatic", event)
	bare, whole := read.change(), raw.change()
	require.True(t, bare.Order.Redacted)
	require.Nil(t, bare.Order.Reference)
	require.Equal(t, "for Ada", *whole.Order.Reference)
	c.get("/v1/changes").refused(http.StatusUnauthorized, "unauthorized")
}

// As many clients follow as may, and no more; one that goes makes room. What follows in
// this process, as the publisher of the changes does, takes no place of theirs.
func TestFeedIsBounded(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	feed := api.NewFeed(l.Model, api.FeedConfig{Followers: 1})
	c := l.serve(func(config *api.Config) { config.Feed = feed })
	_, leave, err := feed.Follow(t.Context(), 0)
	require.NoError(t, err)
	defer leave()
	f := c.follow("")
	require.Equal(t, http.StatusServiceUnavailable, c.get("/v1/changes").Status)
	refused := c.get("/v1/changes")
	refused.refused(http.StatusServiceUnavailable, "too-many-followers")
	require.Equal(t, "1", refused.Header.Get("Retry-After"))
	f.end()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/changes", nil)
		require.NoError(t, err)
		response, err := c.http.Do(request)
		require.NoError(t, err)
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, 10*time.Second, 5*time.Millisecond)
}

// Who is further behind than may be, or further ahead than the read model, is told to read
// the orders anew, and goes on from there.
func TestFeedResets(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.fed(api.FeedConfig{Behind: 2})
	behind, near, ahead := c.follow("?after=1"), c.follow("?after=2"), c.follow("?after=9")
	require.Equal(t, api.Reset{StreamSequence: 4, Reason: "too-far-behind"}, behind.reset())
	require.Equal(t, api.Reset{StreamSequence: 4, Reason: "stream-sequence-unknown"}, ahead.reset())
	require.Equal(t, []uint64{3, 4}, near.sequences(2))
	l.apply("ordatic", "ordatic", accepted("o-2"))
	for _, f := range []*feed{behind, near, ahead} {
		require.EqualValues(t, 5, f.change().StreamSequence)
	}
}

// Where orders became others without a change, those who follow are told, and those who
// come back after it, but not who has nothing yet.
func TestRevisionResets(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve()
	f := c.follow("?after=2")
	require.Equal(t, []uint64{3, 4}, f.sequences(2))
	l.Model.Revise(4)
	require.Equal(t, api.Reset{StreamSequence: 4, Reason: "orders-revised"}, f.reset())
	require.Equal(t, api.Reset{StreamSequence: 4, Reason: "orders-revised"}, c.follow("?after=3").reset())
	all := c.follow("?after=0")
	require.Equal(t, []uint64{1, 2, 3, 4}, all.sequences(4))
	l.apply("ordatic", "ordatic", accepted("o-2"))
	require.EqualValues(t, 5, f.change().StreamSequence)
	require.EqualValues(t, 5, all.change().StreamSequence)
	require.EqualValues(t, 5, c.follow("?after=4", "Last-Event-ID: 5").at())
}

// at gives how far the feed says that it is.
func (f *feed) at() (streamSequence uint64) {
	f.t.Helper()
	event, open := <-f.events
	require.True(f.t, open)
	_, err := fmt.Sscan(event.LastEventID, &streamSequence)
	require.NoError(f.t, err)
	return streamSequence
}

// A server that stops ends every stream at once, however quiet it is.
func TestStopEndsTheFeed(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	server := api.Server("127.0.0.1:0", l.handler())
	c := listen(t, server)
	f := c.follow("")
	f.at()
	require.NoError(t, server.Shutdown(t.Context()))
	_, open := <-f.events
	require.False(t, open)
}

// A stream goes on for longer than a request may take to be read, or to be answered.
func TestFeedOutlivesTheLimitsOfOthers(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	server := api.Server("127.0.0.1:0", l.handler(func(c *api.Config) {
		c.Feed = api.NewFeed(l.Model, api.FeedConfig{Heartbeat: 20 * time.Millisecond})
	}))
	server.ReadTimeout, server.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	f := listen(t, server).follow("")
	for started := time.Now(); time.Since(started) < 300*time.Millisecond; {
		f.at()
	}
	l.apply("ordatic", "ordatic", domain.Event{Key: "o-1", Name: "order-accepted"})
	require.EqualValues(t, 1, f.change().StreamSequence)
}
