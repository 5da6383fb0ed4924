package projector_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

// cutOffLog is a stream of a cluster whose leader is behind, and may not know it.
type cutOffLog struct {
	*projectortest.Broker
	behind, unsure atomic.Bool
	asked          atomic.Int64 // how often it was since it is behind
}

func (l *cutOffLog) Info(ctx context.Context) (domain.StreamInfo, error) {
	info, err := l.Broker.Info(ctx)
	if l.behind.Load() {
		info.Last, info.Unsure = 1, l.unsure.Load()
		l.asked.Add(1)
	}
	return info, err
}

// What a server says that may be behind the others stops nothing: nothing more is taken
// while it is in doubt that the stream has the checkpoint, the status says why, and it
// goes on when another server answers.
func TestAServerThatMayBeBehindIsAskedAgain(t *testing.T) {
	t.Parallel()
	log := &cutOffLog{Broker: projectortest.StartBroker(t, t.TempDir())}
	log.unsure.Store(true)
	p := projector.New(log, openModel(t, filepath.Join(t.TempDir(), "1.db")), projector.Config{})
	projectortest.Follow(t, p)
	await := func(what string, done func(projector.Status) bool) {
		t.Helper()
		require.Eventually(t, func() bool { return done(p.Status()) }, projectortest.Patience, time.Millisecond, what)
	}
	at := func(last uint64) func(projector.Status) bool {
		return func(s projector.Status) bool { return s.Checkpoint == last }
	}
	log.Accept(projectortest.Ordatic("order-accepted", "o-1"))
	log.Accept(projectortest.Ordatic("order-accepted", "o-2"))
	await("the beginning", at(2))

	log.behind.Store(true)
	await("the doubt", func(s projector.Status) bool { return s.Reason != "" })
	log.Accept(projectortest.Ordatic("order-accepted", "o-3"))
	asked := log.asked.Load()
	await("more questions", func(projector.Status) bool { return log.asked.Load() > asked+5 })
	status := p.Status()
	require.True(t, status.Running)
	require.Contains(t, status.Reason, "it ends at stream sequence 1")
	require.EqualValues(t, 2, status.Checkpoint, "nothing is taken in doubt")

	log.behind.Store(false)
	await("the rest", at(3))
	require.Empty(t, p.Status().Reason)
}

// A stream that ends before the checkpoint by all that is known stops the projector, as
// soon as it is known.
func TestAStreamThatIsSurelyBehindStops(t *testing.T) {
	t.Parallel()
	log := &cutOffLog{Broker: projectortest.StartBroker(t, t.TempDir())}
	log.Accept(projectortest.Ordatic("order-accepted", "o-1"))
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	run(t, log, model, log.Accept(projectortest.Ordatic("order-accepted", "o-2")), projector.Config{})
	log.behind.Store(true)
	require.ErrorIs(t, stopped(t, log, model), projector.ErrStreamBehind)
	require.EqualValues(t, 1, log.asked.Load())
}
