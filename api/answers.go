package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"reflect"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// maxKept bounds the bytes of the answers that are kept: some ten thousand orders.
const maxKept = 32 << 20

// keptOverhead is about what an answer takes beside its texts.
const keptOverhead = 400

// answers keeps answers as they were encoded, for as long as what they tell holds. It is
// two generations: the older one goes when the younger has half of the room, and what is
// asked for again becomes young.
type answers struct {
	mu         sync.Mutex
	young, old map[question]*kept
	bytes      int // of the young
}

// question is what decides an answer, beside the read model.
type question struct {
	target string // path and query, as they were sent
	scope  Scope  // of who asks
}

// kept is a success.
type kept struct {
	pattern string // of the mux
	holds   func() bool
	etag    string // empty for an answer that has none
	link    string // to the next page, empty where there is none
	body    []byte
}

func newAnswers() *answers { return &answers{young: map[question]*kept{}, old: map[question]*kept{}} }

// find gives the answer to a question, nil where none is kept that holds.
func (a *answers) find(q question) *kept {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, isYoung := a.young[q]
	if !isYoung {
		k = a.old[q]
	}
	if k == nil || !k.holds() {
		return nil
	}
	if !isYoung {
		a.put(q, k)
	}
	return k
}

// keep keeps an answer if it still holds.
func (a *answers) keep(q question, k *kept) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if k.holds() {
		a.put(q, k)
	}
}

func (a *answers) put(q question, k *kept) {
	if former, replaced := a.young[q]; replaced {
		a.bytes -= weigh(q, former)
	}
	delete(a.old, q)
	a.young[q] = k
	if a.bytes += weigh(q, k); a.bytes > maxKept/2 {
		a.young, a.old, a.bytes = map[question]*kept{}, a.young, 0
	}
}

func weigh(q question, k *kept) int { return len(q.target) + len(k.link) + cap(k.body) + keptOverhead }

// forget empties it, as after an erasure: what no longer holds is not answered, but is
// still in memory.
func (a *answers) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.young, a.old, a.bytes = map[question]*kept{}, map[question]*kept{}, 0
}

// questionOf gives what a request asks, the zero question where its answer is never kept.
func questionOf(r *http.Request, bearer Token) question {
	if r.Method != http.MethodGet || r.RequestURI == "" {
		return question{}
	}
	return question{target: r.RequestURI, scope: bearer.Scope}
}

// again answers with what is kept, if there is anything.
func (h *handler) again(a *answer, r *http.Request) bool {
	k := h.answers.find(a.question)
	if k == nil {
		return false
	}
	a.tell(r, k)
	return true
}

// tell answers with a success as it was encoded.
func (a *answer) tell(r *http.Request, k *kept) {
	a.kept, r.Pattern = k, k.pattern
	header := a.Header()
	header["Content-Type"] = asJSON
	if k.link != "" {
		header.Set("Link", k.link)
	}
	if k.etag != "" {
		header.Set("ETag", k.etag)
		header["Cache-Control"] = asRevalidated
		if matches(r.Header.Get("If-None-Match"), k.etag) {
			a.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if _, err := a.Write(k.body); err != nil {
		panic(http.ErrAbortHandler) // nobody reads any more: see rescue
	}
}

// keep has a success kept when it has been answered.
func keep(ctx context.Context, k *kept) {
	if a, ok := ctx.Value(answerKey{}).(*answer); ok && a.question != (question{}) {
		a.kept = k
	}
}

// encoded is a body of the type T that was encoded already.
type encoded[T any] struct{ text []byte }

func encode[T any](value T) (encoded[T], error) {
	var text bytes.Buffer
	err := huma.DefaultJSONFormat.Marshal(&text, value)
	return encoded[T]{text: text.Bytes()}, err
}

func (e encoded[T]) encodedText() []byte { return e.text }

// jsonFormat is huma's, but that it writes what is encoded as it is.
func jsonFormat() huma.Format {
	format := huma.DefaultJSONFormat
	format.Marshal = func(w io.Writer, value any) error {
		if e, ok := value.(interface{ encodedText() []byte }); ok {
			_, err := w.Write(e.encodedText())
			return err
		}
		return huma.DefaultJSONFormat.Marshal(w, value)
	}
	return format
}

// Schema is that of the type.
func (encoded[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}
