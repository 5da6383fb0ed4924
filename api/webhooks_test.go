package api_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// A webhook in JSON gives its body exactly: as text where it is UTF-8, else in
// base64, and never both.
func TestWebhookGivesTheExactBody(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	texts := []string{`{"a": 1.0,"a":2}`, "", "<script>\u2028\u0000", "\ufeff{}", "{\"x\":\"\\u0000\"}\r\n"}
	for _, body := range texts {
		l.receive("ivy", "ivy", "order_updated", body)
	}
	odd := l.receive("ivy", "ivy", "order_updated", "\xff\xfe{\x00}")
	odd.ID, odd.ContentType = "w-1", "text/xml; charset=utf-16"
	c := l.serve()
	for i, body := range texts {
		var webhook api.Webhook
		c.get(link(i + 1)).into(&webhook)
		require.Equal(t, body, *webhook.Body)
		require.Nil(t, webhook.BodyBase64)
		require.Equal(t, len(body), webhook.Size)
		require.Equal(t, "application/json", webhook.ContentType)
	}
	var webhook api.Webhook
	c.get(link(6)).into(&webhook)
	require.Nil(t, webhook.Body)
	body, err := base64.StdEncoding.DecodeString(*webhook.BodyBase64)
	require.NoError(t, err)
	require.Equal(t, odd.Body, body)
	require.Equal(t, "w-1", *webhook.WebhookID)
	require.Equal(t, "text/xml; charset=utf-16", webhook.ContentType)
}

// A webhook in JSON says where it came from and when.
func TestWebhookInJSON(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.receive("shop", "ivy", "order_updated", `{"id":"\"1\""}`)
	require.Equal(t, `{"stream_sequence":1,"source":"shop","provider":"ivy","event":"order_updated","webhook_id":null,`+
		`"content_type":"application/json","received_at":"2026-03-01T12:00:00Z","stored_at":"2026-03-01T12:00:00Z","size":14,"erased":false,"body":"{\"id\":\"\\\"1\\\"\"}","body_base64":null}`+"\n",
		l.serve().get("/v1/webhooks/1").Body)
}

// The raw bytes come alone on request, for saving and not for showing.
func TestRawWebhook(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	w := l.receive("ivy", "ivy", "order_updated", "<html>\x00\xff")
	c := l.serve()
	for _, answer := range []reply{
		c.get("/v1/webhooks/1?raw=true"),
		c.get("/v1/webhooks/1", "Accept: application/octet-stream"),
		c.get("/v1/webhooks/1", "Accept: application/json;q=0.5, application/octet-stream"),
	} {
		require.Equal(t, http.StatusOK, answer.Status)
		require.Equal(t, string(w.Body), answer.Body)
		require.Equal(t, "application/octet-stream", answer.Header.Get("Content-Type"))
		require.Equal(t, `attachment; filename="webhook-1"`, answer.Header.Get("Content-Disposition"))
		require.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"))
	}
	for _, accept := range []string{"*/*", "text/html, application/json", "", "application/json, application/octet-stream"} {
		var webhook api.Webhook
		c.get("/v1/webhooks/1", "Accept: "+accept).into(&webhook)
	}
}

// What is no stream sequence, or none of the stream's, or cannot be read now, are
// three different problems.
func TestWebhookThatCannotBeGiven(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := l.serve()
	c.get("/v1/webhooks/1").refused(http.StatusNotFound, "webhook-not-found")
	c.get("/v1/webhooks/0").refused(http.StatusBadRequest, "invalid-parameter")
	c.get("/v1/webhooks/-1").refused(http.StatusBadRequest, "invalid-parameter")
	c.get("/v1/webhooks/one").refused(http.StatusBadRequest, "invalid-parameter")
	l.broken = errors.New("nats: secret internals")
	problem := c.get("/v1/webhooks/1").refused(http.StatusServiceUnavailable, "stream-unavailable")
	require.NotContains(t, problem.Detail, "nats")
}
