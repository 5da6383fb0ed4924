package api_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// The process is alive whenever it answers, whatever else is broken.
func TestHealth(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.broken = errors.New("away")
	c := l.serve(func(c *api.Config) { c.Projector = func() (bool, string) { return false, "stopped" } })
	require.Equal(t, `{"status":"alive"}`+"\n", c.get("/healthz").Body)
}

// It is ready while the read model can be read and the projector runs, and tells
// the lag; the stream may be away meanwhile.
func TestReady(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.receive("ivy", "ivy", "order_updated", "{}")
	c := l.serve(func(c *api.Config) { c.Projector = func() (bool, string) { return true, "trying again" } })
	require.Equal(t, `{"status":"ready","checkpoint":4,"lag":{"webhooks":1,"oldest_seconds":6960}}`+"\n", c.get("/readyz").Body)
	l.broken = errors.New("away")
	require.Equal(t, `{"status":"ready","checkpoint":4,"lag":null}`+"\n", c.get("/readyz").Body)
}

// It is not ready while the projector does not run, and says why.
func TestNotReadyWithoutTheProjector(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve(func(c *api.Config) {
		c.Projector = func() (bool, string) { return false, "the stream was recreated" }
	})
	answer := c.get("/readyz")
	problem := answer.refused(http.StatusServiceUnavailable, "not-ready")
	require.Contains(t, problem.Detail, "the stream was recreated")
	require.Equal(t, "1", answer.Header.Get("Retry-After"))
}

// It is not ready while the read model cannot be read.
func TestNotReadyWithoutTheReadModel(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := l.serve()
	require.NoError(t, l.Model.Close())
	c.get("/readyz").refused(http.StatusServiceUnavailable, "not-ready")
	require.Equal(t, http.StatusOK, c.get("/healthz").Status)
}
