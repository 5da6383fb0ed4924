package eventlog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/ticketrail/ticketrail/eventlog"
)

// Each way to sync keeps every webhook of many senders at once, over many files of the
// stream, and gives each a stream sequence of its own.
func TestAppendOfManySenders(t *testing.T) {
	t.Parallel()
	for sync, promise := range map[eventlog.Sync]eventlog.Durability{
		eventlog.SyncGroup: eventlog.Synced, eventlog.SyncEach: eventlog.Synced, eventlog.SyncPage: eventlog.Paged,
	} {
		t.Run(string(sync), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			log := openLog(t, startSyncing(t, dir, sync), dir)
			require.Equal(t, promise, log.Durability())
			const senders, each = 16, 20
			var group errgroup.Group
			for sender := range senders {
				group.Go(func() error {
					for n := range each {
						id := fmt.Sprintf("evt_%d_%d", sender, n)
						if _, err := log.Append(t.Context(), webhook(id, strings.Repeat("x", 64<<10)+id)); err != nil {
							return err
						}
					}
					return nil
				})
			}
			require.NoError(t, group.Wait())
			seen := map[string]bool{}
			for _, w := range read(t, log, 1, 100, senders*each) {
				seen[w.ID] = true
			}
			require.Len(t, seen, senders*each)
		})
	}
}

// A server cannot be started with a way to sync that there is not.
func TestStartEmbeddedRefusesAnUnknownSync(t *testing.T) {
	t.Parallel()
	_, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: t.TempDir(), Sync: "sometimes"})
	require.ErrorContains(t, err, `"sometimes" is none of group, each and page`)
}

// How far the stream is synced is kept beside it, and never says too much: where nothing
// is known, or the note is damaged, it is 0.
func TestSyncedTo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	stream := filepath.Join(dir, "jetstream", "$G", "streams", eventlog.WebhooksStream)
	requireSyncedTo(t, stream, 0, true)
	for n := range 5 {
		appendWebhook(t, log, webhook(fmt.Sprint("evt_", n), "{}"))
	}
	require.Eventually(t, func() bool {
		reached, known, err := eventlog.SyncedTo(stream)
		return err == nil && known && reached == 5
	}, patience, tick, "while it runs")
	appendWebhook(t, log, webhook("evt_6", "{}"))
	require.NoError(t, embedded.Close())
	requireSyncedTo(t, stream, 6, true)
	each := startSyncing(t, dir, eventlog.SyncEach)
	openLog(t, each, dir)
	requireSyncedTo(t, stream, 0, false)
	require.NoError(t, each.Close())
	openLog(t, startSyncing(t, dir, eventlog.SyncPage), dir)
	requireSyncedTo(t, stream, 6, true)

	mark := filepath.Join(stream, "synced")
	text, err := os.ReadFile(mark)
	require.NoError(t, err)
	for at := range text {
		damaged := append([]byte(nil), text...)
		damaged[at] ^= 1
		require.NoError(t, os.WriteFile(mark, damaged, 0o600))
		requireSyncedTo(t, stream, 0, false)
	}
	for end := range len(text) {
		require.NoError(t, os.WriteFile(mark, text[:end], 0o600))
		requireSyncedTo(t, stream, 0, false)
	}
}

func requireSyncedTo(t *testing.T, stream string, sequence uint64, known bool) {
	t.Helper()
	reached, isKnown, err := eventlog.SyncedTo(stream)
	require.NoError(t, err)
	require.Equal(t, known, isKnown)
	require.Equal(t, sequence, reached)
}

// Where nobody waits for a sync the streams are synced all the same, and it is kept how far.
func TestSyncedToFollowsWhereNobodyWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startSyncing(t, dir, eventlog.SyncPage)
	log := openLog(t, embedded, dir)
	stream := filepath.Join(dir, "jetstream", "$G", "streams", eventlog.WebhooksStream)
	for n := range uint64(2) {
		appendWebhook(t, log, webhook("", "{}"))
		require.Eventually(t, func() bool {
			reached, known, err := eventlog.SyncedTo(stream)
			return err == nil && known && reached == n+1
		}, patience, tick)
	}
}

// How far the stream was on disk is not forgotten because somebody reads it from its
// beginning, and the server is started again meanwhile.
func TestSyncedToStaysWhereItWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	stream := filepath.Join(dir, "jetstream", "$G", "streams", eventlog.WebhooksStream)
	for n := range 5 {
		appendWebhook(t, log, webhook(fmt.Sprint("evt_", n), "{}"))
	}
	require.NoError(t, embedded.Restart(t.Context(), nothing))
	requireSyncedTo(t, stream, 5, true)
	read(t, log, 1, 1, 3)
	require.NoError(t, embedded.Close()) // which writes how far it is
	requireSyncedTo(t, stream, 5, true)
}

// A data folder may have any name.
func TestAppendInAFolderWithAnOddName(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), `[a*?\`)
	log := openLog(t, startEmbedded(t, dir), dir)
	appendWebhook(t, log, webhook("evt_1", "{}"))
}

// A disk that does not come back from a sync is told as soon as no receipt waits for it
// any more; and then webhooks are refused before they are stored.
func TestNotReadyWhileASyncDoesNotEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := openLog(t, startEmbedded(t, dir), dir)
	release := hangSync(t, dir)
	_, err := log.Append(t.Context(), webhook("evt_1", "{}"))
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	require.Eventually(t, func() bool { return log.Ready(t.Context()) != nil }, patience, tick)
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrUnavailable)
	_, err = log.Append(t.Context(), webhook("evt_2", "{}"))
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(1), info.Last)
	release()
}

// hangSync has the next sync of a stream not return until it is released, which breaks the
// server: what it takes for the newest file is a pipe, and opening that waits for a writer.
func hangSync(t *testing.T, dir string) (release func()) {
	t.Helper()
	pipe := filepath.Join(dir, "jetstream", "$G", "streams", eventlog.WebhooksStream, "msgs", "99.blk")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	release = sync.OnceFunc(func() {
		writer, err := os.OpenFile(pipe, os.O_RDWR, 0)
		require.NoError(t, err)
		require.NoError(t, os.Remove(pipe))
		require.NoError(t, writer.Close())
	})
	t.Cleanup(release)
	return release
}
