package eventlog_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

// The servers of the deployment sync before they answer, and take the largest body; those of
// the cluster are three, each with a name of its own.
func TestDeployedServersSync(t *testing.T) {
	t.Setenv("NATS_NAME", "nats-2")
	for file, name := range map[string]string{"nats.conf": "ticketrail-nats", "nats-cluster.conf": "nats-2"} {
		options, err := server.ProcessConfigFile("../deploy/" + file)
		require.NoError(t, err, file)
		require.Equal(t, name, options.ServerName)
		require.True(t, options.JetStream, file)
		require.True(t, options.SyncAlways, file)
		require.GreaterOrEqual(t, options.MaxPayload, int32(8<<20)-1, file)
		require.Len(t, options.Routes, map[string]int{"nats.conf": 0, "nats-cluster.conf": 3}[file], file)
	}
}
