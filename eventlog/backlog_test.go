package eventlog_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// divert sends the requests of a subject to a handler in place of the server.
func divert(t *testing.T, external *server.Server, subject string, handle nats.MsgHandler) {
	t.Helper()
	conn := connectTo(t, external)
	_, err := conn.Subscribe("diverted", handle)
	require.NoError(t, err)
	require.NoError(t, conn.Flush())
	require.NoError(t, external.GlobalAccount().AddMapping(subject, "diverted"))
}

// lose takes messages from the one reader of the rejected requests, as a
// connection does that breaks while they are on their way.
func lose(t *testing.T, external *server.Server, many int) {
	t.Helper()
	js, err := jetstream.New(connectTo(t, external))
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), eventlog.RejectedStream)
	require.NoError(t, err)
	names := stream.ConsumerNames(t.Context())
	reader, err := stream.Consumer(t.Context(), <-names.Name())
	require.NoError(t, err)
	batch, err := reader.Fetch(many)
	require.NoError(t, err)
	lost := 0
	for range batch.Messages() {
		lost++
	}
	require.Equal(t, many, lost)
}

// A list that was cut short is never taken for a whole one: it ends with an error
// where the server falls silent in the middle, and where messages are lost on
// their way.
func TestRejectedRequestsAreNeverCutShort(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(*testing.T, *server.Server){
		"silent": func(t *testing.T, s *server.Server) {
			divert(t, s, "$JS.API.CONSUMER.MSG.NEXT.REJECTED.*", func(*nats.Msg) {})
		},
		"some lost": func(t *testing.T, s *server.Server) { lose(t, s, 100) },
		"rest lost": func(t *testing.T, s *server.Server) { lose(t, s, 500) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			external := startExternal(t, t.TempDir(), -1)
			log := openExternal(t, external)
			js, err := jetstream.New(connectTo(t, external))
			require.NoError(t, err)
			fillRejected(t, js, 3500)
			var last error
			read := uint64(0)
			for r, err := range log.RejectedRequests(t.Context(), 0, "", "") {
				if last = err; err != nil {
					continue
				}
				read++
				require.Equal(t, read, r.Sequence)
				if read == 1000 {
					harm(t, external)
				}
			}
			require.ErrorIs(t, last, eventlog.ErrUnavailable)
			require.GreaterOrEqual(t, read, uint64(1000))
			require.Less(t, read, uint64(3500))
		})
	}
}

// What the stream forgets while it is read is no trouble: the list ends without it.
func TestRejectedRequestsMayBeForgottenMeanwhile(t *testing.T) {
	t.Parallel()
	external := startExternal(t, t.TempDir(), -1)
	log := openExternal(t, external)
	js, err := jetstream.New(connectTo(t, external))
	require.NoError(t, err)
	fillRejected(t, js, 3500)
	stream, err := js.Stream(t.Context(), eventlog.RejectedStream)
	require.NoError(t, err)
	read := 0
	for _, err := range log.RejectedRequests(t.Context(), 0, "", "") {
		require.NoError(t, err)
		if read++; read == 1000 {
			require.NoError(t, stream.Purge(t.Context()))
		}
	}
	require.GreaterOrEqual(t, read, 1000)
	require.Less(t, read, 3500)
}

// Decisions are read up to the last one of their stream, or there is an error: a
// follower of a cluster may be behind, and a discarded entry must not come back.
func TestDecisionsAreReadToTheEnd(t *testing.T) {
	t.Parallel()
	external := startExternal(t, t.TempDir(), -1)
	log := openExternal(t, external)
	require.NoError(t, log.Decide(t.Context(), &domain.Decision{Verdict: domain.Discarded}))
	divert(t, external, "$JS.API.STREAM.INFO.DECISIONS", func(m *nats.Msg) {
		_ = m.Respond([]byte(`{"config":{"name":"DECISIONS"},"state":{"messages":2,"first_seq":1,"last_seq":2}}`))
	})
	var last error
	read := 0
	for _, err := range log.Decisions(t.Context(), 0) {
		if last = err; err == nil {
			read++
		}
	}
	require.Equal(t, 1, read)
	require.ErrorIs(t, last, eventlog.ErrUnavailable)
	require.ErrorContains(t, last, "read to 1 of 2")
}
