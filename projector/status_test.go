package projector_test

import (
	"context"
	"iter"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

// mutedLog counts how often it is looked at, and gives no webhook out.
type mutedLog struct {
	projector.Log
	looks atomic.Int64
}

func (l *mutedLog) Info(ctx context.Context) (domain.StreamInfo, error) {
	l.looks.Add(1)
	return l.Log.Info(ctx)
}

func (*mutedLog) Batches(ctx context.Context, _ uint64, _ int) iter.Seq2[*eventlog.Batch, error] {
	return func(yield func(*eventlog.Batch, error) bool) {
		<-ctx.Done()
		yield(nil, ctx.Err())
	}
}

// A projector that has waited for hours is well, one that waits for a webhook which
// the stream has is not: it tells what it waits for, and since when it has done so
// in vain.
func TestStatusTellsWhatTakesLong(t *testing.T) {
	t.Parallel()
	broker := projectortest.StartBroker(t, t.TempDir())
	log := &mutedLog{Log: broker}
	var passed atomic.Int64
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := projector.New(log, openModel(t, filepath.Join(t.TempDir(), "1.db")), projector.Config{
		Now: func() time.Time { return began.Add(time.Duration(passed.Load())) },
	})
	projectortest.Follow(t, p)
	require.Eventually(t, func() bool { return p.Status().Running }, projectortest.Patience, time.Millisecond)
	passed.Store(int64(time.Hour))
	last := log.looks.Load() + 2 // the one before that began after the hour, and has ended
	require.Eventually(t, func() bool { return log.looks.Load() >= last }, projectortest.Patience, time.Millisecond)
	require.Empty(t, p.Status().Reason)

	broker.Accept(projectortest.Ordatic("order-accepted", "o-1"))
	require.Eventually(t, func() bool { return p.Status().Last == 1 }, projectortest.Patience, time.Millisecond)
	passed.Add(int64(3*time.Second + 1))
	status := p.Status()
	require.Regexp(t, "^it has been waiting for stream sequence 1 since 2026-03-01T13:00:00Z$", status.Reason)
	require.NotEmpty(t, status.Hint)
	require.True(t, status.Running)
}
