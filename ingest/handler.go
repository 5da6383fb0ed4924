package ingest

import (
	"context"
	"maps"
	"net/http"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// The paths of the receiver; the source's name follows pathWebhooks.
const (
	pathWebhooks = "/webhooks/"
	pathAlive    = "/healthz"
	pathReady    = "/readyz"
)

// Log is what the receiver needs of the stream: an [eventlog.Log].
type Log interface {
	// Append returns once the webhook is durable. An error means that it may or
	// may not be; eventlog.ErrFull means that there is no room.
	Append(ctx context.Context, w *domain.Webhook) (eventlog.Receipt, error)
	// Reject keeps a refused request for an operator to look at.
	Reject(ctx context.Context, r *eventlog.Rejection) error
	// Ready returns nil where Append can be expected to succeed.
	Ready(ctx context.Context) error
	// Durability says what Append promises.
	Durability() eventlog.Durability
}

// Handler takes webhooks over HTTP. It is safe for concurrent use, and holds
// nothing that needs closing.
type Handler struct {
	log       Log
	config    Config
	sources   map[string]*source
	stranger  *source // stands for every unknown source; it has no provider
	places    *semaphore.Weighted
	appending *semaphore.Weighted // bytes of the bodies that are with the stream
	patience  patience            // with the stream
	metrics   *metrics
	readiness readiness
	refused   *journal // what senders did wrong
	faults    *journal // what went wrong on this side
}

// New makes a Handler that appends to log what the configured sources send. It
// registers the metrics, and panics where the registerer has them already. The
// error tells what in the configuration cannot be.
func New(log Log, config Config) (*Handler, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	m := newMetrics(config.Registerer)
	h := &Handler{
		log:       log,
		config:    config,
		sources:   make(map[string]*source, len(config.Sources)),
		stranger:  &source{metrics: m.ofStranger()},
		places:    semaphore.NewWeighted(int64(config.MaxInFlight)),
		appending: semaphore.NewWeighted(config.appendShare()),
		patience:  patience{length: config.PublishTimeout},
		metrics:   m,
		refused:   newJournal(config.Logger, config.Now),
		faults:    newJournal(config.Logger, config.Now),
	}
	bodies := newBudget(config.BodyBudget)
	for _, s := range config.Sources {
		h.sources[s.Name] = newSource(s, bodies, config.bodyShare(), config.Now, m.of(s.Name))
	}
	return h, nil
}

// ServeHTTP routes by the exact path. A ServeMux would redirect an unclean path,
// and so echo it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), secured)
	if len(r.TransferEncoding) > 0 {
		// Beside a length, which net/http has dropped, chunks can make a proxy see another
		// end than we do. What follows on the connection may be a stranger's request, and
		// its answer would be taken for that to a webhook.
		w.Header().Set("Connection", "close")
	}
	name, isWebhook := strings.CutPrefix(r.URL.Path, pathWebhooks)
	switch {
	case isWebhook:
		h.serveWebhook(w, r, h.source(name))
	case r.URL.Path == pathAlive, r.URL.Path == pathReady:
		h.serveHealth(w, r)
	default:
		refusalOf(errUnknownPath).answer(w)
	}
}

func (h *Handler) source(name string) *source {
	if s, known := h.sources[name]; known {
		return s
	}
	return h.stranger
}
