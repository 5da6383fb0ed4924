package eventlog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// A stream is trimmed at the borders of its files: what is to stay stays, to the byte and
// to the webhook, and so it does after a restart.
func TestTrimTakesWholeFiles(t *testing.T) {
	t.Parallel()
	const room, webhooks = 120_000, 40 // the server keeps files of 32 KB
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	config := eventlog.Config{Embedded: true, Dir: dir, MaxBytes: room}
	log, err := eventlog.Open(t.Context(), embedded.Conn(), config)
	require.NoError(t, err)
	for n := range webhooks {
		appendWebhook(t, log, webhook(fmt.Sprint(n), `{"text":"`+strings.Repeat("x", 2000)+`"}`))
	}
	none, err := log.TrimPoint(room, webhooks)
	require.NoError(t, err)
	require.Zero(t, none, "all of it is to stay")
	none, err = log.TrimPoint(1, 3)
	require.NoError(t, err)
	require.Zero(t, none, "the first file has more than that")
	to, err := log.TrimPoint(40_000, webhooks)
	require.NoError(t, err)
	require.Positive(t, to)
	before, err := log.Info(t.Context())
	require.NoError(t, err)
	require.NoError(t, log.Trim(t.Context(), to))
	after, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{to + 1, webhooks, webhooks - to}, []uint64{after.First, after.Last, after.Messages})
	require.GreaterOrEqual(t, after.Bytes, uint64(40_000))
	require.Less(t, after.Bytes, before.Bytes)
	for batch, err := range log.Batches(t.Context(), 1, webhooks) {
		require.NoError(t, err)
		require.Equal(t, to+1, batch.Webhooks[0].StreamSequence)
		break
	}
	appendWebhook(t, log, webhook("next", "{}"))
	require.NoError(t, embedded.Close())

	log, err = eventlog.Open(t.Context(), startEmbedded(t, dir).Conn(), config)
	require.NoError(t, err)
	again, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{to + 1, webhooks + 1}, []uint64{again.First, again.Last})
}

// A stream that an older program has made lets nothing be purged, and the server does not
// take that back: it is told, with what to do, before anything is noted.
func TestAnOlderStreamIsNotTrimmed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: eventlog.WebhooksStream, Subjects: []string{"webhooks.>"}, Discard: jetstream.DiscardNew, MaxBytes: 1 << 20, DenyPurge: true,
	})
	require.NoError(t, err)
	_, err = openLog(t, embedded, dir).TrimPoint(1, 10)
	var denied *eventlog.SettingError
	require.ErrorAs(t, err, &denied)
	require.Contains(t, denied.Hint, "ticketrail restore")
}
