package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
)

// canary stands for everything that a request holds and that must not come out
// again: in an answer, in a log line or in a label.
const canary = "c4n4ry"

// Every request that is not taken gets exactly the documented answer and stores
// no webhook. What is not authentic or not a JSON object is kept, with its code.
func TestRefusals(t *testing.T) {
	t.Parallel()
	type build func(*receiver, *clock) *http.Request
	body := []byte(`{"id":"` + canary + `","status":"COMPLETED"}`)
	plain := func(method, path string) build {
		return func(r *receiver, _ *clock) *http.Request { return r.plain(t, method, path, body) }
	}
	signed := func(source string, body []byte) build {
		return func(r *receiver, _ *clock) *http.Request { return r.signed(t, source, "msg_1", body) }
	}
	header := func(source, name, value string) build {
		return func(r *receiver, _ *clock) *http.Request {
			request := r.signed(t, source, "msg_1", body)
			request.Header.Set(name, value)
			return request
		}
	}
	late := func(by time.Duration) build {
		return func(r *receiver, now *clock) *http.Request {
			defer now.advance(by)
			return r.signed(t, "runa", "msg_1", body)
		}
	}
	for name, test := range map[string]struct {
		request build
		status  int
		code    string
	}{
		"unknown path":        {plain("POST", "/"+canary), 404, "unknown-path"},
		"unclean path":        {plain("POST", "//webhooks/../webhooks/runa"), 404, "unknown-path"},
		"unknown source":      {plain("POST", "/webhooks/"+canary), 404, "unknown-source"},
		"no source":           {plain("POST", "/webhooks/"), 404, "unknown-source"},
		"more than a source":  {plain("POST", "/webhooks/runa/"+canary), 404, "unknown-source"},
		"source of wildcards": {plain("POST", "/webhooks/%3E"), 404, "unknown-source"},

		"GET":    {plain("GET", "/webhooks/runa?t="+canary), 405, "method-not-allowed"},
		"DELETE": {plain("DELETE", "/webhooks/runa"), 405, "method-not-allowed"},

		"gzip":                      {header("runa", "Content-Encoding", "gzip"), 415, "content-encoding"},
		"one encoding among others": {header("runa", "Content-Encoding", "identity, br"), 415, "content-encoding"},

		"one byte over the limit": {signed("runa", padded(maxBody+1)), 413, "body-too-large"},
		"over the limit, of unknown length": {func(r *receiver, _ *clock) *http.Request {
			request := r.signed(t, "runa", "msg_1", padded(maxBody+1))
			request.ContentLength = -1
			return request
		}, 413, "body-too-large"},

		"no signature":              {plain("POST", "/webhooks/runa"), 401, "credential-missing"},
		"no Authorization":          {plain("POST", "/webhooks/ordatic"), 401, "credential-missing"},
		"no token":                  {plain("POST", "/webhooks/payway"), 401, "credential-missing"},
		"wrong signature":           {header("ivy", "X-Ivy-Signature", strings.Repeat("0", 64)), 401, "credential-wrong"},
		"wrong Authorization":       {header("ordatic", "Authorization", "Bearer "+canary), 401, "credential-wrong"},
		"wrong token":               {plain("POST", "/webhooks/payway?token="+canary), 401, "credential-wrong"},
		"signature of another form": {header("runa", "Svix-Signature", "v2,"+canary), 401, "credential-unfit"},
		"repeated signature": {func(r *receiver, _ *clock) *http.Request {
			request := r.signed(t, "ivy", "", body)
			request.Header.Add("X-Ivy-Signature", canary)
			return request
		}, 401, "credential-repeated"},
		"signature of another body": {func(r *receiver, _ *clock) *http.Request {
			request := r.plain(t, http.MethodPost, "/webhooks/runa", body)
			request.Header = r.signed(t, "runa", "msg_1", []byte(`{}`)).Header
			return request
		}, 401, "credential-wrong"},
		"old timestamp":    {late(5*time.Minute + time.Second), 401, "timestamp-too-old"},
		"future timestamp": {late(-5*time.Minute - time.Second), 401, "timestamp-too-new"},

		"not JSON":               {signed("runa", []byte(canary)), 400, "not-json"},
		"no body":                {signed("runa", nil), 400, "not-json"},
		"JSON and more":          {signed("runa", []byte(`{} {}`)), 400, "not-json"},
		"JSON but not an object": {signed("runa", []byte(`["`+canary+`"]`)), 400, "not-an-object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := newClock()
			r := start(t, now.configure)

			got := r.do(t, test.request(r, now))

			require.Equal(t, test.status, got.status, got.body)
			require.Equal(t, test.code, got.code(t))
			require.Zero(t, r.stored(t))
			if test.status == http.StatusBadRequest || test.status == http.StatusUnauthorized {
				require.Len(t, r.kept(t), 1)
				require.True(t, strings.HasSuffix(r.kept(t)[0].Subject, "."+test.code))
			} else {
				require.Empty(t, r.kept(t))
			}
			require.NotContains(t, got.body+fmt.Sprint(got.header)+r.logged.String(), canary)
		})
	}
}

