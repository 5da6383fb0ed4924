package eventlog_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// Who only looks makes no stream and changes none, whatever it is configured with; one that
// could lose webhooks it refuses as everybody does.
func TestWhoLooksChangesNoStream(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, startExternal(t, t.TempDir(), -1))
	looks := eventlog.Config{Looks: true, MaxBytes: 1 << 30, MaxAge: time.Hour, DuplicateWindow: time.Minute}
	_, err := eventlog.Open(t.Context(), conn, looks)
	require.ErrorIs(t, err, eventlog.ErrNoStreams)

	_, err = eventlog.Open(t.Context(), conn, eventlog.Config{MaxBytes: 64 << 20})
	require.NoError(t, err)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	of := func(name string) jetstream.StreamConfig {
		stream, err := js.Stream(t.Context(), name)
		require.NoError(t, err)
		return stream.CachedInfo().Config
	}
	before := of(eventlog.WebhooksStream)
	log, err := eventlog.Open(t.Context(), conn, looks)
	require.NoError(t, err)
	require.Equal(t, before, of(eventlog.WebhooksStream))
	fill(t, log, 3)
	require.NoError(t, log.Ready(t.Context()))
	require.Len(t, read(t, log, 1, 3, 3), 3)

	forgets := before
	forgets.Discard = jetstream.DiscardOld
	_, err = js.UpdateStream(t.Context(), forgets)
	require.NoError(t, err)
	_, err = eventlog.Open(t.Context(), conn, looks)
	var wrong *eventlog.SettingError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, "WEBHOOKS discard", wrong.Setting)
}
