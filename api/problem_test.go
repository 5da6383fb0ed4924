package api_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// faulty is a read model whose orders fail in a way that a test gives.
type faulty struct {
	api.ReadModel
	order   func(ctx context.Context) (*domain.Order, error)
	waitFor func(ctx context.Context) error
}

func (faulty) Watch() (holds func() bool) { return func() bool { return false } }

func (f faulty) WatchOrder(string, string) (holds func() bool) { return f.Watch() }

func (f faulty) Order(ctx context.Context, _, _ string) (*domain.Order, error) { return f.order(ctx) }
func (f faulty) WaitFor(ctx context.Context, _ uint64) error                   { return f.waitFor(ctx) }

// ask puts one question to a handler without a connection, with a token where one is given.
func ask(t *testing.T, handler http.Handler, path string, token ...string) reply {
	t.Helper()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, http.NoBody)
	for _, token := range token {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	handler.ServeHTTP(recorder, request)
	return reply{t: t, Status: recorder.Code, Header: recorder.Header(), Body: recorder.Body.String()}
}

// A path that is no operation is a problem like any other, and is not led to
// another path: a cleaned key would be another order's.
func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve()
	for _, path := range []string{
		"/dashboard", "/dashboard/", "/dashboard/0/app/main.js", "/index.html", "/v1", "/v1/orders/", "/v1/orders/ordatic", "/v1/orders/ordatic/", "//v1/orders", "/v1//orders", "/v1/orders/ordatic//timeline",
		"/v1/orders/ordatic/k/other", "/docs/", "/schemas/Order.json", "/openapi.yaml", "/metrics", "/V1/orders", "/healthz/",
	} {
		c.get(path).refused(http.StatusNotFound, "path-not-found")
	}
	ask(t, newLedger(t).handler(), "/v1/orders/ordatic/../x").refused(http.StatusNotFound, "path-not-found")
	c.get("/problems/none").refused(http.StatusNotFound, "problem-not-found")
}

// The problems of another part are explained beside the API's own, which come first.
func TestProblemsOfAnotherPart(t *testing.T) {
	t.Parallel()
	full := api.ProblemType{Code: "stream-full", Status: http.StatusServiceUnavailable, Title: "The stream is full", Detail: "Send it again later."}
	busy := api.ProblemType{Code: "busy", Status: http.StatusServiceUnavailable, Title: "Another busy", Detail: "of another part"}
	c := newLedger(t).serve(func(config *api.Config) { config.Problems = []api.ProblemType{full, busy} })
	var got api.ProblemType
	c.get("/problems/stream-full").into(&got)
	require.Equal(t, full, got)
	c.get("/problems/busy").into(&got)
	require.NotEqual(t, busy.Title, got.Title)
}

// Who follows the type of a problem in a browser reads it as a page, which can run nothing;
// programs get JSON.
func TestProblemsArePagesForPeople(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve(func(config *api.Config) {
		config.Problems = []api.ProblemType{{Code: "odd", Status: http.StatusBadRequest, Title: "<b>Odd</b>", Detail: "of another part"}}
	})
	page := c.get("/problems/order-not-found", "Accept: text/html,application/xhtml+xml,*/*;q=0.8")
	require.Equal(t, http.StatusOK, page.Status)
	require.Equal(t, "text/html; charset=utf-8", page.Header.Get("Content-Type"))
	require.Equal(t, "Accept", page.Header.Get("Vary"))
	require.True(t, strings.HasPrefix(page.Header.Get("Content-Security-Policy"), "default-src 'none'"))
	require.Contains(t, page.Body, "<h1>No such order</h1>")
	require.NotContains(t, page.Body, "<script")
	require.Contains(t, c.get("/problems/odd", "Accept: text/html").Body, "&lt;b&gt;Odd")
	for _, accept := range []string{"", "*/*", "application/json"} {
		answer := c.get("/problems/order-not-found", "Accept: "+accept)
		require.Equal(t, "application/json", answer.Header.Get("Content-Type"))
		require.Equal(t, "Accept", answer.Header.Get("Vary"))
	}
	c.get("/problems/none", "Accept: text/html").refused(http.StatusNotFound, "problem-not-found")
}

