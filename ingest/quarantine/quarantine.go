// Package quarantine shows what was set aside and does with it what an operator
// decides. Set aside are the requests that the ingest rejected, and the webhooks
// of the stream that could not be translated.
//
// # Guarantees
//
// A released request is verified as it would have been on the day that it came,
// with its original time of receipt and today's secrets, unless the operator
// vouches for it, which is recorded. It becomes a webhook like any other. Since an
// order is the same whatever the order of its webhooks is, that it comes late
// disturbs nothing but what is about arrival.
//
// Release and decision are two steps: first the webhook is stored, then that it
// was. Between the two, and where two operators meet, a second release is absorbed
// by the stream within its duplicate window. Only after a crash in between, and
// when the window is over, can a request be stored twice; an order that hears the
// same twice stays as it is.
//
// A webhook that could not be translated stays where it is in the stream. Trying
// it again only tells what today's program makes of it: a read model is made of
// the stream by one version of the program, so a rebuild is what applies it.
//
// # What it does not keep
//
// Rejected requests are bounded and forgotten, oldest first; a list says since
// when it is complete. Secrets are never kept, so what was authenticated by a
// secret alone (Ordatic, Payway) can be released only on the operator's word.
package quarantine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
)

// Requests is what is needed of the stream of rejected requests.
type Requests interface {
	// RejectedRequest gives one, or domain.ErrNotFound.
	RejectedRequest(ctx context.Context, sequence uint64) (*eventlog.RejectedRequest, error)
	// RejectedRequests gives those after a sequence without their bodies, in order.
	RejectedRequests(ctx context.Context, after uint64, source, reason string) iter.Seq2[*eventlog.RejectedRequest, error]
	// RejectedSince tells since when none was forgotten.
	RejectedSince(ctx context.Context) (domain.Instant, error)
	// RejectedLast tells the sequence of the last one.
	RejectedLast(ctx context.Context) (uint64, error)
}

// Webhooks is what is needed of the stream of webhooks.
type Webhooks interface {
	// Webhook gives one, or domain.ErrNotFound.
	Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error)
	// Release stores a rejected request as a webhook, once.
	Release(ctx context.Context, r *eventlog.RejectedRequest, w *domain.Webhook) (eventlog.Receipt, error)
}

// Decisions is what is needed of the stream of decisions.
type Decisions interface {
	// Decide keeps a decision about at most eventlog.MaxDecided entries.
	Decide(ctx context.Context, d *domain.Decision) error
	// Decisions gives those after a sequence, in order.
	Decisions(ctx context.Context, after uint64) iter.Seq2[eventlog.Decided, error]
}

// Log is an [eventlog.Log].
type Log interface {
	Requests
	Webhooks
	Decisions
}

// Model is what is needed of a read model.
type Model interface {
	Checkpoint(ctx context.Context) (domain.Checkpoint, error)
	// Quarantined gives up to limit webhooks that could not be translated, after
	// a stream sequence, ascending.
	Quarantined(ctx context.Context, after uint64, limit int) ([]domain.QuarantinedWebhook, error)
}

// Config says by what a request is verified again.
type Config struct {
	// Sources are today's, with today's secrets.
	Sources []ingest.Source
	// Providers translate webhooks; all of them where it is nil.
	Providers []provider.Provider
	// Now is the clock that decisions are dated by; time.Now where nil.
	Now func() time.Time
}

// Quarantine is what was set aside. It is safe for concurrent use, and holds
// nothing that needs closing. Beside the errors that they name, its methods return
// domain.ErrNoStream where a stream does not answer, and those of the read model.
type Quarantine struct {
	log       Log
	model     Model
	now       func() time.Time
	sources   map[string]ingest.Source
	providers provider.Set
	decisions *decisions
	// deciding lets one decision be made at a time.
	deciding chan struct{}
}

// failed says what could not be done. A stream that does not answer is
// domain.ErrNoStream to every caller.
func failed(what string, err error) error {
	if errors.Is(err, eventlog.ErrUnavailable) || errors.Is(err, eventlog.ErrFull) {
		err = fmt.Errorf("%w: %w", domain.ErrNoStream, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// New gives the quarantine of a log and of a read model that is made from it.
func New(log Log, model Model, config Config) *Quarantine {
	if config.Now == nil {
		config.Now = time.Now
	}
	q := &Quarantine{
		log:       log,
		model:     model,
		now:       config.Now,
		sources:   make(map[string]ingest.Source, len(config.Sources)),
		providers: provider.NewSet(config.Providers),
		decisions: newDecisions(log),
		deciding:  make(chan struct{}, 1),
	}
	for _, s := range config.Sources {
		q.sources[s.Name] = s
	}
	return q
}
