package eventlog_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// startCluster starts three servers that know one another by the first of them.
func startCluster(t *testing.T) (servers []*server.Server) {
	t.Helper()
	nobody := &url.URL{Scheme: "nats-route", Host: "127.0.0.1:1"} // a cluster has as many servers as routes, and one
	routes := []*url.URL{nobody, nobody}
	for i := range 3 {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("server-", i), Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
			Cluster: server.ClusterOpts{Name: "three", Host: "127.0.0.1", Port: -1}, Routes: routes,
		})
		require.NoError(t, err)
		s.Start()
		t.Cleanup(func() { halt(s) })
		require.Eventually(t, func() bool { return s.ClusterAddr() != nil }, patience, time.Millisecond)
		if i == 0 {
			routes = []*url.URL{{Scheme: "nats-route", Host: s.ClusterAddr().String()}, nobody}
		}
		servers = append(servers, s)
	}
	return servers
}

// replicated opens a stream that three servers have, by one of them.
func replicated(t *testing.T, by *server.Server) (log *eventlog.Log) {
	t.Helper()
	conn, err := eventlog.Connect(eventlog.Servers{URL: by.ClientURL()}, nil)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.Eventually(t, func() bool {
		log, err = eventlog.Open(t.Context(), conn, eventlog.Config{MaxBytes: 1 << 20, Replicas: 3})
		return err == nil
	}, 3*patience, 100*time.Millisecond)
	return log
}

// A cluster is sure of where its stream stands, also when one of its servers is away, but
// not where the leader hears nothing of the others: they may have another one, and more.
func TestALeaderThatIsAloneIsUnsure(t *testing.T) {
	t.Parallel()
	servers := startCluster(t)
	log := replicated(t, servers[0])
	await := func(unsure bool) {
		t.Helper()
		require.Eventually(t, func() bool {
			info, err := log.Info(t.Context())
			return err == nil && info.Unsure == unsure
		}, 3*patience, 100*time.Millisecond)
	}
	await(false)
	leader := -1
	require.Eventually(t, func() bool {
		leader = slices.IndexFunc(servers, func(s *server.Server) bool { return s.JetStreamIsStreamLeader("$G", eventlog.WebhooksStream) })
		return leader >= 0
	}, 3*patience, 10*time.Millisecond)
	log = replicated(t, servers[leader])
	halt(servers[(leader+1)%3])
	await(false)
	halt(servers[(leader+2)%3])
	await(true)
}

func halt(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}
