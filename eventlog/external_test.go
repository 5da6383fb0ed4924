package eventlog_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// startExternal starts a server as an operator would run one, on a port of
// loopback; -1 takes a free one.
func startExternal(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	external, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir, SyncAlways: true,
	})
	require.NoError(t, err)
	external.Start()
	require.True(t, external.ReadyForConnections(patience))
	t.Cleanup(func() { stop(external) })
	return external
}

func stop(external *server.Server) {
	external.Shutdown()
	external.WaitForShutdown()
}

func connectTo(t *testing.T, external *server.Server) *nats.Conn {
	t.Helper()
	conn, err := eventlog.Connect(eventlog.Servers{URL: external.ClientURL()}, nil)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

func openExternal(t *testing.T, external *server.Server) *eventlog.Log {
	t.Helper()
	log, err := eventlog.Open(t.Context(), connectTo(t, external), eventlog.Config{MaxBytes: 64 << 20})
	require.NoError(t, err)
	return log
}

// Of an external server nobody here knows when it syncs, and we say so.
func TestDurabilityOfAnExternalServerIsUnknown(t *testing.T) {
	t.Parallel()
	log := openExternal(t, startExternal(t, t.TempDir(), -1))
	require.Equal(t, eventlog.Unknown, log.Durability())
	require.Contains(t, eventlog.Unknown.Note(), "sync_interval")
	require.NoError(t, log.Ready(t.Context()))
}

// A server that is not there is an error at once, which names it without its
// password and says what to do.
func TestConnectNeedsAServer(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())
	address := free.Addr().String()
	_, err = eventlog.Connect(eventlog.Servers{URL: "nats://user:canary@" + address + ", nats://127.0.0.1:1"}, nil)
	require.ErrorIs(t, err, nats.ErrNoServers)
	require.EqualError(t, err, "connect to NATS at "+address+", 127.0.0.1:1: nats: no servers available for connection")
	var refused *eventlog.ConnectError
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Hint(), "nats.url")
}

// restart stops a server, and returns when the log has found the one that takes
// its place.
func restart(t *testing.T, log *eventlog.Log, external *server.Server, dir string) *server.Server {
	t.Helper()
	port := external.Addr().(*net.TCPAddr).Port
	stop(external)
	_, err := log.Append(t.Context(), webhook("", "{}"))
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrUnavailable)
	external = startExternal(t, dir, port)
	require.Eventually(t, func() bool { return log.Ready(t.Context()) == nil }, patience, tick)
	return external
}

// A subscriber outlives the restart of its server: it goes on where it was,
// without a gap and without a repetition.
func TestSubscriberOutlivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	external := startExternal(t, dir, -1)
	log := openExternal(t, external)
	js, err := jetstream.New(connectTo(t, external))
	require.NoError(t, err)
	subscriber := eventlog.NewSubscriber(js, eventlog.SubscriberConfig{Stream: eventlog.WebhooksStream})
	t.Cleanup(func() { require.NoError(t, subscriber.Close()) })
	messages, err := subscriber.Subscribe(patient(t), "webhooks.>")
	require.NoError(t, err)
	next := uint64(1)
	for range 3 {
		fill(t, log, 10)
		for range 10 {
			m := <-messages
			require.NotNil(t, m)
			require.Equal(t, next, eventlog.DeliveryOf(m).StreamSequence)
			m.Ack()
			next++
		}
		external = restart(t, log, external, dir)
	}
}

// Batches end where their server was restarted, and give nothing that came after
// it: whoever reads must look at the stream before going on.
func TestBatchesEndAtARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	external := startExternal(t, dir, -1)
	log := openExternal(t, external)
	fill(t, log, 10)
	var ending error
	next := uint64(1)
	for batch, err := range log.Batches(patient(t), 1, 4) {
		if ending = err; err != nil {
			break
		}
		for _, w := range batch.Webhooks {
			require.Equal(t, next, w.StreamSequence)
			next++
		}
		if next == 11 {
			restart(t, log, external, dir)
			fill(t, log, 10)
		}
	}
	require.ErrorIs(t, ending, eventlog.ErrInterrupted)
	require.EqualValues(t, 11, next)
	require.Len(t, read(t, log, next, 10, 10), 10)
}

