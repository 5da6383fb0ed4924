package load_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/bench/load"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// Orders that are told again are orders of their own: each key belongs to one order, and
// each webhook has an id that no other has.
func TestEveryOrderIsItsOwn(t *testing.T) {
	t.Parallel()
	mix := load.NewMix(1)
	keys, ids := map[string]int{}, map[string]bool{}
	const orders = 5000
	for n := range orders {
		for _, w := range mix.Order(n) {
			adapter, _ := provider.Named(w.Provider)
			if w.Key != "" {
				event, err := adapter.Translate(w.Webhook)
				require.NoError(t, err)
				require.Equal(t, event.Key, w.Key)
				of, known := keys[w.Source+" "+w.Key]
				require.True(t, !known || of == n, "%s is order %d and order %d", w.Key, of, n)
				keys[w.Source+" "+w.Key] = n
			}
			if w.ID != "" {
				require.False(t, ids[w.ID], w.ID)
				ids[w.ID] = true
			}
		}
	}
	require.Greater(t, len(keys), orders*9/10)
}

// The mix is that of life: most bodies are small, some have kilobytes.
func TestTheMixIsThatOfLife(t *testing.T) {
	t.Parallel()
	small, large, all := 0, 0, 0
	for w := range load.NewMix(1).Webhooks(0, 5000) {
		all++
		switch n := len(w.Body); {
		case n < 120:
			small++
		case n >= 1000:
			large++
		}
	}
	require.Greater(t, small, all*8/10)
	require.Greater(t, large, all/30)
	require.Less(t, large, all/5)
}

// A webhook is signed as its provider signs, and is found in its answer again.
func TestWebhooksAreAuthentic(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		adapter, _ := provider.Named(strings.TrimPrefix(r.URL.Path, "/webhooks/"))
		body, err := io.ReadAll(r.Body)
		request := &provider.Request{Header: r.Header, Query: r.URL.Query(), Body: body, At: time.Now()}
		if err != nil || adapter.Verify(request, []string{load.Secret(adapter)}) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		seen[string(body)] = true
		_, _ = io.WriteString(w, `{"stream_sequence":7,"duplicate":false}`)
	}))
	defer server.Close()

	var requests []load.Request
	bodies := map[string]bool{}
	for w := range load.NewMix(2).Webhooks(0, 300) {
		requests = append(requests, load.Post(w))
		bodies[string(w.Body)] = true
	}
	receipts := 0
	report, err := load.Run(t.Context(), load.Plan{
		Address: server.Listener.Addr().String(), Connections: 7, For: time.Minute,
	}, requests, func(r load.Receipt) {
		mu.Lock()
		defer mu.Unlock()
		receipts++
		require.EqualValues(t, 7, r.StreamSequence)
	})
	require.NoError(t, err)
	require.Empty(t, report.Others)
	require.True(t, report.Out)
	require.Equal(t, len(requests), report.Answered)
	require.Equal(t, len(requests), receipts)
	require.Equal(t, bodies, seen)
	require.GreaterOrEqual(t, report.P99, report.P50)
}

// What is no 200 is counted by its status, and long answers are read whole.
func TestOtherAnswersAreCounted(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 10_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			w.WriteHeader(http.StatusGone)
		}
		_, _ = io.WriteString(w, long) // in chunks
	}))
	defer server.Close()
	requests := []load.Request{load.Get("/there"), load.Get("/gone"), load.Get("/there")}
	report, err := load.Run(t.Context(), load.Plan{
		Address: server.Listener.Addr().String(), Connections: 1, For: time.Minute,
	}, requests, nil)
	require.NoError(t, err)
	require.Equal(t, 2, report.Answered)
	require.Equal(t, map[int]int{http.StatusGone: 1}, report.Others)
}

// A pace is kept to: what is not due before the time is over is not sent.
func TestAPaceIsKept(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	report, err := load.Run(t.Context(), load.Plan{
		Address: server.Listener.Addr().String(), Connections: 2, For: 100 * time.Millisecond, PerSecond: 200, Again: true,
	}, []load.Request{load.Get("/")}, nil)
	require.NoError(t, err)
	require.Equal(t, 20, report.Answered)
}
