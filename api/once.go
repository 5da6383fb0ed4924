package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// onceHeader names an act, so that a client that did not hear of its end can ask for it
// again without having it done again (draft-ietf-httpapi-idempotency-key-header).
const onceHeader = "Idempotency-Key"

// The bounds of what is known of acts. The bodies are those of answers: a plan's or a
// rebuild's, some hundreds of bytes each.
const (
	actsFor      = 24 * time.Hour
	maxActs      = 1000
	maxActsBytes = 4 << 20
	maxActBody   = 1 << 20 // of a request: huma takes no more
)

// onceKey is what a key can be made of: what is printed, so a UUID among it.
var onceKey = regexp.MustCompile(`^[!-~]{1,255}$`)

func onceParameter() *huma.Param {
	return &huma.Param{
		Name: onceHeader, In: "header", Example: "9d0f3c1e-5a3b-4a55-8f6e-1f0c6f3b2a11",
		Description: "A name for this act that the client makes up, of up to 255 printed ASCII characters. The same request with it is answered as before for a day, without being done again, " +
			"with Idempotent-Replayed: true. It is 409 while the first one goes on, and 422 for another request. Only a success is kept, for whoever bears the same token: " +
			"after anything else the key is free. The newest 1,000 are known; a restart and an erasure forget them.",
		Schema: &huma.Schema{Type: huma.TypeString},
	}
}

// actName is a key of one token: two administrators cannot meet in one.
type actName struct {
	bearer [sha256.Size]byte
	key    string
}

// act is one that is done once, with its answer when it has ended.
type act struct {
	request   [sha256.Size]byte // method, path and body
	ended     time.Time         // zero while it goes on
	forgotten bool              // its answer is not to be kept

	status int
	header http.Header
	body   []byte
}

// acts knows the acts that have a key. It is safe for concurrent use.
type acts struct {
	now   func() time.Time
	mu    sync.Mutex
	known map[actName]*act
	ended []actName // the oldest first
	bytes int       // of the bodies of those that ended
}

func newActs(now func() time.Time) *acts { return &acts{now: now, known: map[actName]*act{}} }

// begin gives the act that is to be done now, or the one that was done under this name. It
// returns errKeyInUse and errKeyReused.
func (a *acts) begin(name actName, request [sha256.Size]byte) (known *act, done bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shrink()
	known, isKnown := a.known[name]
	switch {
	case !isKnown:
		known = &act{request: request}
		a.known[name] = known
		return known, false, nil
	case known.request != request:
		return nil, false, errKeyReused
	case known.ended.IsZero():
		return nil, false, errKeyInUse
	}
	return known, true, nil
}

// end keeps what an act was answered with, if that was a success.
func (a *acts) end(name actName, ended *act, answered *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if answered.status/100 != 2 || ended.forgotten {
		delete(a.known, name)
		return
	}
	ended.ended, ended.status, ended.header = a.now(), answered.status, answered.Header().Clone()
	a.ended = append(a.ended, name)
	a.bytes += len(ended.body)
	a.shrink()
}

// shrink forgets what is too old, and the oldest of what is too much.
func (a *acts) shrink() {
	for len(a.ended) > 0 {
		oldest := a.known[a.ended[0]]
		if len(a.ended) <= maxActs && a.bytes <= maxActsBytes && a.now().Sub(oldest.ended) < actsFor {
			return
		}
		delete(a.known, a.ended[0])
		a.ended, a.bytes = a.ended[1:], a.bytes-len(oldest.body)
	}
}

// forget drops the answers, as before an erasure is answered: they tell of orders. Those of
// acts that go on are not kept either, but for one.
func (a *acts) forget(but *act) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, known := range a.known {
		known.forgotten = known != but
	}
	maps.DeleteFunc(a.known, func(_ actName, known *act) bool { return !known.ended.IsZero() })
	a.ended, a.bytes = nil, 0
}

// actOf gives the act that is being done, nil for one without a key.
func actOf(ctx context.Context) *act {
	if a, ok := ctx.Value(answerKey{}).(*answer); ok {
		return a.act
	}
	return nil
}

// once has an act done by next, or answers what it was answered with before.
func (h *handler) once(ctx huma.Context, bearer Token, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	answered, isAnswer := r.Context().Value(answerKey{}).(*answer)
	keys := r.Header.Values(onceHeader)
	if len(keys) == 0 || !isAnswer {
		next(ctx)
		return
	}
	if len(keys) > 1 || !onceKey.MatchString(keys[0]) {
		writeProblem(w, invalid("header."+onceHeader, "must be one key of 1 to 255 printed ASCII characters"))
		return
	}
	request, whole := digestRequest(r)
	if !whole {
		next(ctx) // it is refused for its body
		return
	}
	name := actName{bearer: bearer.Sum, key: keys[0]}
	known, done, err := h.acts.begin(name, request)
	switch {
	case err != nil:
		writeProblem(w, problemOf(err))
	case done:
		known.tell(w)
	default:
		answered.act = known
		defer h.acts.end(name, known, answered)
		next(ctx)
	}
}

// digestRequest gives a sum over what is asked for, and leaves the body to be read again;
// whole is false for a body that breaks off or is too large.
func digestRequest(r *http.Request) (sum [sha256.Size]byte, whole bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxActBody+1))
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
	h := sha256.New()
	fmt.Fprintf(h, "%s %q\n", r.Method, r.URL.RequestURI())
	h.Write(body)
	return [sha256.Size]byte(h.Sum(nil)), err == nil && len(body) <= maxActBody
}

// tell answers as before.
func (a *act) tell(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Idempotent-Replayed", "true")
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // an error means that nobody reads any more
}
