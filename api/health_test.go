package api_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// The process is alive whenever it answers, whatever else is broken.
func TestHealth(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.broken = errors.New("away")
	c := l.serve(func(c *api.Config) { c.Projector = func() (bool, string, string) { return false, "stopped", "" } })
	require.Equal(t, `{"status":"alive"}`+"\n", c.get("/healthz").Body)
}

// It is ready while the read model can be read and the projector runs, and tells
// the lag; the stream may be away meanwhile.
func TestReady(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.receive("ivy", "ivy", "order_updated", "{}")
	c := l.serve(func(c *api.Config) { c.Projector = func() (bool, string, string) { return true, "trying again", "" } })
	require.Equal(t, `{"status":"ready","checkpoint":4,"lag":{"webhooks":1,"oldest_seconds":6960}}`+"\n", c.get("/readyz").Body)
	l.broken = errors.New("away")
	require.Equal(t, `{"status":"ready","checkpoint":4,"lag":null}`+"\n", c.get("/readyz").Body)
}

// It is not ready while the projector does not run, and says why and what to do.
// However often it is asked, the log hears of it once a minute.
func TestNotReadyWithoutTheProjector(t *testing.T) {
	t.Parallel()
	var logged strings.Builder
	c := newLedger(t).serve(func(c *api.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		c.Projector = func() (bool, string, string) { return false, "the stream was recreated", "rebuild" }
	})
	answer := c.get("/readyz")
	problem := answer.refused(http.StatusServiceUnavailable, "not-ready")
	require.Equal(t, "The projector does not run: the stream was recreated", problem.Detail)
	require.Equal(t, "rebuild", problem.Hint)
	require.Equal(t, "1", answer.Header.Get("Retry-After"))
	c.get("/readyz").refused(http.StatusServiceUnavailable, "not-ready")
	require.Equal(t, 1, strings.Count(logged.String(), "not-ready"))
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
