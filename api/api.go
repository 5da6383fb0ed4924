// Package api answers questions about orders over HTTP: JSON for dashboards and
// tools, read from a read model, and the raw webhooks behind it, read from the
// stream. What it changes is which read model is in use (a rebuild makes another
// one of the same stream) and what becomes of what was set aside.
//
// # Guarantees
//
// Every answer that is not a success is a [Problem] (RFC 9457), for an unknown
// path and a panic too, and tells nothing of the inside. Every answer is bounded
// in time and, by its page, in size; so is what all answers hold of webhooks and
// proofs. What a provider sent is data here, never markup: no answer can be sniffed
// into another type or run as a page.
//
// A list is paged by position, so an order that stays where it is appears on
// exactly one page, whatever else changes between two requests.
//
// # Reading one's own writes
//
// A read may carry min_stream_sequence, the stream sequence that the ingest
// answered with. It waits until the read model has come that far.
//
// # What is kept
//
// An answer about orders is kept as it was sent, for who asks the same with the same
// scope, until the read model says that it no longer holds, which is before anybody can
// see that, or the clock makes an order late: nobody is told what is older than what they have seen. An erasure is
// answered when nothing of the order is kept any more. Only the lag in [Stats] may be a
// tenth of a second old.
//
// # Who may ask
//
// Where there is a token every path needs one but the two probes, the pages and the
// documents, which hold no data, whose [Scope] lets its bearer do it, and decides whether it sees what is personal of
// an order. Without
// any the listener must be loopback ([CheckListen]), and a request under any other name
// than this machine's is refused, so that no web page can reach it through a name of
// its own. Each act that changes something is recorded before it is done ([Audit]).
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/api/dashboard"
	"github.com/ticketrail/ticketrail/domain"
)

// ReadModel is what the API reads of a read model. It must be safe for
// concurrent use, and every method must end when its context does.
type ReadModel interface {
	// Order gives one order, or domain.ErrNotFound.
	Order(ctx context.Context, source, key string) (*domain.Order, error)
	// Orders gives a page of the orders that the query selects, in its sort.
	Orders(ctx context.Context, q domain.OrderQuery) ([]*domain.Order, error)
	// Timeline gives up to limit entries after a position, in the order of the
	// stream, or domain.ErrNotFound for an order that is not known.
	Timeline(ctx context.Context, source, key string, after domain.TimelinePosition, limit int) ([]domain.TimelineEntry, error)
	// Proof gives a proof of delivery with its bytes, or domain.ErrNotFound.
	Proof(ctx context.Context, source, key, id string) (*domain.Proof, error)
	// Checkpoint gives how far the read model is.
	Checkpoint(ctx context.Context) (domain.Checkpoint, error)
	// Stats gives the tallies; those by minute only since the given time.
	Stats(ctx context.Context, since time.Time) (domain.Stats, error)
	// Minutes gives counts of webhooks by step and source, and Stays counts of stays in a
	// state by step, source, store and state.
	Minutes(ctx context.Context, q domain.MinuteQuery) ([]domain.MinuteCount, error)
	Stays(ctx context.Context, q domain.StayQuery) ([]domain.Stays, error)
	// Late counts the orders that are late, and those of them that became so after a time.
	Late(ctx context.Context, l *domain.Lateness, after time.Time) (domain.Late, error)
	// Heard tells when each source was first and last heard since a time, and BegunIn how
	// many orders of it began in some stretches.
	Heard(ctx context.Context, since time.Time) ([]domain.Heard, error)
	BegunIn(ctx context.Context, stretches []domain.Stretch) ([]uint64, error)
	// WaitFor returns when the checkpoint has reached the stream sequence, or
	// with the context's error.
	WaitFor(ctx context.Context, streamSequence uint64) error
	// Watch gives a function that tells whether what is read after Watch still holds: no
	// longer from before anybody can see that it does not. WatchOrder is Watch for what
	// Order reads.
	Watch() (holds func() bool)
	WatchOrder(source, key string) (holds func() bool)
	// Changes gives changes of orders after a stream sequence, up to limit and no more once
	// they take so many bytes, and ChangesAfter counts them, up to most.
	Changes(ctx context.Context, after uint64, limit, bytes int) (domain.OrderChanges, error)
	ChangesAfter(ctx context.Context, after uint64, most int) (int, error)
	// NextCommit gives a channel that is closed when there may be more changes, or
	// another revision.
	NextCommit() <-chan struct{}
	// Revision tells when orders may last have become others without a change.
	Revision() domain.Revision
}

// Webhooks is what the API reads of the stream. It must be safe for concurrent use.
type Webhooks interface {
	// Webhook gives one webhook as it was received, or domain.ErrNotFound.
	Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error)
	// Info gives where the stream stands.
	Info(ctx context.Context) (domain.StreamInfo, error)
}

