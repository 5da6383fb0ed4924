package ingest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A refusal is one line with source, reason and size, and nothing that the
// sender wrote.
func TestRefusalIsLogged(t *testing.T) {
	t.Parallel()
	r := start(t)
	request := r.plain(t, http.MethodPost, "/webhooks/ivy?token="+canary, []byte(`{"id":"`+canary+`"}`))
	request.Header.Set("X-Ivy-Signature", canary)
	request.Header.Set("User-Agent", canary)
	r.do(t, request)

	require.Contains(t, r.logged.String(),
		`"level":"INFO","msg":"webhook refused","source":"ivy","reason":"credential-unfit","size":15}`)
	require.NotContains(t, r.logged.String(), canary)
}

// What was taken is not logged.
func TestTakenWebhooksAreNotLogged(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.do(t, r.signed(t, "ivy", "", []byte(`{}`)))
	require.Empty(t, r.logged.String())
}

// A fault on this side is a warning with its cause.
func TestFaultIsLogged(t *testing.T) {
	t.Parallel()
	r := startOn(t, failingWith(errors.New("the broker is on fire")))
	r.do(t, r.signed(t, "ivy", "", []byte(`{}`)))
	require.Contains(t, r.logged.String(), `"level":"WARN","msg":"webhook not taken","source":"ivy",`+
		`"reason":"stream-unavailable","size":2,"error":"the broker is on fire"}`)
}

// Refusals log a few lines a second at most; how many were left out is said with
// the next line. Faults have lines of their own, which no stranger can use up.
func TestLogIsLimited(t *testing.T) {
	t.Parallel()
	now := newClock()
	r := startOn(t, failingWith(errors.New("the broker is on fire")), now.configure)
	refuse := func() { r.do(t, r.plain(t, http.MethodPost, "/webhooks/nobody", nil)) }
	for range 30 {
		refuse()
	}
	require.Equal(t, 10, strings.Count(r.logged.String(), "webhook refused"))

	r.do(t, r.signed(t, "ivy", "", []byte(`{}`)))
	require.Contains(t, r.logged.String(), "the broker is on fire")

	now.advance(time.Second)
	refuse()
	require.Contains(t, r.logged.String(), `"left_out":20`)
}
