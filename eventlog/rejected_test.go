package eventlog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// A rejected request is kept with its exact body, and with the headers that it
// takes to verify it again. Secrets are not kept.
func TestRejectKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	at, err := domain.ParseInstant("2026-11-22T10:00:00Z")
	require.NoError(t, err)
	require.NoError(t, log.Reject(t.Context(), &eventlog.Rejection{
		Provider: "runa", Source: "runa", Reason: eventlog.ReasonTimestampTooOld,
		Header: map[string][]string{
			"Svix-Id":        {"msg_1"},
			"Svix-Signature": {"v1,abc", "v1,\r\n\u2028<def>"},
			"User-Agent":     {strings.Repeat("x", 1025)},
			"Authorization":  {"Bearer secret"},
			"Cookie":         {"secret"},
			"Nats-Rollup":    {"all"},
		},
		Body:       []byte("\x00 raw"),
		ReceivedAt: at,
	}))

	raw := rawMessage(t, embedded, eventlog.RejectedStream, 1)
	require.Equal(t, "rejected.runa.runa.timestamp-too-old", raw.Subject)
	require.Equal(t, "\x00 raw", string(raw.Data))
	require.Equal(t, "2026-11-22T10:00:00Z", raw.Header.Get("Ticketrail-Received-At"))
	var header map[string][]string
	require.NoError(t, json.Unmarshal([]byte(raw.Header.Get("Ticketrail-Request-Header")), &header))
	require.Equal(t, map[string][]string{
		"Svix-Id":        {"msg_1"},
		"Svix-Signature": {"v1,abc", "v1,\r\n\u2028<def>"},
	}, header)
}

// A header that a mapped provider signs with is kept too, and given back; no other one is.
func TestConfiguredHeadersAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := eventlog.Open(t.Context(), startEmbedded(t, dir).Conn(), eventlog.Config{
		Embedded: true, Dir: dir, MaxBytes: 64 << 20, KeptHeaders: []string{"X-Acme-Signature"},
	})
	require.NoError(t, err)
	require.NoError(t, log.Reject(t.Context(), &eventlog.Rejection{
		Provider: "acme", Source: "shop", Reason: eventlog.ReasonCredentialWrong,
		Header: map[string][]string{"X-Acme-Signature": {"00"}, "Svix-Id": {"msg_1"}, "X-Acme-Token": {"secret"}},
	}))
	request, err := log.RejectedRequest(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"X-Acme-Signature": {"00"}, "Svix-Id": {"msg_1"}}, request.Header)
}

// However many and odd the headers of a request are, it can be kept.
func TestRejectBoundsHeaders(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	header := make(map[string][]string)
	for _, name := range []string{"Content-Type", "User-Agent", "Svix-Signature", "Webhook-Signature", "X-Ivy-Signature"} {
		for range 100 {
			header[name] = append(header[name], strings.Repeat("\x01", 1024))
		}
	}
	require.NoError(t, log.Reject(t.Context(), &eventlog.Rejection{
		Provider: "ivy", Source: "shop", Reason: eventlog.ReasonCredentialWrong, Header: header,
	}))
}

// A reason is one of ours, and names are tokens: they become the subject.
func TestRejectTakesItsOwnReasonsOnly(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	for _, r := range []*eventlog.Rejection{
		{Provider: "ivy", Source: "shop", Reason: "because"},
		{Provider: "ivy", Source: "shop"},
		{Provider: "ivy", Source: "a.b", Reason: eventlog.ReasonNotJSON},
		{Provider: ">", Source: "shop", Reason: eventlog.ReasonNotJSON},
	} {
		require.ErrorIs(t, log.Reject(t.Context(), r), eventlog.ErrUnfit)
	}
}

// What is rejected takes no place among the webhooks.
func TestRejectLeavesTheWebhooksAlone(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	require.NoError(t, log.Reject(t.Context(), &eventlog.Rejection{
		Provider: "ivy", Source: "shop", Reason: eventlog.ReasonNotObject, Body: []byte("[]"),
	}))
	require.EqualValues(t, 1, appendWebhook(t, log, webhook("", "{}")).StreamSequence)
}
