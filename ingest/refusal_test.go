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

// Every request that is not taken gets exactly the documented answer, stores
// nothing in the stream of webhooks, and is kept where the design says so.
func TestRefusals(t *testing.T) {
	t.Parallel()
	body := []byte(`{"id":"` + canary + `","status":"COMPLETED"}`)
	sent := newClock()
	for name, test := range map[string]struct {
		request func(*receiver) *http.Request
		status  int
		code    string
		header  [2]string
		kept    bool
	}{
		"unknown path": {
			func(r *receiver) *http.Request { return r.plain(t, http.MethodPost, "/"+canary, body) },
			http.StatusNotFound, "unknown-path", [2]string{}, false,
		},
		"unclean path": {
			func(r *receiver) *http.Request {
				return r.plain(t, http.MethodPost, "//webhooks/../webhooks/runa", body)
			},
			http.StatusNotFound, "unknown-path", [2]string{}, false,
		},
		"unknown source": {
			func(r *receiver) *http.Request { return r.plain(t, http.MethodPost, "/webhooks/"+canary, body) },
			http.StatusNotFound, "unknown-source", [2]string{}, false,
		},
		"no source": {
			func(r *receiver) *http.Request { return r.plain(t, http.MethodPost, "/webhooks/", body) },
			http.StatusNotFound, "unknown-source", [2]string{}, false,
		},
		"more than a source": {
			func(r *receiver) *http.Request { return r.plain(t, http.MethodPost, "/webhooks/runa/"+canary, body) },
			http.StatusNotFound, "unknown-source", [2]string{}, false,
		},
		"wrong method": {
			func(r *receiver) *http.Request { return r.plain(t, http.MethodGet, "/webhooks/runa?t="+canary, nil) },
			http.StatusMethodNotAllowed, "method-not-allowed", [2]string{"Allow", "POST"}, false,
		},
		"gzip": {
			func(r *receiver) *http.Request {
				return with(r.signed(t, "runa", "msg_1", body), "Content-Encoding", "gzip")
			},
			http.StatusUnsupportedMediaType, "content-encoding", [2]string{"Accept-Encoding", "identity"}, false,
		},
		"one encoding among others": {
			func(r *receiver) *http.Request {
				return with(r.signed(t, "runa", "msg_1", body), "Content-Encoding", "identity, br")
			},
			http.StatusUnsupportedMediaType, "content-encoding", [2]string{"Accept-Encoding", "identity"}, false,
		},
		"body one byte over the limit": {
			func(r *receiver) *http.Request { return r.signed(t, "runa", "msg_1", padded(maxBody+1)) },
			http.StatusRequestEntityTooLarge, "body-too-large", [2]string{}, false,
		},
		"body of unknown length over the limit": {
			func(r *receiver) *http.Request {
				request := r.signed(t, "runa", "msg_1", padded(maxBody+1))
				request.ContentLength = -1
				return request
			},
			http.StatusRequestEntityTooLarge, "body-too-large", [2]string{}, false,
		},
		"no signature": {
			func(r *receiver) *http.Request { return r.plain(t, http.MethodPost, "/webhooks/runa", body) },
			http.StatusUnauthorized, "credential-missing", [2]string{}, true,
		},
		"wrong signature": {
			func(r *receiver) *http.Request {
				return with(r.signed(t, "ivy", "", body), "X-Ivy-Signature", strings.Repeat("0", 64))
			},
			http.StatusUnauthorized, "credential-wrong", [2]string{}, true,
		},
		"signature of another form": {
			func(r *receiver) *http.Request {
				return with(r.signed(t, "runa", "msg_1", body), "Svix-Signature", "v2,"+canary)
			},
			http.StatusUnauthorized, "credential-unfit", [2]string{}, true,
		},
		"repeated signature": {
			func(r *receiver) *http.Request {
				request := r.signed(t, "ivy", "", body)
				request.Header.Add("X-Ivy-Signature", canary)
				return request
			},
			http.StatusUnauthorized, "credential-repeated", [2]string{}, true,
		},
		"signature of another body": {
			func(r *receiver) *http.Request {
				request := r.plain(t, http.MethodPost, "/webhooks/runa", []byte(`{"id":"another"}`))
				request.Header = r.signed(t, "runa", "msg_1", body).Header
				return request
			},
			http.StatusUnauthorized, "credential-wrong", [2]string{}, true,
		},
		"old timestamp": {
			func(r *receiver) *http.Request {
				request := r.signed(t, "runa", "msg_1", body)
				sent.advance(5*time.Minute + time.Second)
				return request
			},
			http.StatusUnauthorized, "timestamp-too-old", [2]string{}, true,
		},
		"future timestamp": {
			func(r *receiver) *http.Request {
				request := r.signed(t, "runa", "msg_1", body)
				sent.advance(-5*time.Minute - time.Second)
				return request
			},
			http.StatusUnauthorized, "timestamp-too-new", [2]string{}, true,
		},
		"wrong Authorization": {
			func(r *receiver) *http.Request {
				return with(r.signed(t, "ordatic", "", body), "Authorization", "Bearer "+canary)
			},
			http.StatusUnauthorized, "credential-wrong", [2]string{}, true,
		},
		"wrong token": {
			func(r *receiver) *http.Request {
				return r.plain(t, http.MethodPost, "/webhooks/payway?token="+canary, body)
			},
			http.StatusUnauthorized, "credential-wrong", [2]string{}, true,
		},
		"not JSON": {
			func(r *receiver) *http.Request { return r.signed(t, "runa", "msg_1", []byte(canary)) },
			http.StatusBadRequest, "not-json", [2]string{}, true,
		},
		"empty": {
			func(r *receiver) *http.Request { return r.signed(t, "runa", "msg_1", nil) },
			http.StatusBadRequest, "not-json", [2]string{}, true,
		},
		"JSON and more": {
			func(r *receiver) *http.Request { return r.signed(t, "runa", "msg_1", []byte(`{} {}`)) },
			http.StatusBadRequest, "not-json", [2]string{}, true,
		},
		"JSON but not an object": {
			func(r *receiver) *http.Request { return r.signed(t, "runa", "msg_1", []byte(`["`+canary+`"]`)) },
			http.StatusBadRequest, "not-an-object", [2]string{}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, sent.configure)

			got := r.do(t, test.request(r))

			require.Equal(t, test.status, got.status, got.body)
			require.Equal(t, test.code, got.code(t))
			if test.header != [2]string{} {
				require.Equal(t, test.header[1], got.header.Get(test.header[0]))
			}
			require.Zero(t, r.stored(t))
			if kept := r.kept(t); test.kept {
				require.Len(t, kept, 1)
				require.True(t, strings.HasSuffix(kept[0].Subject, "."+test.code), kept[0].Subject)
			} else {
				require.Empty(t, kept)
			}
			require.NotContains(t, got.body+fmt.Sprint(got.header)+r.logged.String(), canary)
		})
	}
}

func with(request *http.Request, name, value string) *http.Request {
	request.Header.Set(name, value)
	return request
}

// A problem is answered in exactly this form.
func TestProblemForm(t *testing.T) {
	t.Parallel()
	r := start(t)
	require.Equal(t,
		`{"type":"/problems/unknown-source","title":"Unknown source","status":404,`+
			`"detail":"No source of this name is configured.","code":"unknown-source"}`,
		r.do(t, r.plain(t, http.MethodPost, "/webhooks/nobody", nil)).body)
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
