package projector_test

import (
	"context"
	"iter"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

// startExternal starts a server as an operator would run one, on a port of
// loopback; -1 takes a free one.
func startExternal(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	external, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir, SyncAlways: true,
	})
	require.NoError(t, err)
	external.Start()
	require.True(t, external.ReadyForConnections(projectortest.Patience))
	t.Cleanup(func() { halt(external) })
	return external
}

func halt(external *server.Server) {
	external.Shutdown()
	external.WaitForShutdown()
}

func openExternal(t *testing.T, external *server.Server) *eventlog.Log {
	t.Helper()
	conn, err := eventlog.Connect(eventlog.Servers{URL: external.ClientURL()}, nil)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	log, err := eventlog.Open(t.Context(), conn, eventlog.Config{MaxBytes: 64 << 20})
	require.NoError(t, err)
	return log
}

func accept(t *testing.T, log *eventlog.Log, event string, n int) {
	t.Helper()
	for range n {
		_, err := log.Append(t.Context(), &domain.Webhook{
			Provider: "ordatic", Source: "shop", Event: "other", Body: []byte(projectortest.Ordatic(event, "o-1")),
		})
		require.NoError(t, err)
	}
}

// An external server that was put back to an older point, and has grown beyond
// the checkpoint again by the time the projector finds it, holds other webhooks
// than those that were applied. Whatever the projector sees first of it, it takes
// none of them: what lies between would be skipped for ever.
func TestGuardStopsAtAStreamRestoredWhileAway(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "stream")
	external := startExternal(t, dir, -1)
	port := external.Addr().(*net.TCPAddr).Port
	accept(t, openExternal(t, external), "order-accepted", 90)
	halt(external)
	backup := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, os.CopyFS(backup, os.DirFS(dir)))

	external = startExternal(t, dir, port)
	log := openExternal(t, external)
	accept(t, log, "order-accepted", 10)
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	p := projector.New(log, model, projector.Config{})
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), projectortest.Patience)
	defer cancel()
	go func() { done <- p.Run(ctx) }()
	require.Eventually(t, func() bool { return p.Status().Checkpoint == 100 }, projectortest.Patience, time.Millisecond)

	halt(external)
	elsewhere := startExternal(t, backup, -1)
	accept(t, openExternal(t, elsewhere), "order-in-kitchen", 11)
	halt(elsewhere)
	startExternal(t, backup, port)

	var stop *projector.StopError
	require.ErrorAs(t, <-done, &stop)
	require.ErrorIs(t, stop, projector.ErrChanged)
	checkpoint, err := model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 100, checkpoint.StreamSequence)
}

// restoredLog is put back to another history between a look at it and the
// subscription that follows.
type restoredLog struct {
	before, after projector.Log
	restored      atomic.Bool
}

func (l *restoredLog) now() projector.Log {
	if l.restored.Load() {
		return l.after
	}
	return l.before
}

func (l *restoredLog) Info(ctx context.Context) (domain.StreamInfo, error) { return l.now().Info(ctx) }

func (l *restoredLog) Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error) {
	return l.now().Webhook(ctx, streamSequence)
}

func (l *restoredLog) Batches(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error] {
	l.restored.Store(true)
	return l.now().Batches(ctx, from, most)
}

// What a subscription gives is committed only after a look at the stream that is
// later than the subscription: a look before it may have seen another history.
func TestGuardLooksAgainAfterSubscribing(t *testing.T) {
	t.Parallel()
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	dir := filepath.Join(t.TempDir(), "stream")
	before := projectortest.StartBroker(t, dir)
	before.Accept(projectortest.Ordatic("order-accepted", "o-1"))
	before.Stop()
	backup := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, os.CopyFS(backup, os.DirFS(dir)))
	before.Start()
	run(t, before, model, before.Accept(projectortest.Ordatic("order-accepted", "o-2")), projector.Config{})
	after := projectortest.StartBroker(t, backup)
	after.Accept(projectortest.Ordatic("order-accepted", "o-3"))
	after.Accept(projectortest.Ordatic("order-accepted", "o-4"))

	stop := stopped(t, &restoredLog{before: before, after: after}, model)
	require.ErrorIs(t, stop, projector.ErrChanged)
	checkpoint, err := model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, checkpoint.StreamSequence)
}
