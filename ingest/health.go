package ingest

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/ticketrail/ticketrail/eventlog"
)

// readinessAge is how long one look at the stream answers /readyz. Anybody may
// ask, and must not be able to keep the broker busy by it.
const readinessAge = time.Second

// readinessTimeout bounds one look at the stream.
const readinessTimeout = 2 * time.Second

// readiness is the last look at the stream. The zero value has none.
type readiness struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// check gives the last look, or takes a new one where that is too old. It does
// not end with the request that asked, since its result is for others too.
func (r *readiness) check(ctx context.Context, now time.Time, look func(context.Context) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.IsZero() || now.Sub(r.at) >= readinessAge {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readinessTimeout)
		defer cancel()
		r.at, r.err = now, look(ctx)
	}
	return r.err
}

// readinessReport is the answer of /readyz.
type readinessReport struct {
	Ready          bool                `json:"ready"`
	Durability     eventlog.Durability `json:"durability"` // what a 200 to a webhook means
	DurabilityNote string              `json:"durability_note,omitempty"`
	Reason         string              `json:"reason,omitempty"` // the code of the refusal that a webhook would get
}

func (h *Handler) serveHealth(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		refusalOf(errNotGet).answer(w)
	case r.URL.Path == pathReady:
		h.answerReadiness(w, r)
	default:
		answerJSON(w, http.StatusOK, "application/json", map[string]bool{"alive": true})
	}
}

func (h *Handler) answerReadiness(w http.ResponseWriter, r *http.Request) {
	durability := h.log.Durability()
	report := readinessReport{Ready: true, Durability: durability, DurabilityNote: durability.Note()}
	status := http.StatusOK
	if err := h.readiness.check(r.Context(), h.config.Now(), h.log.Ready); err != nil {
		refused := refusalOf(err)
		report.Ready, report.Reason, status = false, refused.code, refused.status
	}
	answerJSON(w, status, "application/json", report)
}
