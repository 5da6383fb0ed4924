package eventlog_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// patience is how long a test waits for what must come; none waits so long
// unless it fails.
const patience = 20 * time.Second

// tick is how often a test looks for what no channel tells it.
const tick = 10 * time.Millisecond

// startEmbedded starts a server on a folder and stops it with the test.
func startEmbedded(t testing.TB, dir string) *eventlog.Embedded {
	t.Helper()
	return startSyncing(t, dir, eventlog.SyncGroup)
}

// startSyncing is startEmbedded with the server's way to sync.
func startSyncing(t testing.TB, dir string, sync eventlog.Sync) *eventlog.Embedded {
	t.Helper()
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir, Sync: sync})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, embedded.Close()) })
	return embedded
}

// cannotWrite is what each way to sync says of a disk that takes nothing more.
var cannotWrite = map[eventlog.Sync]string{
	eventlog.SyncGroup: "sync the stream",
	eventlog.SyncEach:  "write error",
	eventlog.SyncPage:  "write error",
}

// openLog opens the streams of an embedded server.
func openLog(t testing.TB, embedded *eventlog.Embedded, dir string) *eventlog.Log {
	t.Helper()
	log, err := eventlog.Open(t.Context(), embedded.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 64 << 20})
	require.NoError(t, err)
	return log
}

// newLog opens the streams of a new embedded server in a new folder.
func newLog(t testing.TB) *eventlog.Log {
	t.Helper()
	dir := t.TempDir()
	return openLog(t, startEmbedded(t, dir), dir)
}

func webhook(id, body string) *domain.Webhook {
	return &domain.Webhook{Provider: "ivy", Source: "shop", Event: "order_updated", ID: id, Body: []byte(body)}
}

func appendWebhook(t testing.TB, log *eventlog.Log, w *domain.Webhook) eventlog.Receipt {
	t.Helper()
	receipt, err := log.Append(t.Context(), w)
	require.NoError(t, err)
	return receipt
}

// patient gives a context that ends before the test run does.
func patient(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
