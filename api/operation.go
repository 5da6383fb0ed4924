package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// waitWithin bounds the wait of a read for its min_stream_sequence, readWithin
// the work after it. Together they stay under writeTimeout.
const (
	waitWithin = 5 * time.Second
	readWithin = 5 * time.Second
)

// operation answers one kind of request.
type operation[I, O any] func(context.Context, *I) (*O, error)

// AtLeast is the parameter of every read of the read model.
type AtLeast struct {
	MinStreamSequence uint64 `query:"min_stream_sequence" example:"3" doc:"Wait until the read model has applied this stream sequence, for up to 5 seconds; else 503 with Retry-After."`
}

func (a AtLeast) minStreamSequence() uint64 { return a.MinStreamSequence }

// read registers an operation on what the read model holds.
func read[I interface{ minStreamSequence() uint64 }, O any](h *handler, d *document, op huma.Operation, answer operation[I, O]) {
	readStanding(h, d, op, func(ctx context.Context, in *I) (*O, error) {
		if err := h.checkComplete(ctx); err != nil {
			return nil, err
		}
		return answer(ctx, in)
	})
}

// readStanding registers an operation on where the read model stands, complete or not.
func readStanding[I interface{ minStreamSequence() uint64 }, O any](h *handler, d *document, op huma.Operation, answer operation[I, O]) {
	bounded := answer.bounded(readWithin)
	add(h, d, op, func(ctx context.Context, in *I) (*O, error) {
		if err := h.waitFor(ctx, (*in).minStreamSequence()); err != nil {
			return nil, err
		}
		return bounded(ctx, in)
	})
}

// register registers an operation on anything else.
func register[I, O any](h *handler, d *document, op huma.Operation, answer operation[I, O]) {
	add(h, d, op, answer.bounded(readWithin))
}

// add puts an operation into the document and behind the mux, and answers its
// errors by the table of failures. An operation without a method is a GET.
func add[I, O any](h *handler, d *document, op huma.Operation, answer operation[I, O]) {
	op.Method = cmp.Or(op.Method, http.MethodGet)
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{
		Description: "Every answer that is not a success.",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: d.schema(reflect.TypeFor[Problem]())}},
	}
	h.guarded(&op)
	huma.Register(d.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := answer(ctx, in)
		if err != nil {
			return nil, h.fail(ctx, op.Path, err)
		}
		return out, nil
	})
}

// bounded answers in a bounded time. An error that the end of the time brought
// about says so, whatever it became on its way.
func (answer operation[I, O]) bounded(limit time.Duration) operation[I, O] {
	return func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		out, err := answer(ctx, in)
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		return out, err
	}
}

// checkComplete gives errIncomplete for as long as the read model is being made.
func (h *handler) checkComplete(ctx context.Context) error {
	if h.complete.Load() {
		return nil
	}
	checkpoint, err := h.model.Checkpoint(ctx)
	switch {
	case err != nil:
		return err
	case checkpoint.StreamSequence < h.config.CompleteAt && !h.atTheEnd(ctx, checkpoint):
		problem := problemOf(errIncomplete)
		problem.Detail += fmt.Sprintf(" It has come to stream sequence %d of %d.", checkpoint.StreamSequence, h.config.CompleteAt)
		return problem
	}
	h.complete.Store(true)
	return nil
}

// atTheEnd tells whether the stream has no more, as where it was put back to an older
// point since.
func (h *handler) atTheEnd(ctx context.Context, checkpoint domain.Checkpoint) bool {
	info, err := h.webhooks.Info(ctx)
	return err == nil && info.Last <= checkpoint.StreamSequence
}

// waitFor waits until the read model has applied a stream sequence, or gives
// errBehind when that takes too long.
func (h *handler) waitFor(ctx context.Context, streamSequence uint64) error {
	if streamSequence == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, waitWithin)
	defer cancel()
	err := h.model.WaitFor(ctx, streamSequence)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errBehind
	}
	return err
}

// fail gives the problem of an error, and logs the error where it is not the
// client's: neither what it asked for, nor that it left, nor that there are too many of
// them, nor that it should have asked another process. That it is not ready, or not complete, it logs once a minute, however often it
// is asked.
func (h *handler) fail(ctx context.Context, route string, err error) *Problem {
	problem := problemOf(err)
	tell := func() {
		h.log.WarnContext(ctx, "api request not answered", "route", route, "code", problem.Code, "error", err)
	}
	switch {
	case problem.Status < http.StatusInternalServerError, errors.Is(err, context.Canceled), errors.Is(err, errBusy), errors.Is(err, errManyFollowers), errors.Is(err, ErrElsewhere):
	case route == readyPath, errors.Is(err, errNoTokens), problem.Code == codeIncomplete:
		h.notReady.Do(tell)
	default:
		tell()
	}
	return problem
}

// notFound gives missing for domain.ErrNotFound, and any other error as it is.
func notFound(err, missing error) error {
	if errors.Is(err, domain.ErrNotFound) {
		return missing
	}
	return err
}
