package eventlog_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// breakServer has a server fail to write, until it says why, and gives how the reason is
// taken away.
func breakServer(t *testing.T, log *eventlog.Log, dir, reason string) (mend func()) {
	t.Helper()
	blocks := filepath.Join(dir, "jetstream", "$G", "streams", eventlog.WebhooksStream, "msgs")
	require.NoError(t, os.Rename(blocks, blocks+"-aside"))
	require.NoError(t, os.WriteFile(blocks, nil, 0o600)) // so that no next block can be made
	require.Eventually(t, func() bool {
		_, err := log.Append(patient(t), webhook("", strings.Repeat("x", 1<<20)))
		return err != nil && strings.Contains(err.Error(), reason)
	}, patience, tick)
	return func() {
		require.NoError(t, os.Remove(blocks))
		require.NoError(t, os.Rename(blocks+"-aside", blocks))
	}
}

func nothing() error { return nil }

// A server that could not write refuses until it is started again, and then it goes on
// on the same connections: what it had acknowledged is there, and it takes webhooks.
func TestRestartMendsABrokenServer(t *testing.T) {
	t.Parallel()
	for sync, reason := range cannotWrite {
		t.Run(string(sync), func(t *testing.T) {
			t.Parallel()
			restartMends(t, sync, reason)
		})
	}
}

func restartMends(t *testing.T, sync eventlog.Sync, reason string) {
	t.Helper()
	dir := t.TempDir()
	embedded := startSyncing(t, dir, sync)
	log := openLog(t, embedded, dir)
	appendWebhook(t, log, webhook("evt_1", "{}"))

	mend := breakServer(t, log, dir, reason)
	require.ErrorContains(t, embedded.AwaitBreak(patient(t)), reason)
	before, err := log.Info(t.Context())
	require.NoError(t, err, "what was stored can still be read")
	for _, id := range []string{"evt_1", "evt_2"} {
		_, err := log.Append(t.Context(), webhook(id, "{}"))
		require.ErrorIs(t, err, eventlog.ErrUnavailable)
		require.ErrorContains(t, err, reason)
	}
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrUnavailable)

	mend()
	require.NoError(t, embedded.Restart(patient(t), nothing))
	require.NoError(t, log.Ready(patient(t)))
	after, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Equal(t, eventlog.Receipt{StreamSequence: 1, Duplicate: true}, appendWebhook(t, log, webhook("evt_1", "{}")))
	require.Equal(t, eventlog.Receipt{StreamSequence: before.Last + 1}, appendWebhook(t, log, webhook("evt_2", "{}")))
	read(t, log, 1, 100, int(before.Last)+1)
}

// Whoever reads or waits while the server is started again is not left to wait.
func TestRestartInterruptsReaders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	appendWebhook(t, log, webhook("evt_1", "{}"))
	for _, err := range log.Batches(patient(t), 1, 10) {
		if err != nil {
			require.ErrorIs(t, err, eventlog.ErrInterrupted)
			break
		}
		require.NoError(t, embedded.Restart(patient(t), nothing))
	}
	require.ErrorIs(t, embedded.AwaitBreak(canceled()), context.Canceled, "the new server is not broken")
}

// A restart that does not come to its end leaves the server stopped, and can be tried
// again; one that was closed stays so.
func TestRestartCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	refused := errors.New("the files are not as they should be")
	require.ErrorIs(t, embedded.Restart(t.Context(), func() error { return refused }), refused)
	require.ErrorIs(t, embedded.Restart(canceled(), nothing), context.Canceled)
	_, err := log.Append(t.Context(), webhook("evt_1", "{}"))
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	require.NoError(t, embedded.Restart(patient(t), nothing))
	appendWebhook(t, log, webhook("evt_1", "{}"))

	require.NoError(t, embedded.Close())
	require.ErrorIs(t, embedded.Restart(t.Context(), nothing), eventlog.ErrClosed)
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
