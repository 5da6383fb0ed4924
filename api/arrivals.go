package api

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	arrivalsPath = "/v1/arrivals"

	// maxListeners bounds who listens at once, and maxUnheard how many arrivals each may
	// be behind: more are counted and not kept.
	maxListeners = 16
	maxUnheard   = 256
)

// verdictRefused stands for every verdict but accepted and duplicate.
const verdictRefused = "refused"

// Arrivals hands on what comes in to those who listen. It is safe for concurrent use;
// the zero value has no listeners.
type Arrivals struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
	count     atomic.Int64 // of the listeners: where there are none nobody waits for the lock
}

// listener is one who listens.
type listener struct {
	wants   func(domain.Arrival) bool
	heard   chan domain.Arrival
	unheard atomic.Uint64 // for want of room, since it was told last
}

// Tell hands an arrival on. It never waits: a listener who is too far behind misses it,
// and is told so.
func (a *Arrivals) Tell(arrival domain.Arrival) {
	if a.count.Load() == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for l := range a.listeners {
		if !l.wants(arrival) {
			continue
		}
		select {
		case l.heard <- arrival:
		default:
			l.unheard.Add(1)
		}
	}
}

// listen adds a listener, or gives errBusy where there are enough.
func (a *Arrivals) listen(wants func(domain.Arrival) bool) (l *listener, leave func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.listeners) == maxListeners {
		return nil, nil, errBusy
	}
	if a.listeners == nil {
		a.listeners = map[*listener]struct{}{}
	}
	l = &listener{wants: wants, heard: make(chan domain.Arrival, maxUnheard)}
	a.listeners[l] = struct{}{}
	a.count.Add(1)
	return l, func() { a.leave(l) }, nil
}

func (a *Arrivals) leave(l *listener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.listeners, l)
	a.count.Add(-1)
}

// Arrival is one request to a webhook endpoint and what came of it.
type Arrival struct {
	ReceivedAt     domain.Instant `json:"received_at" format:"date-time" doc:"When its headers were there."`
	Source         *string        `json:"source" example:"ordatic" doc:"The source that it came to; null where no such source is configured."`
	Event          *string        `json:"event" example:"rider-delivering" doc:"The provider's published event, or other; null where it was refused."`
	Verdict        string         `json:"verdict" example:"accepted" doc:"accepted, duplicate, or why it was refused: a code that /problems explains."`
	Status         int            `json:"status" example:"200" doc:"The HTTP status that it was answered with."`
	StreamSequence *uint64        `json:"stream_sequence" example:"812" doc:"Where it is in the stream, and can be read; of a duplicate, where the first is. Null where it was refused."`
	Size           *int64         `json:"size" example:"412" doc:"Of its body, in bytes; null where it was neither read nor announced."`
	TookSeconds    float64        `json:"took_seconds" example:"0.0012" doc:"From its headers to the answer."`
}

// Unheard tells a listener what it has missed.
type Unheard struct {
	Unheard uint64 `json:"unheard" example:"12" doc:"How many arrivals came faster than they were read, and are not told."`
}

type arrivalsInput struct {
	Source  string `query:"source" example:"ordatic" doc:"Only what comes to this source."`
	Verdict string `query:"verdict" example:"refused" doc:"Only accepted, duplicate or refused ones, those refused with this code, or those answered with this HTTP status."`
}

func (in *arrivalsInput) wants(a domain.Arrival) bool {
	if in.Source != "" && in.Source != a.Source {
		return false
	}
	refused := a.Verdict != domain.VerdictAccepted && a.Verdict != domain.VerdictDuplicate
	return in.Verdict == "" || in.Verdict == a.Verdict || in.Verdict == strconv.Itoa(a.Status) || in.Verdict == verdictRefused && refused
}

func (h *handler) routeArrivals(d *document) {
	add(h, d, huma.Operation{
		OperationID: "listen-to-arrivals",
		Path:        arrivalsPath,
		Tags:        []string{tagWebhooks},
		Security:    needs(ScopeRaw),
		Summary:     "Listen to what comes in",
		Description: "Tells each request to a webhook endpoint as it is answered, as server-sent events: arrival is an Arrival, unheard an Unheard. " +
			"What came before is not told, nor anything of a body: stream_sequence says where an accepted webhook can be read.",
		Responses: map[string]*huma.Response{"200": {
			Description: "Events, until somebody hangs up.",
			Content: map[string]*huma.MediaType{typeEvents: {Schema: &huma.Schema{
				OneOf: []*huma.Schema{d.schema(reflect.TypeFor[Arrival]()), d.schema(reflect.TypeFor[Unheard]())},
			}}},
		}},
	}, h.listenToArrivals)
}

func (h *handler) listenToArrivals(ctx context.Context, in *arrivalsInput) (*huma.StreamResponse, error) {
	if h.config.Arrivals == nil {
		return nil, errNoArrivals
	}
	if err := cmp.Or(h.knownVerdict(in.Verdict), h.knownSource(ctx, in.Source)); err != nil {
		return nil, err
	}
	l, leave, err := h.config.Arrivals.listen(in.wants)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer leave()
		r, w := humago.Unwrap(ctx)
		tell(ctx.Context(), w, h.stillMay(r), l)
	}}, nil
}

// tell tells a listener until it has gone, may hear no more, or the server ends.
func tell(ctx context.Context, w http.ResponseWriter, stillMay func() bool, l *listener) {
	events := newEventWriter(w)
	quiet := time.NewTicker(defaultHeartbeat)
	defer quiet.Stop()
	events.comment()
	for stillMay() && events.flush() == nil {
		select {
		case <-ctx.Done():
			return
		case <-quiet.C:
			events.comment()
		case a := <-l.heard:
			events.event("arrival", arrival(a))
			if unheard := l.unheard.Swap(0); unheard > 0 {
				events.event("unheard", Unheard{unheard})
			}
		}
	}
}

func arrival(a domain.Arrival) Arrival {
	told := Arrival{
		ReceivedAt: a.At, Source: orNull(a.Source), Event: orNull(a.Event), Verdict: a.Verdict, Status: a.Status,
		StreamSequence: orNull(a.StreamSequence), TookSeconds: a.Took.Seconds(),
	}
	if a.Size >= 0 {
		told.Size = &a.Size
	}
	return told
}