// Config is all that the API needs beside what it reads. Its zero value serves
// without a token, to this machine alone.
type Config struct {
	// Sources are the configured sources, in the order of the configuration.
	Sources []Source
	// Limits are those of the time in a state. Nil: there are none.
	Limits *domain.Limits
	// Watcher tells which sources are silent. Nil: nobody watches.
	Watcher *Watcher
	// Secrets tells of the secrets of a source. Nil: another process takes webhooks.
	Secrets func(source string) []SecretUse
	// Token is a bearer token with every scope, and Tokens knows the others. Where
	// there is any, every request must carry one, but for what is the same for everybody; where there is
	// none (empty and nil), only requests to a loopback name are answered.
	Token  string
	Tokens Tokens
	// Audit keeps what administrators do. Nil: nobody does.
	Audit Audit
	// Version is the version of the program, for [Projection].
	Version string
	// Projector tells whether the projector runs, why not or what it is trying
	// again, and what an operator can do. Nil: it runs in another process.
	Projector func() (running bool, reason, hint string)
	// CompleteAt is the stream sequence up to which a read model has to come that is
	// made from the beginning of the stream: before, it would deny orders that there
	// are. 0 for one that was complete once.
	CompleteAt uint64
	// Pulse tells whether the read model follows the stream. Nil: nobody watches.
	Pulse *Pulse
	// Feed gives the changes of orders. Nil: one of its own, with the usual limits.
	Feed *Feed
	// Rebuilds has read models made anew, and Snapshots gives those that were kept.
	// Nil: that is another process's to do.
	Rebuilds  Rebuilds
	Snapshots Snapshots
	// Quarantine is what was set aside. Nil: that is another process's to tell.
	Quarantine Quarantine
	// LookBack folds single orders again. Nil: the stream is out of reach.
	LookBack LookBack
	// Arrivals hands on what comes in. Nil: that is another process's to tell.
	Arrivals *Arrivals
	// Problems are those that another part of the program answers with, to be explained
	// beside the API's own. Where both have a code it is the API's that is explained.
	Problems []ProblemType
	// Eraser erases orders. Nil: that is another process's to do.
	Eraser Eraser
	// Gatherer gives the metrics that /metrics shows. Nil: there is no /metrics.
	Gatherer prometheus.Gatherer
	// Registerer takes the API's own metrics. Nil: they are not kept.
	Registerer prometheus.Registerer
	// Asked counts the requests as they come. Nil: nobody wants to know.
	Asked *atomic.Uint64
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Logger takes the failures that are ours; none where nil.
	Logger *slog.Logger
}

// New gives the handler of the whole API, safe for concurrent use. It panics if
// the Registerer holds metrics of the same names.
func New(model ReadModel, webhooks Webhooks, config Config) http.Handler {
	if config.Limits == nil {
		config.Limits = &domain.Limits{}
	}
	if config.Rebuilds == nil {
		config.Rebuilds = elsewhere{}
	}
	if config.Snapshots == nil {
		config.Snapshots = noSnapshots{}
	}
	if config.Quarantine == nil {
		config.Quarantine = noQuarantine{}
	}
	if config.Eraser == nil {
		config.Eraser = noEraser{}
	}
	if config.LookBack == nil {
		config.LookBack = noLookBack{}
	}
	if config.Feed == nil {
		config.Feed = NewFeed(model, FeedConfig{Sources: config.Sources, Limits: config.Limits, Now: config.Now, Registerer: config.Registerer})
	}
	h := newHandler(config)
	h.model, h.webhooks = model, webhooks
	h.complete.Store(config.CompleteAt == 0)
	h.routes()
	return h
}

// NewApart is New for a process without a read model, such as ingest alone: whether it is
// alive, what comes in, its metrics, and what problems mean.
func NewApart(config Config) http.Handler {
	h := newHandler(config)
	d := newDocument(h.mux)
	h.routeAlive(d)
	h.routeArrivals(d)
	h.routeProblems(d)
	h.routeMetrics()
	for _, path := range []string{"/v1/", readyPath} {
		h.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { writeProblem(w, problemOf(ErrElsewhere)) })
	}
	return h
}

func newHandler(config Config) *handler {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Asked == nil {
		config.Asked = new(atomic.Uint64)
	}
	page := dashboard.New(config.Version)
	return &handler{
		config:   config,
		terms:    terms{sources: config.Sources, limits: config.Limits},
		guard:    newGuard(&config, page),
		budget:   newBudget(),
		answers:  newAnswers(),
		acts:     newActs(config.Now),
		metrics:  newMetrics(config.Registerer),
		log:      cmp.Or(config.Logger, slog.New(slog.DiscardHandler)),
		page:     page,
		mux:      http.NewServeMux(),
		notReady: rate.Sometimes{Interval: time.Minute},
	}
}

type handler struct {
	model    ReadModel
	webhooks Webhooks
	config   Config
	terms    terms
	guard    guard
	budget   budget
	answers  *answers
	acts     *acts
	metrics  *metrics
	log      *slog.Logger
	page     *dashboard.Dashboard
	mux      *http.ServeMux
	complete atomic.Bool    // the read model has come up to config.CompleteAt
	notReady rate.Sometimes // probes come every few seconds, for as long as it lasts
}

// routes registers every operation.
func (h *handler) routes() {
	d := newDocument(h.mux)
	h.routeOrders(d)
	h.routeTimeline(d)
	h.routeExplanation(d)
	h.routeOrderRebuild(d)
	h.routeErasure(d)
	h.routeProofs(d)
	h.routeChanges(d)
	h.routeWebhooks(d)
	h.routeArrivals(d)
	h.routeQuarantine(d)
	h.routeStats(d)
	h.routeSeries(d)
	h.routeLimits(d)
	h.routeProjection(d)
	h.routeRebuilds(d)
	h.routeCopy(d)
	h.routeSources(d)
	h.routeHealth(d)
	h.routeProblems(d)
	h.routeDashboard()
	h.serveDocuments(d)
	h.routeMetrics()
}

func (h *handler) routeMetrics() {
	if h.config.Gatherer != nil {
		h.mux.Handle("GET /metrics", metricsPage(h.config.Gatherer))
	}
}
