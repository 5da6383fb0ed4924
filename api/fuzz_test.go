package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// Whatever path and query are asked for, cursors, moments, states and ids in them,
// the answer is never that the defect is ours.
func FuzzRequests(f *testing.F) {
	for _, c := range []struct{ path, query string }{
		{"/v1/orders", "cursor=AAAAAAAAAAAAAAAAAAAAAA&limit=1&state=open&sort=created"},
		{"/v1/orders", "at=2026-03-01T12:00:00Z&q=%25&problem=true&updated_since=2026-03-01T12:00:00Z"},
		{"/v1/orders/ordatic/store-7:o-1/timeline", "cursor=x"},
		{"/v1/orders/ordatic/%2e%2e/explanation", "at=1"},
		{"/v1/orders/ordatic/o/proofs/p", "min_stream_sequence=0"},
		{"/v1/webhooks/1", "raw=true"},
		{"/v1/quarantine/w-1", ""},
		{"/v1/quarantine", "kind=rejected&cause=x&until=w-1"},
		{"/v1/stats", ""},
		{"/v1/stats/timeseries", "metric=webhooks&step=250ms&from=0&to=1772370000000"},
		{"/v1/stats/timeseries", "metric=late&step=999999999w&from=2026-03-01T12:00:00Z&format=csv"},
		{"/v1/stats/time-in-state", "by=hour&from=9223372036854775807&state=ready"},
		{"/problems/x", ""},
	} {
		f.Add(c.path, c.query)
	}
	db, err := sqlite.Open(f.Context(), filepath.Join(f.TempDir(), "1.db"))
	require.NoError(f, err)
	model := sqlite.NewModel(db)
	f.Cleanup(func() { require.NoError(f, model.Close()) })
	handler := api.New(model, &ledger{Model: model}, api.Config{Now: now})
	f.Fuzz(func(t *testing.T, path, query string) {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/", nil)
		parsed, err := url.ParseRequestURI(path)
		if err != nil || parsed.Host != "" {
			t.Skip("no server hands it on")
		}
		parsed.RawQuery = query
		request.URL = parsed
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		require.NotEqual(t, http.StatusInternalServerError, answer.Code, "%s", answer.Body)
	})
}
