package api_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// watched is a stream, a projector and a read model whose commits can be made to
// fail, under the eyes of a pulse whose clock a test moves.
type watched struct {
	*client
	*sqlite.Model
	broker    *projectortest.Broker
	projector *projector.Projector
	pulse     *api.Pulse
	passed    atomic.Int64 // time since the opening
	diskFull  atomic.Bool
}

var errDiskFull = errors.New("the disk is full")

func (w *watched) Commit(ctx context.Context, b *domain.Batch) error {
	if w.diskFull.Load() {
		return errDiskFull
	}
	return w.Model.Commit(ctx, b)
}

func (w *watched) now() time.Time { return opening.Add(time.Duration(w.passed.Load())) }

// look moves the clock on and has the pulse look.
func (w *watched) look(later time.Duration) {
	w.passed.Add(int64(later))
	w.pulse.Look(w.t.Context())
}

func startWatched(t *testing.T) *watched {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "1.db"))
	require.NoError(t, err)
	w := &watched{Model: sqlite.NewModel(db), broker: projectortest.StartBroker(t, t.TempDir())}
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	w.projector = projector.New(w.broker, w, projector.Config{})
	projectortest.Follow(t, w.projector)
	metrics := prometheus.NewRegistry()
	w.pulse = api.NewPulse(w.Model, w.broker, w.now, metrics)
	w.client = serve(t, api.New(w.Model, w.broker, api.Config{
		Now: w.now, Pulse: w.pulse, Gatherer: metrics,
		Projector: func() (bool, string, string) {
			status := w.projector.Status()
			return status.Running, status.Reason, status.Hint
		},
	}))
	w.applied(w.accept())
	w.look(0)
	require.Equal(t, http.StatusOK, w.get("/readyz").Status)
	return w
}

func (w *watched) accept() uint64 { return w.broker.Accept(ordatic("order-accepted")) }

// applied waits until the read model has come to a stream sequence.
func (w *watched) applied(streamSequence uint64) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), projectortest.Patience)
	defer cancel()
	require.NoError(w.t, w.WaitFor(ctx, streamSequence))
}

// projection gives what /v1/projection says.
func (w *watched) projection() (p api.Projection) {
	w.t.Helper()
	w.get("/v1/projection").into(&p)
	return p
}

// requireStuck requires that a read model that has stood still for six seconds
// says so everywhere, and one that has for five does not yet.
func (w *watched) requireStuck() {
	w.t.Helper()
	w.accept()
	w.look(time.Second)
	w.look(4 * time.Second)
	require.True(w.t, *w.projection().Moving)
	w.look(time.Second)
	projection := w.projection()
	require.True(w.t, *projection.Running, "it says that it runs")
	require.False(w.t, *projection.Moving)
	require.EqualValues(w.t, 1, projection.Lag.Webhooks)
	require.Contains(w.t, w.get("/metrics").Body, "\nticketrail_read_model_moving 0\n")
	require.Contains(w.t, w.get("/metrics").Body, "\nticketrail_read_model_lag_webhooks 1\n")
	require.Regexp(w.t, `\nticketrail_stream_bytes [1-9]`, w.get("/metrics").Body)
	require.Regexp(w.t, `\nticketrail_stream_max_bytes [1-9]`, w.get("/metrics").Body)
	problem := w.get("/readyz").refused(http.StatusServiceUnavailable, "not-ready")
	require.Contains(w.t, problem.Detail, "stands still at stream sequence 1")
}

// requireFollowing requires that the read model catches up and all is well again.
func (w *watched) requireFollowing() {
	w.t.Helper()
	w.applied(2)
	w.look(time.Second)
	require.True(w.t, *w.projection().Moving)
	require.Equal(w.t, http.StatusOK, w.get("/readyz").Status)
	require.Contains(w.t, w.get("/metrics").Body, "\nticketrail_read_model_moving 1\n")
}

