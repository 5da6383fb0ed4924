package api_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// Requests are counted by the route and never by what a sender or a client wrote:
// the number of series is bounded by the number of routes.
func TestMetrics(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	registry := prometheus.NewRegistry()
	var asked atomic.Uint64
	c := l.serve(func(c *api.Config) { c.Registerer, c.Gatherer, c.Asked = registry, registry, &asked })
	for _, path := range []string{
		"/v1/orders", "/v1/orders/ordatic/store-7:o-1", "/v1/orders/ordatic/none", "/v1/orders/ivy/none",
		"/one", "/two", "/v1/orders/../three", "/v1/orders?limit=0",
	} {
		c.get(path)
	}
	require.EqualValues(t, 8, asked.Load())
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP ticketrail_api_requests_total Requests that the API answered, by route and HTTP status.
# TYPE ticketrail_api_requests_total counter
ticketrail_api_requests_total{route="GET /v1/orders",status="200"} 1
ticketrail_api_requests_total{route="GET /v1/orders",status="400"} 1
ticketrail_api_requests_total{route="GET /v1/orders/{source}/{key}",status="200"} 1
ticketrail_api_requests_total{route="GET /v1/orders/{source}/{key}",status="404"} 2
ticketrail_api_requests_total{route="none",status="404"} 3
`), "ticketrail_api_requests_total"))
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	require.Empty(t, problems)

	page := c.get("/metrics")
	require.True(t, strings.HasPrefix(page.Header.Get("Content-Type"), "text/plain"))
	require.Contains(t, page.Body, `ticketrail_api_request_duration_seconds_count{route="GET /v1/orders"} 2`)
	require.Contains(t, page.Body, `ticketrail_api_requests_total{route="none",status="404"} 3`)
}
