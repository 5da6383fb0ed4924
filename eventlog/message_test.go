package eventlog_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// Whatever a webhook is made of, it is read as it was appended.
func TestWebhookIsReadAsItWasAppended(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	token := rapid.StringMatching(`[a-z0-9_-]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		want := &domain.Webhook{
			Provider: token.Draw(t, "provider"),
			Source:   token.Draw(t, "source"),
			Event:    token.Draw(t, "event"),
			ID:       rapid.OneOf(rapid.Just(""), rapid.String().Filter(domain.IsWebhookID)).Draw(t, "id"),
			Body:     rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "body"),
		}
		if rapid.Bool().Draw(t, "released") {
			want.ReceivedAt = domain.UnixInstant(rapid.Int64Range(0, 4e12).Draw(t, "received at"))
		}
		receipt, err := log.Append(t.Context(), want)
		require.NoError(t, err)
		have, err := log.Webhook(t.Context(), receipt.StreamSequence)
		require.NoError(t, err)

		if want.ReceivedAt.IsZero() {
			require.False(t, have.ReceivedAt.IsZero())
			have.ReceivedAt = domain.Instant{}
		}
		require.Equal(t, domain.DigestBody(want.Body), have.BodyDigest)
		require.Equal(t, string(want.Body), string(have.Body))
		require.False(t, have.StoredAt.IsZero(), "it is the stream's own, however late a webhook was released")
		have.Body, have.BodyDigest, have.StreamSequence, have.StoredAt = want.Body, domain.Digest{}, 0, domain.Instant{}
		require.Equal(t, want, have)
	})
}

// A message carries headers only for what the body, the subject and the stream
// do not say, each once.
func TestAppendStoresNoNeedlessHeader(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	full := webhook("evt/1", `{"a":1}`)
	full.ContentType = "text/plain"
	full.Trace = trace
	full.ReceivedAt = domain.UnixInstant(1_700_000_000_123)
	appendWebhook(t, log, webhook("", `{"a":1}`))
	appendWebhook(t, log, full)

	plain := rawMessage(t, embedded, eventlog.WebhooksStream, 1)
	require.Equal(t, "webhooks.ivy.shop.order_updated", plain.Subject)
	require.Equal(t, `{"a":1}`, string(plain.Data))
	require.Empty(t, plain.Header)

	header := rawMessage(t, embedded, eventlog.WebhooksStream, 2).Header
	requireDescribed(t, header)
	require.Len(t, header.Get(jetstream.MsgIDHeader), 43)
	header.Del(jetstream.MsgIDHeader)
	require.Equal(t, nats.Header{
		"Ticketrail-Webhook-Id":  {"evt%2F1"},
		"Content-Type":           {"text/plain"},
		"Ticketrail-Received-At": {"2023-11-14T22:13:20.123Z"},
		"traceparent":            {trace}, // NATS tells names by their case
	}, header)
	read, err := log.Webhook(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, trace, read.Trace)
}

// requireDescribed requires that AsyncAPI describes each header that a webhook can have, and
// no other.
func requireDescribed(t *testing.T, header nats.Header) {
	t.Helper()
	var document struct {
		Components struct {
			Messages map[string]struct {
				Headers struct{ Properties map[string]any }
			}
		}
	}
	text, err := os.ReadFile("../api/asyncapi.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &document))
	described := document.Components.Messages["webhook"].Headers.Properties
	require.ElementsMatch(t, slices.Collect(maps.Keys(described)), slices.Collect(maps.Keys(header)))
}

// trace is a traceparent.
const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// rawMessage reads a message by the stream's own interface rather than by ours.
func rawMessage(t *testing.T, embedded *eventlog.Embedded, stream string, sequence uint64) *jetstream.RawStreamMsg {
	t.Helper()
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	s, err := js.Stream(t.Context(), stream)
	require.NoError(t, err)
	raw, err := s.GetMsg(t.Context(), sequence)
	require.NoError(t, err)
	for name := range raw.Header { // what the server adds for the reader
		if strings.HasPrefix(name, "Nats-") && name != jetstream.MsgIDHeader {
			raw.Header.Del(name)
		}
	}
	return raw
}

// A webhook that a subject or a header cannot hold exactly is refused, and the
// error holds none of it.
func TestAppendRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	const canary = "canary"
	for name, spoil := range map[string]func(*domain.Webhook){
		"event":           func(w *domain.Webhook) { w.Event = canary + "." },
		"source":          func(w *domain.Webhook) { w.Source = canary + "\r\n" },
		"provider":        func(w *domain.Webhook) { w.Provider = "" },
		"long id":         func(w *domain.Webhook) { w.ID = canary + strings.Repeat("x", 200) },
		"broken id":       func(w *domain.Webhook) { w.ID = canary + "\xff" },
		"control in id":   func(w *domain.Webhook) { w.ID = canary + "\n" },
		"header in type":  func(w *domain.Webhook) { w.ContentType = canary + "\r\nNats-Rollup: all" },
		"header in trace": func(w *domain.Webhook) { w.Trace = canary + "\r\n" },
		"padded type":     func(w *domain.Webhook) { w.ContentType = canary + " " },
	} {
		w := webhook("id", "{}")
		spoil(w)
		_, err := log.Append(t.Context(), w)
		require.ErrorIs(t, err, eventlog.ErrUnfit, name)
		require.NotContains(t, err.Error(), canary)
	}
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Zero(t, info.Last)
}

// A message that another program wrote stops no reader: what can be read of it is
// given, and names that are not ours stay empty.
func TestForeignMessagesAreRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	foreign := []*nats.Msg{
		{Subject: "webhooks.x"},
		{Subject: "webhooks.Ivy.shop.a.b", Data: []byte("{}")},
		{Subject: "webhooks.*.>.x", Data: []byte("{}")},
		{Subject: "webhooks.ivy.shop.other", Header: nats.Header{
			"Ticketrail-Webhook-Id":  {"%zz", "second"},
			"Content-Type":           {},
			"Ticketrail-Received-At": {"yesterday"},
			"X-Forwarded-For":        {"a", "b"},
		}},
		{Subject: "webhooks.ivy.shop.other", Header: nats.Header{"Ticketrail-Webhook-Id": {""}}, Data: []byte{0xff}},
	}
	for _, id := range []string{"%FF", "a%0Ab", strings.Repeat("x", 201)} { // none that could be committed
		foreign = append(foreign, &nats.Msg{Subject: "webhooks.ivy.shop.other", Header: nats.Header{"Ticketrail-Webhook-Id": {id}}})
	}
	for _, m := range foreign {
		_, err := js.PublishMsg(t.Context(), m)
		require.NoError(t, err)
	}

	webhooks := read(t, log, 1, 10, len(foreign))
	for i, w := range webhooks {
		require.EqualValues(t, i+1, w.StreamSequence)
		require.Equal(t, string(foreign[i].Data), string(w.Body))
		require.Equal(t, domain.DigestBody(w.Body), w.BodyDigest)
		require.False(t, w.ReceivedAt.IsZero())
		require.Equal(t, i >= 3, w.Provider != "")
		require.Empty(t, w.ID)
	}
}