// A refusal carries the header that its status calls for.
func TestHeadersOfRefusals(t *testing.T) {
	t.Parallel()
	r := start(t)
	got := r.do(t, r.plain(t, http.MethodGet, "/webhooks/runa", nil))
	require.Equal(t, "POST", got.header.Get("Allow"))

	request := r.signed(t, "runa", "msg_1", []byte(`{}`))
	request.Header.Set("Content-Encoding", "gzip")
	require.Equal(t, "identity", r.do(t, request).header.Get("Accept-Encoding"))
}

// A problem is answered in exactly this form.
func TestProblemForm(t *testing.T) {
	t.Parallel()
	r := start(t)
	require.Equal(t,
		`{"type":"about:blank","title":"Unknown source","status":404,`+
			`"detail":"No source of this name is configured.","code":"unknown-source"}`,
		r.do(t, r.plain(t, http.MethodPost, "/webhooks/nobody", nil)).body)
}

// What each answer means can be asked elsewhere: every code is explained once.
func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	explained := map[string]ingest.ProblemType{}
	for _, p := range ingest.ProblemTypes() {
		require.NotContains(t, explained, p.Code)
		require.NotEmpty(t, p.Title)
		require.NotEmpty(t, p.Detail)
		explained[p.Code] = p
	}
	for _, code := range []string{"unknown-source", "credential-wrong", "stream-full", "stream-unavailable", "rate-limited"} {
		require.Contains(t, explained, code)
	}
	require.Equal(t, http.StatusServiceUnavailable, explained["stream-full"].Status)
}

// Whatever is wrong on this side, the sender is asked for its webhook again:
// never a 4xx, and always a time to wait.
func TestFaultsOfThisSide(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		code string
	}{
		"full":        {fmt.Errorf("append: %w", eventlog.ErrFull), "stream-full"},
		"unavailable": {fmt.Errorf("append: %w", eventlog.ErrUnavailable), "stream-unavailable"},
		"timeout":     {context.DeadlineExceeded, "stream-unavailable"},
		"anything":    {errors.New("something else"), "stream-unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startOn(t, failingWith(test.err))

			got := r.do(t, r.signed(t, "ivy", "", []byte(`{}`)))

			require.Equal(t, http.StatusServiceUnavailable, got.status)
			require.Equal(t, test.code, got.code(t))
			require.NotEmpty(t, got.header.Get("Retry-After"))
			require.NotContains(t, got.body, "something else")
		})
	}
}

// A full stream refuses webhooks until there is room, and keeps what it has.
func TestFullStream(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, eventlog.Config{MaxBytes: 64 << 10})
	r.serve(t, r.log)
	body := padded(16 << 10)
	got := r.do(t, r.signed(t, "ordatic", "", body))
	accepted := uint64(0)
	for ; got.status == http.StatusOK; accepted++ {
		got = r.do(t, r.signed(t, "ordatic", "", body))
	}
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "stream-full", got.code(t))
	require.Equal(t, "60", got.header.Get("Retry-After"))
	require.NotZero(t, accepted)
	require.Equal(t, accepted, r.stored(t))
}

// A broker that is away is our fault, for authentic webhooks as for readiness;
// who is not authentic is told so all the same.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *ingest.Config) { c.PublishTimeout = 50 * time.Millisecond })
	require.NoError(t, r.embedded.Close())

	got := r.do(t, r.signed(t, "ivy", "", []byte(`{}`)))
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "stream-unavailable", got.code(t))

	got = r.do(t, r.plain(t, http.MethodPost, "/webhooks/ivy", []byte(`{}`)))
	require.Equal(t, http.StatusUnauthorized, got.status)

	require.Equal(t, http.StatusServiceUnavailable, r.do(t, r.plain(t, http.MethodGet, "/readyz", nil)).status)
}

// Every answer bears the headers that keep a browser from making anything of it, and
// none that lets another site read it or send a webhook.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, request := range []*http.Request{
		r.plain(t, http.MethodGet, "/healthz", nil), r.plain(t, http.MethodGet, "/none", nil), r.plain(t, http.MethodOptions, "/webhooks/ivy", nil),
		r.plain(t, http.MethodPost, "/webhooks/ivy", []byte("{}")), r.signed(t, "ivy", "", []byte("{}")),
	} {
		request.Header.Set("Origin", "https://evil.example")
		header := r.do(t, request).header
		require.Equal(t, []string{"nosniff"}, header.Values("X-Content-Type-Options"))
		require.Equal(t, []string{"no-referrer"}, header.Values("Referrer-Policy"))
		require.Equal(t, []string{"same-origin"}, header.Values("Cross-Origin-Resource-Policy"))
		require.Equal(t, []string{"default-src 'none'; frame-ancestors 'none'"}, header.Values("Content-Security-Policy"))
		require.Equal(t, []string{"no-store"}, header.Values("Cache-Control"))
		require.Empty(t, header.Values("Set-Cookie"))
		for name := range header {
			require.False(t, strings.HasPrefix(name, "Access-Control-"), name)
		}
	}
}
