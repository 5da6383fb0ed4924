package ingest_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/ingest"
)

// Each request to a webhook endpoint is told with what came of it, and with nothing that
// its sender wrote.
func TestEachRequestIsTold(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []domain.Arrival
	r := start(t, func(c *ingest.Config) {
		c.Tell = func(a domain.Arrival) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, a)
		}
	})
	body := []byte(`{"id":"` + canary + `","status":"COMPLETED"}`)
	r.do(t, r.signed(t, "runa", "msg_1", body))
	r.do(t, r.signed(t, "runa", "msg_1", body))
	r.do(t, r.plain(t, http.MethodPost, "/webhooks/runa", body))
	r.do(t, r.signed(t, "ivy", "", []byte(canary)))
	r.do(t, r.plain(t, http.MethodPost, "/webhooks/"+canary, body))
	r.do(t, r.plain(t, http.MethodGet, "/readyz", nil))

	mu.Lock()
	defer mu.Unlock()
	var said []string
	for _, a := range told {
		require.False(t, a.At.IsZero())
		require.GreaterOrEqual(t, a.Took.Seconds(), 0.0)
		said = append(said, fmt.Sprintf("%s/%s %d %s at %d, %d bytes", a.Source, a.Event, a.Status, a.Verdict, a.StreamSequence, a.Size))
	}
	require.Equal(t, []string{
		"runa/order-completion 200 accepted at 1, 36 bytes",
		"runa/order-completion 200 duplicate at 1, 36 bytes",
		"runa/ 401 credential-missing at 0, 36 bytes",
		"ivy/ 400 not-json at 0, 6 bytes",
		"/ 404 unknown-source at 0, 36 bytes",
	}, said)
	require.NotContains(t, fmt.Sprint(told), canary)
}
