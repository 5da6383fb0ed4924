package eventlog_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// Whatever somebody else puts into the stream of decisions, reading it passes over what
// is no decision, and comes to the one behind it.
func FuzzDecisions(f *testing.F) {
	for _, text := range []string{
		`{"verdict":"discarded","entries":[{"id":"r-1","received_at":"2026-03-01T12:00:00Z"}],"by":"local","at":"2026-03-01T12:00:00Z"}`,
		`{"verdict":7}`, `{"entries":[{"id":"x"}]}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(text))
	}
	dir := f.TempDir()
	embedded := startEmbedded(f, dir)
	log := openLog(f, embedded, dir)
	var after uint64
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := embedded.Conn().Request("decisions.discarded", text, patience)
		require.NoError(t, err)
		mine := &domain.Decision{Verdict: domain.Released, Ruling: domain.Ruling{By: "local"}, StreamSequence: 7}
		require.NoError(t, log.Decide(t.Context(), mine))
		var last eventlog.Decided
		for d, err := range log.Decisions(t.Context(), after) {
			require.NoError(t, err)
			last, after = d, d.Sequence
		}
		require.NotNil(t, last.Decision)
		require.Equal(t, uint64(7), last.StreamSequence)
	})
}

// Whatever a webhook holds, the stream takes it and gives the same back, or does not
// take it.
func FuzzWebhook(f *testing.F) {
	f.Add("shop", "order_updated", "id 1", "text/plain", []byte(`{}`))
	f.Add("*", ">", "a\r\nNats-Rollup: all", "\x00", []byte("\r\n"))
	f.Add("shop", "other", " a ", "", []byte(nil))
	log := newLog(f)
	f.Fuzz(func(t *testing.T, source, event, id, contentType string, body []byte) {
		w := &domain.Webhook{Provider: "ivy", Source: source, Event: event, ID: id, ContentType: contentType, Body: body, BodyDigest: domain.DigestBody(body)}
		receipt, err := log.Append(t.Context(), w)
		if err != nil {
			require.ErrorIs(t, err, eventlog.ErrUnfit)
			return
		}
		require.True(t, utf8.ValidString(id), "it was taken")
		if receipt.Duplicate {
			return // of one with another content type, which decides nothing
		}
		read, err := log.Webhook(t.Context(), receipt.StreamSequence)
		require.NoError(t, err)
		require.Equal(t, []string{source, event, id, contentType}, []string{read.Source, read.Event, read.ID, read.ContentType})
		require.Equal(t, w.BodyDigest, read.BodyDigest)
	})
}
