package eventlog_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// A server that cannot use its folder says so at once and leaves nothing running.
func TestStartEmbeddedSaysWhyItCannot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "jetstream"), []byte("in the way"), 0o600))
	_, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	require.ErrorContains(t, err, "start the embedded server")

	_, err = eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: filepath.Join(dir, "jetstream")})
	require.ErrorContains(t, err, "make the stream's folder")
}

// The server can be reached from inside the process only.
func TestEmbeddedListensNowhere(t *testing.T) {
	t.Parallel()
	embedded := startEmbedded(t, t.TempDir())
	require.True(t, embedded.Conn().IsConnected())
	require.Equal(t, "pipe", embedded.Conn().ConnectedAddr())
}

// Closing twice is closing once.
func TestEmbeddedCloseIsIdempotent(t *testing.T) {
	t.Parallel()
	embedded := startEmbedded(t, t.TempDir())
	require.NoError(t, embedded.Close())
	require.NoError(t, embedded.Close())
	require.True(t, embedded.Conn().IsClosed())
}

// What the server says holds nothing of what is stored in it.
func TestEmbeddedLogsNoWebhook(t *testing.T) {
	t.Parallel()
	const canary = "canary-4711"
	var said bytes.Buffer
	dir := t.TempDir()
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{
		Dir:    dir,
		Logger: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	log := openLog(t, embedded, dir)
	appendWebhook(t, log, webhook(canary, `{"name":"`+canary+`"}`))
	_, err = log.Append(t.Context(), webhook(canary, canary+string(make([]byte, 5<<20))))
	require.ErrorIs(t, err, eventlog.ErrTooLarge)
	require.NotContains(t, err.Error(), canary)
	require.NoError(t, embedded.Close())
	require.NotContains(t, said.String(), canary)
}
