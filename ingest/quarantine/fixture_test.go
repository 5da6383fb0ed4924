package quarantine_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
	"github.com/ticketrail/ticketrail/ingest/quarantine"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// opening is when the first request of every test came: long before today, so
// that what is verified as of today fails.
var opening = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The seeds of the secrets that a source has, and of one that it has not.
const (
	ours   = 1
	theirs = 9
)

// station is a real stream and a real read model, and the quarantine of both.
type station struct {
	*quarantine.Quarantine
	t        testing.TB
	log      *eventlog.Log
	model    *sqlite.DB
	embedded *eventlog.Embedded
}

func newStation(t testing.TB) *station {
	t.Helper()
	dir := t.TempDir()
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, embedded.Close()) })
	log, err := eventlog.Open(t.Context(), embedded.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 64 << 20})
	require.NoError(t, err)
	model, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "1.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, model.Close()) })
	s := &station{t: t, log: log, model: model, embedded: embedded}
	s.Quarantine = s.office(log)
	return s
}

// office opens a quarantine on the station's read model, as a process of its own
// would.
func (s *station) office(log quarantine.Log, providers ...provider.Provider) *quarantine.Quarantine {
	var sources []ingest.Source
	for _, p := range provider.All() {
		sources = append(sources, ingest.Source{Name: p.Name(), Provider: p, Secrets: []string{secret(p, ours)}})
	}
	config := quarantine.Config{Sources: sources, Now: func() time.Time { return opening.AddDate(0, 1, 0) }}
	if len(providers) > 0 {
		config.Providers = providers
	}
	return quarantine.New(log, s.model, config)
}

func secret(p provider.Provider, seed byte) string { return p.NewSecret([24]byte{seed}) }

// reject keeps a request that was signed with the secret of a seed when it came.
func (s *station) reject(p provider.Provider, seed byte, id string, body []byte, at time.Time) {
	s.t.Helper()
	signed := &provider.Request{Header: map[string][]string{}, Body: body, At: at}
	p.Sign(signed, secret(p, seed), id)
	s.keep(&eventlog.Rejection{
		Source: p.Name(), Provider: p.Name(), Reason: eventlog.ReasonCredentialWrong,
		Header: signed.Header, Body: body, ReceivedAt: domain.InstantOf(at),
	})
}

func (s *station) keep(r *eventlog.Rejection) {
	s.t.Helper()
	require.NoError(s.t, s.log.Reject(s.t.Context(), r))
}

// accept puts a webhook on the stream, as the ingest would.
func (s *station) accept(p provider.Provider, body []byte) uint64 {
	s.t.Helper()
	receipt, err := s.log.Append(s.t.Context(), &domain.Webhook{
		Provider: p.Name(), Source: p.Name(), Event: provider.Other, Body: body,
	})
	require.NoError(s.t, err)
	return receipt.StreamSequence
}

// project brings the read model up to the end of the stream.
func (s *station) project() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	info, err := s.log.Info(ctx)
	require.NoError(s.t, err)
	require.NoError(s.t, projector.New(s.log, s.model, projector.Config{}).RunUntil(ctx, info.Last))
}

// stored gives how many webhooks the stream holds.
func (s *station) stored() uint64 {
	s.t.Helper()
	info, err := s.log.Info(s.t.Context())
	require.NoError(s.t, err)
	return info.Messages
}

func (s *station) retry(id string, how domain.Retry) domain.Retried {
	s.t.Helper()
	retried, err := s.Retry(s.t.Context(), parse(s.t, id), how)
	require.NoError(s.t, err)
	require.Equal(s.t, id, retried.ID.String())
	retried.ID = domain.QuarantineID{}
	return retried
}

func (s *station) list(query domain.QuarantineQuery) *domain.QuarantinePage {
	s.t.Helper()
	page, err := s.List(s.t.Context(), query)
	require.NoError(s.t, err)
	return page
}

// all gives the ids of every entry that is listed.
func (s *station) all(query domain.QuarantineQuery) []string {
	s.t.Helper()
	query.Limit = 1000
	var ids []string
	for _, e := range s.list(query).Entries {
		ids = append(ids, e.ID.String())
	}
	return ids
}

func (s *station) entry(id string) *domain.QuarantineEntry {
	s.t.Helper()
	e, err := s.Entry(s.t.Context(), parse(s.t, id))
	require.NoError(s.t, err)
	return e
}

func (s *station) discard(reason string, ids ...string) int {
	s.t.Helper()
	var marks []domain.QuarantineMark
	for _, id := range ids {
		marks = append(marks, s.entry(id).Mark())
	}
	n, err := s.Discard(s.t.Context(), marks, domain.Ruling{By: "local", Reason: reason})
	require.NoError(s.t, err)
	return n
}

func parse(t testing.TB, id string) domain.QuarantineID {
	t.Helper()
	parsed, err := domain.ParseQuarantineID(id)
	require.NoError(t, err)
	return parsed
}

func (s *station) stream() jetstream.JetStream {
	s.t.Helper()
	js, err := jetstream.New(s.embedded.Conn())
	require.NoError(s.t, err)
	return js
}

// rejected gives the server's own view of the stream of rejected requests.
func (s *station) rejected() jetstream.Stream {
	s.t.Helper()
	stream, err := s.stream().Stream(s.t.Context(), eventlog.RejectedStream)
	require.NoError(s.t, err)
	return stream
}

func completed(order string) []byte { return []byte(`{"id":"` + order + `","status":"COMPLETED"}`) }