// A read model that cannot be written is not ready, and the reason is told.
func TestPulseOfAFullDisk(t *testing.T) {
	t.Parallel()
	w := startWatched(t)
	w.diskFull.Store(true)
	w.requireStuck()
	hasReason := func() bool { return w.projector.Status().Reason != "" }
	require.Eventually(t, hasReason, projectortest.Patience, time.Millisecond)
	require.Contains(t, w.get("/readyz").refused(http.StatusServiceUnavailable, "not-ready").Detail, errDiskFull.Error())
	w.diskFull.Store(false)
	w.requireFollowing()
}

// A projector that says that it runs and does nothing is found out.
func TestPulseOfAHeldProjector(t *testing.T) {
	t.Parallel()
	w := startWatched(t)
	held, letGo, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- w.projector.Hold(context.Background(), func() error {
			close(held)
			<-letGo
			return nil
		})
	}()
	<-held
	w.requireStuck()
	close(letGo)
	require.NoError(t, <-ended)
	w.requireFollowing()
}

// A stream that is away gives nothing to follow: the read model stands still and
// is up to date as far as anybody can tell. How far it is behind nobody knows then,
// and it is not told as 0.
func TestPulseWithoutTheStream(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.receive("ivy", "ivy", "order_updated", "{}")
	l.broken = errors.New("away")
	var passed time.Duration
	metrics := prometheus.NewRegistry()
	pulse := api.NewPulse(l.Model, l, func() time.Time { return opening.Add(passed) }, metrics)
	page := func() string { return l.serve(func(c *api.Config) { c.Gatherer = metrics }).get("/metrics").Body }
	for range 10 {
		pulse.Look(t.Context())
		passed += time.Second
	}
	require.True(t, pulse.Moving())
	require.Nil(t, pulse.Lag())
	for _, line := range []string{"read_model_lag_webhooks NaN", "read_model_lag_seconds NaN", "stream_reachable 0"} {
		require.Contains(t, page(), "\nticketrail_"+line+"\n")
	}
	l.broken = nil
	for range 7 {
		pulse.Look(t.Context())
		passed += time.Second
	}
	require.False(t, pulse.Moving())
	require.EqualValues(t, 1, pulse.Lag().Webhooks)
	for _, line := range []string{"read_model_lag_webhooks 1", "read_model_moving 0", "stream_reachable 1"} {
		require.Contains(t, page(), "\nticketrail_"+line+"\n")
	}
}

// A read model that cannot be read does not follow, and nothing that was seen of it
// before is told for long.
func TestPulseOfAnUnreadableReadModel(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	var passed time.Duration
	pulse := api.NewPulse(l.Model, l, func() time.Time { return opening.Add(passed) }, nil)
	pulse.Look(t.Context())
	require.Equal(t, &api.Lag{}, pulse.Lag())
	require.NoError(t, l.Model.Close())
	passed += 5 * time.Second
	pulse.Look(t.Context())
	require.True(t, pulse.Moving())
	require.Nil(t, pulse.Lag())
	passed += time.Second
	require.False(t, pulse.Moving(), "whether or not anybody looks")
}

// The rate is taken over the last ten seconds, and is never below zero: a
// rollback may lead to an earlier checkpoint.
func TestPulseRate(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	var passed time.Duration
	pulse := api.NewPulse(l.Model, l, func() time.Time { return opening.Add(passed) }, nil)
	l.quarantine("runa", domain.CauseMalformed, "")
	pulse.Look(t.Context())
	require.Zero(t, pulse.Rate())
	for range 5 {
		passed += time.Second
		l.quarantine("runa", domain.CauseMalformed, "")
		l.quarantine("runa", domain.CauseMalformed, "")
		pulse.Look(t.Context())
	}
	require.InDelta(t, 2.0, pulse.Rate(), 1e-9)
	earlier, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "2.db"))
	require.NoError(t, err)
	require.NoError(t, l.Model.Replace(earlier))
	passed += time.Second
	pulse.Look(t.Context())
	require.Zero(t, pulse.Rate())
	passed += time.Second
	l.quarantine("runa", domain.CauseMalformed, "")
	pulse.Look(t.Context())
	require.Positive(t, pulse.Rate())
	for range 11 {
		passed += time.Second
		pulse.Look(t.Context())
	}
	require.Zero(t, pulse.Rate())
}
