package api_test

import (
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// A process without a read model says so of whatever it would need one for, and asks for a
// token as every other does.
func TestAProcessWithoutAReadModel(t *testing.T) {
	t.Parallel()
	metrics := prometheus.NewRegistry()
	c := serve(t, api.NewApart(api.Config{Token: "secret", Gatherer: metrics, Registerer: metrics}))
	require.Equal(t, http.StatusOK, c.get("/healthz").Status)
	c.get("/metrics").refused(http.StatusUnauthorized, "unauthorized")
	const bearer = "Authorization: Bearer secret"
	require.Contains(t, c.get("/metrics", bearer).Body, "ticketrail_api_requests_total")
	c.get("/v1/orders", bearer).refused(http.StatusNotImplemented, "projector-elsewhere")
	c.get("/readyz").refused(http.StatusNotImplemented, "projector-elsewhere")
	c.get("/v1/arrivals", bearer).refused(http.StatusNotImplemented, "ingest-elsewhere")
	require.Equal(t, http.StatusOK, c.get("/problems/projector-elsewhere").Status)
}