// A method that a path does not have is answered with those that it has.
func TestWrongMethods(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, "BREW"} {
		answer := c.do(method, "/v1/orders")
		answer.refused(http.StatusMethodNotAllowed, "method-not-allowed")
		require.Equal(t, "GET, HEAD", answer.Header.Get("Allow"))
		require.Equal(t, http.StatusNotFound, c.do(method, "/none").Status)
	}
	require.Equal(t, http.StatusOK, c.do(http.MethodHead, "/v1/orders").Status)
}

// A failure of ours is a 500 that tells nothing of the inside, and the log has
// the cause.
func TestInternalFailure(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	handler := api.New(faulty{order: func(context.Context) (*domain.Order, error) {
		return nil, errors.New("disk I/O error in 1.db")
	}}, newLedger(t), api.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	answer := ask(t, handler, "/v1/orders/ordatic/secret-key")
	answer.refused(http.StatusInternalServerError, "internal-defect")
	require.NotContains(t, answer.Body, "disk")
	require.Contains(t, log.String(), "disk I/O error")
	require.NotContains(t, log.String(), "secret-key", "what a provider wrote is not logged")
}

// A panic is answered like any failure of ours; its value, which may hold text of
// a provider, is not logged.
func TestPanic(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	handler := api.New(faulty{order: func(context.Context) (*domain.Order, error) {
		panic("text of a provider")
	}}, newLedger(t), api.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	answer := ask(t, handler, "/v1/orders/ordatic/o-1")
	answer.refused(http.StatusInternalServerError, "internal-defect")
	require.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"))
	require.Contains(t, log.String(), "panicked")
	require.NotContains(t, log.String(), "text of a provider")
	require.Equal(t, http.StatusOK, ask(t, handler, "/healthz").Status)
}

// An answer that cannot be written to its end breaks the connection, so that half
// of it is never taken for the whole; that a client has gone is not logged.
func TestClientGone(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	var log bytes.Buffer
	handler := l.handler(func(c *api.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/v1/orders/ordatic/store-7:o-1", http.NoBody)
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { handler.ServeHTTP(&brokenWriter{header: http.Header{}}, request) })
	require.Empty(t, log.String())
}

// brokenWriter is a ResponseWriter whose connection is gone.
type brokenWriter struct{ header http.Header }

func (w *brokenWriter) Header() http.Header       { return w.header }
func (w *brokenWriter) WriteHeader(int)           {}
func (w *brokenWriter) Write([]byte) (int, error) { return 0, errors.New("connection reset") }

// A read that takes too long is ended, and says when to try again.
func TestSlowRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		handler := api.New(faulty{order: func(ctx context.Context) (*domain.Order, error) {
			<-ctx.Done()
			return nil, errors.New("interrupted")
		}}, nil, api.Config{})
		started := time.Now()
		answer := ask(t, handler, "/v1/orders/ordatic/o-1")
		answer.refused(http.StatusServiceUnavailable, "too-slow")
		require.Equal(t, "1", answer.Header.Get("Retry-After"))
		require.Equal(t, 5*time.Second, time.Since(started))
	})
}

// A read that is to know a stream sequence waits for it in vain for a bounded
// time, and says when to try again; the read itself keeps its whole time.
func TestMinStreamSequenceInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		handler := api.New(faulty{waitFor: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}, nil, api.Config{})
		for _, path := range []string{
			"/v1/orders?", "/v1/orders/ordatic/o-1?", "/v1/orders/ordatic/o-1/timeline?", "/v1/orders/ordatic/o-1/proofs/p?",
			"/v1/quarantine?", "/v1/stats?", "/v1/projection?",
		} {
			started := time.Now()
			answer := ask(t, handler, path+"min_stream_sequence=18446744073709551615")
			answer.refused(http.StatusServiceUnavailable, "read-model-behind")
			require.Equal(t, "1", answer.Header.Get("Retry-After"))
			require.Equal(t, 5*time.Second, time.Since(started), path)
		}
	})
}

// A read model that fails while it is waited for is a failure, and not behind.
func TestMinStreamSequenceOfABrokenReadModel(t *testing.T) {
	t.Parallel()
	handler := api.New(faulty{waitFor: func(context.Context) error { return errors.New("disk I/O error") }}, nil, api.Config{})
	ask(t, handler, "/v1/orders?min_stream_sequence=1").refused(http.StatusInternalServerError, "internal-defect")
}
