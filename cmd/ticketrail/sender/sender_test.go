package sender_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain/provider"
)

const body = `{"id":"1","status":"FAILED"}`

// What is sent is what each provider's own verification takes, and the bytes are
// those that were given.
func TestWebhooksAreSignedAsEachProviderSigns(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		secret := p.NewSecret([24]byte{1})
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			request := &provider.Request{Header: r.Header, Query: r.URL.Query(), Body: raw, At: time.Now()}
			if p.Verify(request, []string{secret}) != nil || string(raw) != body || r.URL.Path != "/webhooks/x" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			fmt.Fprint(w, `{"stream_sequence":12,"duplicate":true}`)
		})
		to := sender.Sender{Client: server.Client(), URL: server.URL + "/webhooks/x", Provider: p, Secret: secret}
		answer, err := to.Send(t.Context(), "msg_1", []byte(body))
		require.NoError(t, err, p.Name())
		require.Equal(t, sender.Answer{Status: 200, StreamSequence: 12, Duplicate: true}, answer, p.Name())
		require.True(t, answer.OK())
	}
}

// A refusal is an answer, with the title of its problem details.
func TestARefusalIsAnAnswer(t *testing.T) {
	t.Parallel()
	for text, problem := range map[string]string{
		`{"title":"Too many"}`:  "Too many",
		`<html>`:                "the answer is not JSON",
		`{"stream_sequence":3}`: "",
	} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, text)
		})
		to := sender.Sender{Client: server.Client(), URL: server.URL, Provider: provider.Ivy{}, Secret: "s"}
		answer, err := to.Send(t.Context(), "", []byte(body))
		require.NoError(t, err)
		require.False(t, answer.OK())
		require.Equal(t, sender.Answer{Status: http.StatusTooManyRequests, Problem: problem}, answer)
	}
}

// Where there is no answer the error names the address without the token that
// some providers put there.
func TestAnErrorHoldsNoToken(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://user:canary@127.0.0.1:1/webhooks/payway?token=canary", "http://127.0.0.1:bad/canary%zz"} {
		to := sender.Sender{Client: http.DefaultClient, URL: address, Provider: provider.Payway{}, Secret: "canary-in-the-query"}
		_, err := to.Send(t.Context(), "", []byte(body))
		require.Error(t, err)
		require.NotContains(t, err.Error(), "canary")
	}
}

func serve(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server
}
