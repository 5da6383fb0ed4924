package erasure

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"time"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

// within bounds an erasure, which does not end with the request that asked for it: it
// should not stop between two steps. It is below what a request to the API may take, so
// that who asked learns what became of it; the next erasure goes on from there.
const within = 20 * time.Second

// Log is what an Eraser needs of the stream.
type Log interface {
	// Webhook gives one webhook, or domain.ErrNotFound.
	Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error)
	// Erase has webhooks overwritten, as eventlog.Log does.
	Erase(ctx context.Context, provider, source string, e *domain.Erasure) (eventlog.Receipt, error)
	// RejectedWhole gives the rejected requests of a source with their bodies.
	RejectedWhole(ctx context.Context, source string) iter.Seq2[*eventlog.RejectedRequest, error]
	EraseRejected(ctx context.Context, sequences []uint64) error
}

// Archive is what an Eraser needs of the second copy of the stream, which may have what
// the stream has forgotten.
type Archive interface {
	// Webhooks gives those of some webhooks that it has, in order; their stream sequences
	// are given in order too.
	Webhooks(sequences []uint64) iter.Seq2[*domain.Webhook, error]
	// WaitErased returns when it holds nothing more of what the tombstone of a stream
	// sequence says is erased.
	WaitErased(ctx context.Context, streamSequence uint64) error
}

// Model is what an Eraser needs of the read model in use.
type Model interface {
	// Order gives one order, or domain.ErrNotFound.
	Order(ctx context.Context, source, key string) (*domain.Order, error)
	Timeline(ctx context.Context, source, key string, after domain.TimelinePosition, limit int) ([]domain.TimelineEntry, error)
	Quarantined(ctx context.Context, after uint64, limit int) ([]domain.QuarantinedWebhook, error)
	// WaitFor returns when the checkpoint has reached the stream sequence.
	WaitFor(ctx context.Context, streamSequence uint64) error
}

// Copies are what was made of the read model beside the one in use.
type Copies interface {
	// Forget removes those that hold anything of an order, whose first webhook has the
	// stream sequence first, and tells of them; with plan it only tells. Its error says
	// that they cannot be removed now.
	Forget(source, key string, first uint64, plan bool) (domain.Copies, error)
}

// Config is what an Eraser is given. Log, Model and Copies are required.
type Config struct {
	Log    Log
	Model  Model
	Copies Copies
	// Archive is nil where none is kept.
	Archive Archive
	// Providers are all of package provider where they are nil.
	Providers []provider.Provider
}

// Eraser erases orders. It is safe for concurrent use.
type Eraser struct {
	config    Config
	providers provider.Set
}

// New gives an Eraser.
func New(c Config) *Eraser { return &Eraser{config: c, providers: provider.NewSet(c.Providers)} }

// Erase erases an order, or with plan only tells what that would take away. On one
// that was erased before it does what is left to do. It returns domain.ErrNotFound for
// an order that is not known, domain.ErrReason for a ruling without a reason, and
// domain.ErrOrderAlone where today's rules say of a webhook in the order's timeline
// that it is none of the order's.
func (e *Eraser) Erase(ctx context.Context, source, key string, ruling domain.Ruling, plan bool) (erased domain.Erased, err error) {
	if plan {
		erased, err = e.plan(ctx, source, key)
	} else if err = ruling.Justified(); err == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
		defer cancel()
		erased, err = e.erase(ctx, source, key, ruling)
	}
	if err != nil {
		return erased, fmt.Errorf("erase an order of source %s: %w", source, err)
	}
	return erased, nil
}

func (e *Eraser) plan(ctx context.Context, source, key string) (erased domain.Erased, err error) {
	found, err := e.find(ctx, source, key)
	if err != nil {
		return erased, err
	}
	erased = found.told()
	erased.Copies, err = e.config.Copies.Forget(source, key, found.first, true)
	return erased, err
}

// erase goes round until there is nothing left to find: what came before the first
// tombstone was applied, and is not in it, is in the second. All of them know the same
// key, so that the same text has the same token.
func (e *Eraser) erase(ctx context.Context, source, key string, ruling domain.Ruling) (erased domain.Erased, err error) {
	if _, err := e.config.Copies.Forget(source, key, 0, true); err != nil {
		return erased, err // rather now than at the end
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	for {
		found, err := e.find(ctx, source, key)
		if err != nil {
			return erased, err
		}
		erased.Add(found.told())
		if found.clean() {
			if err := e.leaveArchive(ctx, found.tombstone); err != nil {
				return erased, err
			}
			erased.Copies, err = e.config.Copies.Forget(source, key, found.first, false)
			return erased, err
		}
		if err := e.bury(ctx, found, ruling, domain.Tokens(secret)); err != nil {
			return erased, err
		}
	}
}

// bury erases what was found, and waits until the read model knows.
func (e *Eraser) bury(ctx context.Context, f *found, ruling domain.Ruling, token func(string) string) error {
	if err := e.config.Log.EraseRejected(ctx, f.rejected); err != nil {
		return err
	}
	if len(f.webhooks) == 0 && !f.order.ErasedAt.IsZero() {
		return nil
	}
	erasure := &domain.Erasure{Key: f.order.Key, By: ruling.By, Reason: ruling.Reason}
	for _, s := range f.webhooks {
		erasure.Webhooks = append(erasure.Webhooks, s.webhook.Erased(s.event, token))
	}
	receipt, err := e.config.Log.Erase(ctx, f.order.Provider, f.order.Source, erasure)
	if err == nil {
		err = e.leaveArchive(ctx, receipt.StreamSequence)
	}
	if err == nil {
		err = e.config.Model.WaitFor(ctx, receipt.StreamSequence)
	}
	return err
}

// leaveArchive waits until the archive has nothing more of what was erased up to a
// tombstone: what comes back from there would be found again.
func (e *Eraser) leaveArchive(ctx context.Context, tombstone uint64) error {
	if e.config.Archive == nil {
		return nil
	}
	return e.config.Archive.WaitErased(ctx, tombstone)
}
