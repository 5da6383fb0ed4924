package projector_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

// A stream that forgets by age leaves a read model that kept up alone, and a new
// one is told that it comes too late: it cannot be made from what is left.
func TestGuardTellsExpiredWebhooks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{
		Embedded: true, Dir: dir, MaxAge: 3 * time.Second, DuplicateWindow: 100 * time.Millisecond,
	})
	require.NoError(t, err)
	kept := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	accept(t, log, "order-accepted", 3)
	run(t, log, kept, 3, projector.Config{})
	require.Eventually(t, func() bool {
		info, err := log.Info(t.Context())
		return err == nil && info.First == 4
	}, projectortest.Patience, 10*time.Millisecond)

	late := stopped(t, log, openModel(t, filepath.Join(t.TempDir(), "2.db")))
	require.ErrorIs(t, late, projector.ErrExpired)
	require.EqualValues(t, 1, late.StreamSequence)
	require.Contains(t, late.Hint, "stream.max_age")

	accept(t, log, "order-in-kitchen", 1)
	run(t, log, kept, 4, projector.Config{})
}
