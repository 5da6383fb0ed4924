package eventlog_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// A server that is up and stores nothing, as one does that is cut off from its
// cluster, is left for another one: nobody has to restart anything.
func TestAServerThatStoresNothingIsLeft(t *testing.T) {
	t.Parallel()
	useless, useful := startExternal(t, t.TempDir(), -1), startExternal(t, t.TempDir(), -1)
	for _, each := range []*server.Server{useless, useful} {
		fill(t, openExternal(t, each), 1)
	}
	conn, err := eventlog.Connect(eventlog.Servers{URL: useless.ClientURL() + "," + useful.ClientURL()}, nil)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	log, err := eventlog.Open(t.Context(), conn, eventlog.Config{MaxBytes: 64 << 20})
	require.NoError(t, err)
	if conn.ConnectedServerId() == useful.ID() {
		useless, useful = useful, useless
	}
	require.NoError(t, useless.DisableJetStream())
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrUnavailable)
	require.Eventually(t, func() bool {
		_, err := log.Append(t.Context(), webhook("", "{}"))
		return err == nil
	}, patience, tick)
	require.Equal(t, useful.ID(), conn.ConnectedServerId())
	require.NoError(t, log.Ready(t.Context()))
}
