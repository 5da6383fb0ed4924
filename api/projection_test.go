package api_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// The projection tells the checkpoint with its arithmetic, the stream, and the
// lag in webhooks and in seconds.
func TestProjection(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.quarantine("ivy", domain.CauseMalformed, "")
	l.receive("ivy", "ivy", "order_updated", "{}")
	l.receive("ivy", "ivy", "order_updated", "{}")
	c := l.serve(func(c *api.Config) {
		c.Version = "v0.1.0"
		c.Projector = func() (bool, string, string) { return true, "", "" }
	})
	require.Equal(t, `{"checkpoint":5,"counts":{"applied":4,"duplicate":0,"not_about_order":0,"quarantined":1,"sum":5},`+
		`"stream":{"name":"WEBHOOKS","created_at":"2026-03-01T12:00:00Z","first":1,"last":7},`+
		`"lag":{"webhooks":2,"oldest_seconds":6900},"running":true,"reason":null,"hint":null,"webhooks_per_second":null,"moving":null,"rebuild":null,"projection_version":1,"program_version":"v0.1.0"}`+"\n",
		c.get("/v1/projection").Body)
}

// A rejected request that was released later waits since the stream has it, however
// long ago it came; and where the oldest webhook is missing, nobody knows its age.
func TestLagOfAWebhookReleasedLate(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	released := l.receive("ivy", "ivy", "order_updated", "{}")
	released.ReceivedAt = domain.UnixInstant(0)
	var projection api.Projection
	c := l.serve()
	c.get("/v1/projection").into(&projection)
	require.InDelta(t, now().Sub(released.StoredAt.Time()).Seconds(), *projection.Lag.OldestSeconds, 1e-9)
	l.sent[4] = nil
	l.receive("ivy", "ivy", "order_updated", "{}")
	c.get("/v1/projection").into(&projection)
	require.Equal(t, api.Lag{Webhooks: 2}, *projection.Lag)
}

// Without a stream to ask, what the read model knows is told all the same.
func TestProjectionWithoutTheStream(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.broken = errors.New("away")
	c := l.serve(func(c *api.Config) {
		c.Projector = func() (bool, string, string) { return false, "the stream was recreated", "rebuild" }
	})
	var projection api.Projection
	c.get("/v1/projection").into(&projection)
	require.Equal(t, uint64(4), projection.Checkpoint)
	require.Nil(t, projection.Stream)
	require.Nil(t, projection.Lag)
	require.False(t, *projection.Running)
	require.Equal(t, "the stream was recreated", *projection.Reason)
	require.Equal(t, "rebuild", *projection.Hint)
}

// Nothing applied yet is a checkpoint of 0, and no error.
func TestProjectionBeforeTheFirstCommit(t *testing.T) {
	t.Parallel()
	var projection api.Projection
	newLedger(t).serve().get("/v1/projection").into(&projection)
	require.Zero(t, projection.Checkpoint)
	require.Equal(t, api.Lag{}, *projection.Lag)
	require.Nil(t, projection.Running, "the projector is another process")
}

// The statistics count orders and webhooks, and measure how long orders stay.
func TestStats(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.apply("ivy", "ivy", withHistory("i-1"))
	c := l.serve()
	var stats api.Stats
	c.get("/v1/stats?minutes=118").into(&stats)
	require.Equal(t, []api.OrderCount{
		{Source: "ivy", State: domain.StateCompleted, Orders: 1},
		{Source: "ordatic", State: domain.StateRiderDelivering, Orders: 1},
	}, stats.Orders)
	require.Len(t, stats.WebhooksPerMinute, 3, "the first two are older")
	require.Equal(t, uint64(1), stats.WebhooksPerMinute[0].Applied)
	require.Equal(t, at(2).Time(), stats.WebhooksPerMinute[0].Minute.Time())
	require.Len(t, stats.TimeInState, 2)
	require.Equal(t, domain.StateAccepted, stats.TimeInState[0].State)
	require.InDelta(t, 60, stats.TimeInState[0].P50Seconds, 60.0/8)
	require.Equal(t, api.Lag{}, *stats.Lag)
	c.get("/v1/stats?minutes=1441").refused(400, "invalid-parameter")
}

// The sources are told as they are configured, and [] where there are none.
func TestSources(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	require.Equal(t, `{"sources":[{"name":"ordatic","provider":"ordatic","currency":"SEK","secrets":[],"last_heard_at":null,"silent":null},{"name":"ivy","provider":"ivy","currency":null,"secrets":[],"last_heard_at":null,"silent":null}]}`+"\n",
		l.serve().get("/v1/sources").Body)
	require.Equal(t, `{"sources":[]}`+"\n", l.serve(func(c *api.Config) { c.Sources = nil }).get("/v1/sources").Body)
}
