package dashboard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// lookEvery is how often the stand-in looks for what changed.
const lookEvery = 20 * time.Millisecond

// feed stands in front of a program's API and adds the feed of changes: what it tells, it
// finds by asking for the orders that changed.
type feed struct {
	t       *testing.T
	api     string
	through *httputil.ReverseProxy

	mu    sync.Mutex
	asked []string           // the values of after, one for each connection
	cut   context.CancelFunc // ends the present connection
	reset bool               // whether the next connection begins with a reset
}

// withFeed gives the address of the program with a feed.
func withFeed(t *testing.T, s *shop) (*feed, string) {
	t.Helper()
	target, err := url.Parse(s.app.Addresses().API)
	require.NoError(t, err)
	f := &feed{t: t, api: s.app.Addresses().API, through: httputil.NewSingleHostReverseProxy(target), cut: func() {}}
	f.through.ErrorLog = log.New(io.Discard, "", 0) // what a page no longer waits for is no error
	server := httptest.NewServer(f)
	t.Cleanup(func() {
		f.drop()
		server.Close()
	})
	return f, server.URL + "/"
}

func (f *feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/changes" {
		f.through.ServeHTTP(w, r)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	f.mu.Lock()
	f.asked, f.cut = append(f.asked, r.URL.Query().Get("after")), cancel
	reset := f.reset
	f.reset = false
	f.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	at, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		at = f.checkpoint(ctx)
	}
	if reset {
		fmt.Fprintf(w, "id: %d\nevent: reset\ndata: {\"stream_sequence\":%d,\"reason\":\"too-far-behind\"}\n\n", at, at)
	}
	f.follow(ctx, w, at)
}

// follow tells what changes until the context ends.
func (f *feed) follow(ctx context.Context, w http.ResponseWriter, at uint64) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		fmt.Fprintf(w, "id: %d\n\n", at)
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, order := range f.changed(ctx, at) {
			text, err := json.Marshal(map[string]any{"stream_sequence": order.StreamSequence, "source": order.Source, "key": order.Key, "state": order.State, "order": order})
			if err != nil {
				return
			}
			at = max(at, order.StreamSequence)
			fmt.Fprintf(w, "id: %d\nevent: change\ndata: %s\n\n", at, text)
		}
	}
}

// changed gives the orders that changed after a stream sequence, in the order of that.
func (f *feed) changed(ctx context.Context, at uint64) (orders []api.Order) {
	var list api.OrderList
	f.get(ctx, "/v1/orders?sort=updated&limit=200", &list)
	for _, order := range list.Orders {
		if order.StreamSequence > at {
			orders = append(orders, order)
		}
	}
	return orders
}

func (f *feed) checkpoint(ctx context.Context) uint64 {
	var projection api.Projection
	f.get(ctx, "/v1/projection", &projection)
	return projection.Checkpoint
}

// get asks the API; what does not answer any more has nothing to tell.
func (f *feed) get(ctx context.Context, path string, answer any) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.api+path, nil)
	if err != nil {
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	_ = json.NewDecoder(response.Body).Decode(answer)
}

// drop cuts the present connection.
func (f *feed) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut()
}

// connections gives what was asked for, connection by connection.
func (f *feed) connections() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

// With a feed a change is there at once, a connection that was cut goes on where it was,
// and a reset has the lists read anew.
func TestTheFeedIsFollowed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	f, url := withFeed(t, s)
	p := open(t, url)
	p.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
	p.shows(".connection", "Live")
	p.shows(`[data-column="accepted"] .card`, "o-1")
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	p.shows(`[data-column="in-kitchen"] .card`, "o-1")

	f.drop()
	s.ordatic("order-accepted", "store-7", "o-2")
	p.shows(`[data-column="accepted"] .card`, "o-2")
	p.shows(".connection", "Live")
	asked := f.connections()
	require.Len(t, asked, 2)
	require.Empty(t, asked[0])
	require.NotEmpty(t, asked[1], "it goes on where it was")

	f.mu.Lock()
	f.reset = true
	f.mu.Unlock()
	p.do(spy("/v1/orders"))
	f.drop()
	p.await(`window.spied > 8`)
}