// A stream that was deleted does not come back by waiting.
func TestBatchesEndWithTheStream(t *testing.T) {
	t.Parallel()
	external := startExternal(t, t.TempDir(), -1)
	log := openExternal(t, external)
	fill(t, log, 1)
	js, err := jetstream.New(connectTo(t, external))
	require.NoError(t, err)
	var ending error
	for _, err := range log.Batches(patient(t), 1, 4) {
		if ending = err; err != nil {
			break
		}
		require.NoError(t, js.DeleteStream(t.Context(), eventlog.WebhooksStream))
	}
	require.ErrorIs(t, ending, eventlog.ErrStreamLost)
}

// An external stream must have a limit of its own, or nobody would see it getting
// full; once it has one, that is kept.
func TestOpenExternalNeedsALimit(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, startExternal(t, t.TempDir(), -1))
	_, err := eventlog.Open(t.Context(), conn, eventlog.Config{})
	var wrong *eventlog.SettingError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, "stream.max_bytes", wrong.Setting)
	require.Contains(t, wrong.Hint, "max_file_store")
	for _, most := range []int64{1 << 20, 0} {
		log, err := eventlog.Open(t.Context(), conn, eventlog.Config{MaxBytes: most})
		require.NoError(t, err)
		info, err := log.Info(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1<<20, info.MaxBytes)
	}
}

// A first limit is given to a stream that had none, and costs it no webhook, even
// where it holds more already.
func TestOpenLimitsAnUnlimitedStream(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, startExternal(t, t.TempDir(), -1))
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: eventlog.WebhooksStream, Subjects: []string{"webhooks.>"}, Discard: jetstream.DiscardNew,
	})
	require.NoError(t, err)
	for range 3 {
		_, err := js.Publish(t.Context(), "webhooks.ivy.shop.other", make([]byte, 500_000))
		require.NoError(t, err)
	}
	log, err := eventlog.Open(t.Context(), conn, eventlog.Config{MaxBytes: 1 << 20})
	require.NoError(t, err)
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrFull)
	_, err = log.Append(t.Context(), webhook("", "{}"))
	require.ErrorIs(t, err, eventlog.ErrFull)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 3, 3, 1 << 20}, []uint64{info.First, info.Last, info.Messages, info.MaxBytes})
}

// A server that would refuse the largest webhook is refused, with what to set.
func TestOpenNeedsThePayload(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, startExternal(t, t.TempDir(), -1))
	most := conn.MaxPayload() - 64<<10
	_, err := eventlog.Open(t.Context(), conn, eventlog.Config{MaxBytes: 1 << 20, MaxBody: most + 1})
	var wrong *eventlog.SettingError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, "max_payload", wrong.Setting)
	require.Contains(t, wrong.Hint, fmt.Sprintf("max_payload: %d", conn.MaxPayload()+1))
	_, err = eventlog.Open(t.Context(), conn, eventlog.Config{MaxBytes: 1 << 20, MaxBody: most})
	require.NoError(t, err)
}

// A follower of a cluster may be behind: that it lacks a webhook says nothing, and
// the leader is asked.
func TestWebhookIsAskedOfTheLeader(t *testing.T) {
	t.Parallel()
	external := startExternal(t, t.TempDir(), -1)
	log := openExternal(t, external)
	fill(t, log, 1)
	asked := make(chan struct{}, 2)
	follower := connectTo(t, external)
	_, err := follower.Subscribe("behind", func(m *nats.Msg) {
		asked <- struct{}{}
		_ = m.RespondMsg(&nats.Msg{Header: nats.Header{"Status": {"404"}, "Description": {"Message Not Found"}}})
	})
	require.NoError(t, err)
	require.NoError(t, follower.Flush())
	require.NoError(t, external.GlobalAccount().AddMapping("$JS.API.DIRECT.GET.WEBHOOKS", "behind"))

	w, err := log.Webhook(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, `{"n":0}`, string(w.Body))
	_, err = log.Webhook(t.Context(), 2)
	require.ErrorIs(t, err, domain.ErrNotFound)
	require.Len(t, asked, 2)
}
