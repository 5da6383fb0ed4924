package quarantine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
)

// decideWithin bounds the two steps of a release, which do not end with the
// request that asked for it: it should not stop between them.
const decideWithin = 10 * time.Second

// Retry tries one entry again and tells what came of it: see domain.RetryResult.
// It returns domain.ErrNotFound for an entry that is not there, and
// domain.ErrReason for trust without a reason, or for one that cannot be kept.
func (q *Quarantine) Retry(ctx context.Context, id domain.QuarantineID, how domain.Retry) (domain.Retried, error) {
	var retried domain.Retried
	var err error
	if id.Kind == domain.RejectedRequest {
		retried, err = q.retryRequest(ctx, id.Sequence, how)
	} else {
		retried, err = q.retryWebhook(ctx, id.Sequence)
	}
	retried.ID = id
	if err != nil {
		return retried, failed("retry quarantine entry "+id.String(), err)
	}
	return retried, nil
}

func (q *Quarantine) retryRequest(ctx context.Context, sequence uint64, how domain.Retry) (domain.Retried, error) {
	if how.Trust || how.Reason != "" {
		if err := how.Justified(); err != nil {
			return domain.Retried{}, err
		}
	}
	leave, err := q.enter(ctx)
	if err != nil {
		return domain.Retried{}, err
	}
	defer leave()
	request, err := q.log.RejectedRequest(ctx, sequence)
	if err != nil {
		return domain.Retried{}, err
	}
	if d := q.decisions.of(requestEntry(request).Mark()); d != nil && d.Verdict == domain.Released {
		return domain.Retried{Result: domain.RetryAlreadyReleased, StreamSequence: d.StreamSequence}, nil
	}
	webhook, retried := q.admit(request, how.Trust)
	if webhook == nil || how.Plan {
		return retried, nil
	}
	return q.release(ctx, request, webhook, how.Ruling)
}

// enter waits until no other decision is being made, and learns of all that were.
func (q *Quarantine) enter(ctx context.Context) (leave func(), err error) {
	select {
	case q.deciding <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave = func() { <-q.deciding }
	if err := q.decisions.refresh(ctx); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// admit does what the ingest did, at the time that it did it and with today's
// secrets. The webhook is nil where the request stays.
func (q *Quarantine) admit(request *eventlog.RejectedRequest, trust bool) (*domain.Webhook, domain.Retried) {
	source, known := q.sources[request.Source]
	if !known || source.Provider.Name() != request.Provider {
		return nil, domain.Retried{Result: domain.RetryUnknownSource}
	}
	asked := &provider.Request{Header: request.Header, Body: request.Body, At: request.ReceivedAt.Time()}
	identity, err := verify(source, asked, trust)
	if err != nil {
		return nil, domain.Retried{Result: domain.RetryStillRejected, Cause: whyStill(err, request)}
	}
	webhook := source.Webhook(asked, identity)
	webhook.ReceivedAt = request.ReceivedAt
	return webhook, domain.Retried{Result: domain.RetryReleased, Event: webhook.Event}
}

// whyStill names why a request stays rejected. Where a secret alone would tell, which is
// never kept, nothing can be found out anew: then it is why it was rejected when it came.
func whyStill(err error, request *eventlog.RejectedRequest) string {
	if errors.Is(err, provider.ErrCredentialMissing) {
		return request.Reason
	}
	return ingest.Reason(err)
}

// verify takes the operator's word only for who sent a request: what is no JSON
// object has no place in the stream.
func verify(source ingest.Source, r *provider.Request, trust bool) (provider.Identity, error) {
	if !trust {
		if err := source.Provider.Verify(r, source.Secrets); err != nil {
			return provider.Identity{}, err
		}
	}
	return source.Provider.Identify(r)
}

// release stores the webhook, and then that it was. A crash in between leaves the
// request open; see the package comment for what a second release does.
func (q *Quarantine) release(
	ctx context.Context, request *eventlog.RejectedRequest, webhook *domain.Webhook, ruling domain.Ruling,
) (domain.Retried, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), decideWithin)
	defer cancel()
	receipt, err := q.log.Release(ctx, request, webhook)
	if err != nil {
		return domain.Retried{}, err
	}
	err = q.log.Decide(ctx, &domain.Decision{
		Verdict:        domain.Released,
		Entries:        []domain.QuarantineMark{requestEntry(request).Mark()},
		Ruling:         ruling,
		At:             domain.InstantOf(q.now()),
		StreamSequence: receipt.StreamSequence,
	})
	return domain.Retried{
		Result:         domain.RetryReleased,
		Event:          webhook.Event,
		StreamSequence: receipt.StreamSequence,
		Duplicate:      receipt.Duplicate,
	}, err
}

// retryWebhook tells what today's program makes of a webhook. It changes nothing.
func (q *Quarantine) retryWebhook(ctx context.Context, streamSequence uint64) (domain.Retried, error) {
	e, err := q.entry(ctx, domain.QuarantineID{Kind: domain.UntranslatableWebhook, Sequence: streamSequence})
	if err != nil {
		return domain.Retried{}, err
	}
	w, err := q.log.Webhook(ctx, e.ID.Sequence)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return domain.Retried{Result: domain.RetryGone}, nil
	case err != nil:
		return domain.Retried{}, err
	}
	event, err := q.providers.Translate(w)
	if err == nil && final(e.Cause) {
		err = &domain.Untranslatable{Cause: e.Cause}
	}
	var untranslatable *domain.Untranslatable
	switch {
	case errors.Is(err, domain.ErrNotAboutOrder):
		return domain.Retried{Result: domain.RetryNotAboutOrder}, nil
	case errors.As(err, &untranslatable):
		return domain.Retried{
			Result: domain.RetryStillUntranslatable, Cause: untranslatable.Cause, Where: untranslatable.Where,
		}, nil
	case err != nil:
		return domain.Retried{}, err
	}
	return domain.Retried{Result: domain.RetryWouldApply, Event: event.Name, OrderKey: event.Key}, nil
}

// final tells whether a cause says nothing of the program: no other one would make
// anything else of the webhook.
func final(cause string) bool {
	return cause == domain.CauseOrderErased || cause == domain.CauseErasure
}

// Discard records that the entries are of no use, and tells how many were not
// released before. They stay where they are, hidden. It returns domain.ErrReason
// for a ruling without a reason.
func (q *Quarantine) Discard(ctx context.Context, marks []domain.QuarantineMark, ruling domain.Ruling) (discarded int, err error) {
	if err := ruling.Justified(); err != nil {
		return 0, failed("discard quarantine entries", err)
	}
	leave, err := q.enter(ctx)
	if err != nil {
		return 0, failed("discard quarantine entries", err)
	}
	defer leave()
	marks = slices.DeleteFunc(slices.Clone(marks), func(mark domain.QuarantineMark) bool {
		d := q.decisions.of(mark)
		return d != nil && d.Verdict == domain.Released
	})
	for some := range slices.Chunk(marks, eventlog.MaxDecided) {
		decision := &domain.Decision{Verdict: domain.Discarded, Entries: some, Ruling: ruling, At: domain.InstantOf(q.now())}
		if err := q.log.Decide(ctx, decision); err != nil {
			return discarded, failed("discard quarantine entries", err)
		}
		discarded += len(some)
	}
	return discarded, nil
}
