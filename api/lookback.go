package api

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ticketrail/ticketrail/domain"
)

// LookBack folds single orders again from their webhooks. It must be safe for
// concurrent use. Each method returns domain.ErrNotFound for an order that is not
// known, domain.ErrForgotten where the stream no longer holds all of its webhooks,
// and domain.ErrNoStream where the stream does not answer.
type LookBack interface {
	// OrderAt gives an order as it was after the webhook of a stream sequence, or
	// domain.ErrNotFound where it was not there yet.
	OrderAt(ctx context.Context, source, key string, at uint64) (*domain.Order, error)
	// Explain gives the webhooks of an order in the order of the stream, with what
	// each said and did.
	Explain(ctx context.Context, source, key string) iter.Seq2[*domain.ExplainedWebhook, error]
	// RebuildOrder replaces what the read model holds of an order where that is not
	// what its webhooks make, or only tells where it plans. It returns
	// domain.ErrOrderAlone where that takes a rebuild of the whole read model.
	RebuildOrder(ctx context.Context, source, key string, plan bool) (*domain.OrderRebuild, error)
}

// orderAt gives an order as it is or, where a moment is given, as it was after the
// last webhook up to then, for which it waits.
func (h *handler) orderAt(ctx context.Context, of OrderPath, moment string) (*domain.Order, error) {
	at, err := h.parseAt(ctx, moment)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return h.orderNow(ctx, &of)
	}
	if *at == 0 {
		return nil, notYet()
	}
	if err := h.waitFor(ctx, *at); err != nil {
		return nil, err
	}
	found, err := h.config.LookBack.OrderAt(ctx, of.Source, of.Key, *at)
	if err != nil {
		return nil, lookedBack(err, notYet())
	}
	return h.withoutErased(ctx, found)
}

// withoutErased gives an order as it was without what was personal of it, if that was
// erased since.
func (h *handler) withoutErased(ctx context.Context, was *domain.Order) (*domain.Order, error) {
	is, err := h.model.Order(ctx, was.Source, was.Key)
	switch {
	case errors.Is(err, domain.ErrNotFound): // a rebuild made other orders of the same webhooks
		return was, nil
	case err != nil:
		return nil, err
	case was.ErasedAt.IsZero() && !is.ErasedAt.IsZero():
		return was.ErasedAfter(is.ErasedAt), nil
	}
	return was, nil
}

// orderNow gives an order as it is.
func (h *handler) orderNow(ctx context.Context, of *OrderPath) (*domain.Order, error) {
	found, err := h.model.Order(ctx, of.Source, of.Key)
	return found, notFound(err, h.noOrder(of.Source))
}

// notYet is errNoOrder for an order that may have come later.
func notYet() *Problem {
	problem := problemOf(errNoOrder)
	problem.Detail = "No webhook of an order with this key had come to the source by then."
	return problem
}

// lookedBack gives the errors of a LookBack as the API's own: missing for
// domain.ErrNotFound, and errNoStream.
func lookedBack(err, missing error) error {
	if errors.Is(err, domain.ErrNoStream) {
		return fmt.Errorf("%w: %w", errNoStream, err)
	}
	return notFound(err, missing)
}

// noLookBack stands for a LookBack where the stream is out of reach.
type noLookBack struct{}

func (noLookBack) OrderAt(context.Context, string, string, uint64) (*domain.Order, error) {
	return nil, domain.ErrNoStream
}

func (noLookBack) Explain(context.Context, string, string) iter.Seq2[*domain.ExplainedWebhook, error] {
	return func(yield func(*domain.ExplainedWebhook, error) bool) { yield(nil, domain.ErrNoStream) }
}

func (noLookBack) RebuildOrder(context.Context, string, string, bool) (*domain.OrderRebuild, error) {
	return nil, domain.ErrNoStream
}
