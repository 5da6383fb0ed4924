package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

// An external broker takes the place of the embedded one: webhooks are taken,
// projected and still there after a restart, and nothing is promised of a disk
// that cannot be seen.
func TestAnExternalBroker(t *testing.T) {
	t.Parallel()
	broker, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), MaxPayload: 8 << 20, NoSigs: true,
	})
	require.NoError(t, err)
	broker.Start()
	t.Cleanup(func() {
		broker.Shutdown()
		broker.WaitForShutdown()
	})
	require.True(t, broker.ReadyForConnections(startTimeout))

	data := filepath.Join(t.TempDir(), "data")
	config := filepath.Join(t.TempDir(), "ticketrail.yaml")
	text := fmt.Sprintf("nats: {url: %q}\nstream: {max_bytes: 1GiB}\n", broker.ClientURL())
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	p := start(t, data, "--config", config)
	require.NotEqual(t, "synced", p.addresses.Durability)
	p.run(t, "send", "../../testdata/webhooks/ordatic", "--source", "ordatic")
	before := p.caughtUp(t)
	require.EqualValues(t, 14, before.Checkpoint)
	p.stop(t)

	p = start(t, data, "--config", config)
	require.Equal(t, before.Counts, p.caughtUp(t).Counts)
	require.NoDirExists(t, filepath.Join(data, "stream"))
	require.Regexp(t, `(?m)^durability +warn `, p.run(t, "doctor"))
	p.stop(t)
}
