package api

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strconv"
)

// ServeHTTP answers one request, and whatever happens, it answers once.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.config.Asked.Add(1)
	a := &answer{ResponseWriter: w, target: r.RequestURI}
	started := h.config.Now()
	defer func() { h.metrics.observe(r.Pattern, a.status, h.config.Now().Sub(started)) }()
	defer h.rescue(a, r)

	secure(a.Header())
	bearer, err := h.guard.check(r)
	if err != nil {
		writeProblem(a, h.fail(r.Context(), "", err))
		return
	}
	defer func() { h.budget.held.Release(a.held) }()
	a.bearer, a.question = bearer, questionOf(r, bearer)
	if h.again(a, r) || h.straight(a, r) {
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), answerKey{}, a))
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		writeProblem(a, invalid("query", "is not a query string"))
		return
	}
	h.route(a, r)
	if a.kept != nil {
		a.kept.pattern = r.Pattern
		h.answers.keep(a.question, a.kept)
	}
}

// secured are the headers that every answer bears. No-store is what an answer
// gets that says nothing else: orders are personal data.
var secured = []struct {
	name   string
	values []string // which all answers share
}{
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
	{"Cache-Control", []string{"no-store"}},
}

// The values of headers that kept answers share.
var asJSON, asRevalidated = []string{typeJSON}, []string{revalidate}

func secure(header http.Header) {
	for _, h := range secured {
		header[h.name] = h.values
	}
}

// route hands the request to its operation. A path that the mux would redirect
// to a cleaner one is unknown instead: that one may mean another order. Where
// there is no operation, the mux's own answer is plain text: only its verdict is taken.
func (h *handler) route(a *answer, r *http.Request) {
	if escaped := r.URL.EscapedPath(); path.Clean(escaped) != escaped {
		writeProblem(a, problemOf(errNoPath))
		return
	}
	fallback, pattern := h.mux.Handler(r)
	if pattern != "" {
		h.operate(a, r)
		return
	}
	v := verdict{header: http.Header{}}
	fallback.ServeHTTP(&v, r)
	if v.status != http.StatusMethodNotAllowed {
		writeProblem(a, problemOf(errNoPath))
		return
	}
	a.Header().Set("Allow", v.header.Get("Allow"))
	writeProblem(a, problemOf(errMethod))
}

// operate has the operation answer. What changes something must not come from
// another site's page, by what the browser says of it, and must say that its
// content is JSON, even where it has none: a web page can have a browser send
// that to another site only after asking it, and is never told yes.
func (h *handler) operate(a *answer, r *http.Request) {
	if reads := r.Method == http.MethodGet || r.Method == http.MethodHead; !reads {
		if http.NewCrossOriginProtection().Check(r) != nil {
			writeProblem(a, problemOf(errCrossSite))
			return
		}
		if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != typeJSON {
			writeProblem(a, problemOf(errNotJSON))
			return
		}
	}
	h.mux.ServeHTTP(a, r)
}

// rescue answers for a panic. If the answer has begun already, all that is left
// is to break the connection, so that nobody takes half of it for the whole. Huma
// panics too when a client has gone, which is no defect. The panic's value may
// hold text of a provider: the log gets its type.
func (h *handler) rescue(a *answer, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause != http.ErrAbortHandler && !a.broken {
		h.log.Error("api request panicked",
			"route", r.Pattern, "panic", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
	}
	if a.status != 0 || cause == http.ErrAbortHandler {
		panic(http.ErrAbortHandler)
	}
	writeProblem(a, problemOf(errDefect))
}

// answer is a ResponseWriter that knows whether and how it was answered.
type answer struct {
	http.ResponseWriter
	status int   // 0 until the answer has begun
	broken bool  // nobody reads it any more
	held   int64 // bytes, of the budget

	target   string // path and query, as they were sent
	bearer   Token
	question question
	kept     *kept // nil for an answer that is not kept
	act      *act  // what it tells of, if that is to be done once; else nil
}

// WriteHeader tells the length of what is kept, since it is whole: net/http would send
// it in chunks.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	if a.kept != nil && status == http.StatusOK {
		a.Header().Set("Content-Length", strconv.Itoa(len(a.kept.body)))
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.act != nil {
		a.act.body = append(a.act.body, p...)
	}
	n, err := a.ResponseWriter.Write(p)
	a.broken = a.broken || err != nil
	return n, err
}

// Unwrap lets an http.ResponseController through.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// verdict is a ResponseWriter that keeps the status and the headers only.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(p []byte) (int, error) { return len(p), nil }
