package quarantine

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// scan is how many rows of the read model are read at a time.
const scan = 500

// entries are read one after the other, and end with the first error.
type entries = iter.Seq2[*domain.QuarantineEntry, error]

// List gives a page of the entries that nobody released, those that came first
// before the others. A filter that names what there is not is a
// *domain.UnknownName.
func (q *Quarantine) List(ctx context.Context, query domain.QuarantineQuery) (*domain.QuarantinePage, error) {
	err := q.known(ctx, query.QuarantineFilter)
	if err != nil {
		return nil, failed("list the quarantine", err)
	}
	since, err := q.log.RejectedSince(ctx)
	if err != nil {
		return nil, failed("list the quarantine", err)
	}
	page := &domain.QuarantinePage{RejectedSince: since}
	for e, err := range q.open(ctx, query) {
		switch {
		case err != nil:
			return nil, failed("list the quarantine", err)
		case len(page.Entries) == query.Limit:
			page.More = true
			return page, nil
		}
		if err := q.describe(ctx, e); err != nil {
			return nil, failed("list the quarantine", err)
		}
		e.Body = nil
		page.Entries = append(page.Entries, e)
	}
	return page, nil
}

// End gives the position of the last entry that there is now, for a decision that
// is to be about no later one.
func (q *Quarantine) End(ctx context.Context) (*domain.QuarantinePosition, error) {
	rejected, err := q.log.RejectedLast(ctx)
	if err != nil {
		return nil, failed("find the end of the quarantine", err)
	}
	checkpoint, err := q.model.Checkpoint(ctx)
	if err != nil {
		return nil, failed("find the end of the quarantine", err)
	}
	return &domain.QuarantinePosition{Rejected: rejected, Webhook: checkpoint.StreamSequence}, nil
}

// Groups counts the entries that a filter selects and that are still open, by
// kind, source and cause; the largest group first. Its errors are those of List.
func (q *Quarantine) Groups(ctx context.Context, filter domain.QuarantineFilter) ([]domain.QuarantineGroup, error) {
	if err := q.known(ctx, filter); err != nil {
		return nil, failed("group the quarantine", err)
	}
	groups := map[domain.QuarantineFilter]domain.QuarantineGroup{}
	for e, err := range q.open(ctx, domain.QuarantineQuery{QuarantineFilter: filter}) {
		if err != nil {
			return nil, failed("group the quarantine", err)
		}
		of := domain.QuarantineFilter{Kind: e.ID.Kind, Source: e.Source, Cause: e.Cause}
		group, known := groups[of]
		if !known {
			group = domain.QuarantineGroup{QuarantineFilter: of, First: e.ReceivedAt}
		}
		group.Count++
		group.First = earlier(group.First, e.ReceivedAt)
		group.Last = later(group.Last, e.ReceivedAt)
		groups[of] = group
	}
	return slices.SortedFunc(maps.Values(groups), func(a, b domain.QuarantineGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Cause, b.Cause))
	}), nil
}

func earlier(a, b domain.Instant) domain.Instant {
	if b.Compare(a) < 0 {
		return b
	}
	return a
}

func later(a, b domain.Instant) domain.Instant {
	if b.Compare(a) > 0 {
		return b
	}
	return a
}

// Entry gives one entry with its bytes and what was decided about it, or
// domain.ErrNotFound. One that was released is still there, as long as the stream
// of rejected requests keeps it.
func (q *Quarantine) Entry(ctx context.Context, id domain.QuarantineID) (*domain.QuarantineEntry, error) {
	e, err := q.entry(ctx, id)
	if err == nil {
		err = q.decisions.refresh(ctx)
	}
	if err != nil {
		return nil, failed("quarantine entry "+id.String(), err)
	}
	e.Decision = q.decisions.of(e.Mark())
	return e, nil
}

func (q *Quarantine) entry(ctx context.Context, id domain.QuarantineID) (*domain.QuarantineEntry, error) {
	if id.Kind == domain.RejectedRequest {
		r, err := q.log.RejectedRequest(ctx, id.Sequence)
		if err != nil {
			return nil, err
		}
		return requestEntry(r), nil
	}
	found, err := q.model.Quarantined(ctx, max(id.Sequence, 1)-1, 1)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0 || found[0].StreamSequence != id.Sequence:
		return nil, domain.ErrNotFound
	}
	e := webhookEntry(found[0])
	return e, q.describe(ctx, e)
}

// Releases learns of every decision, and gives what tells of a webhook the one that
// released it; nil for a webhook that was never set aside.
func (q *Quarantine) Releases(ctx context.Context) (func(*domain.Webhook) *domain.Decision, error) {
	if err := q.decisions.refresh(ctx); err != nil {
		return nil, failed("read the decisions", err)
	}
	return q.decisions.release, nil
}

// open gives the entries that a query selects, after its position and without
// regard to its limit.
func (q *Quarantine) open(ctx context.Context, query domain.QuarantineQuery) entries {
	return func(yield func(*domain.QuarantineEntry, error) bool) {
		if err := q.decisions.refresh(ctx); err != nil {
			yield(nil, err)
			return
		}
		for e, err := range merge(q.requests(ctx, query), q.webhooks(ctx, query)) {
			if err == nil {
				e.Decision = q.decisions.of(e.Mark())
			}
			if (err != nil || shows(query, e.Decision)) && !yield(e, err) {
				return
			}
		}
	}
}

func shows(query domain.QuarantineQuery, d *domain.Decision) bool {
	return d == nil || d.Verdict == domain.Discarded && query.Discarded
}

// merge gives the entries of both by their times of receipt, and each kind in its
// own order.
func merge(a, b entries) entries {
	return func(yield func(*domain.QuarantineEntry, error) bool) {
		nextB, stop := iter.Pull2(b)
		defer stop()
		y, err, more := nextB()
		// before yields what comes of b before x; all of it where x is nil.
		before := func(x *domain.QuarantineEntry) bool {
			for more && (x == nil || err != nil || y.ReceivedAt.Compare(x.ReceivedAt) < 0) {
				if !yield(y, err) || err != nil {
					return false
				}
				y, err, more = nextB()
			}
			return true
		}
		for x, err := range a {
			if err != nil {
				yield(nil, err)
				return
			}
			if !before(x) || !yield(x, nil) {
				return
			}
		}
		before(nil)
	}
}

// requests gives the rejected requests that a query selects, decided or not.
func (q *Quarantine) requests(ctx context.Context, query domain.QuarantineQuery) entries {
	return func(yield func(*domain.QuarantineEntry, error) bool) {
		if !query.Takes(domain.RejectedRequest) {
			return
		}
		for r, err := range q.log.RejectedRequests(ctx, query.After.Rejected, query.Source, query.Cause) {
			if err != nil {
				yield(nil, err)
				return
			}
			if e := requestEntry(r); query.Ends(e.ID) || !yield(e, nil) {
				return
			}
		}
	}
}

// webhooks gives the untranslatable webhooks that a query selects, decided or not.
func (q *Quarantine) webhooks(ctx context.Context, query domain.QuarantineQuery) entries {
	return func(yield func(*domain.QuarantineEntry, error) bool) {
		after, more := query.After.Webhook, query.Takes(domain.UntranslatableWebhook)
		for more {
			found, err := q.model.Quarantined(ctx, after, scan)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, w := range found {
				after = w.StreamSequence
				e := webhookEntry(w)
				if query.Ends(e.ID) || takes(query.QuarantineFilter, w) && !yield(e, nil) {
					return
				}
			}
			more = len(found) == scan
		}
	}
}

func takes(f domain.QuarantineFilter, w domain.QuarantinedWebhook) bool {
	return (f.Source == "" || f.Source == w.Source) && (f.Cause == "" || f.Cause == w.Cause)
}

func requestEntry(r *eventlog.RejectedRequest) *domain.QuarantineEntry {
	return &domain.QuarantineEntry{
		ID:         domain.QuarantineID{Kind: domain.RejectedRequest, Sequence: r.Sequence},
		Source:     r.Source,
		Provider:   r.Provider,
		Cause:      r.Reason,
		ReceivedAt: r.ReceivedAt,
		Header:     r.Header,
		Size:       r.Size,
		Body:       r.Body,
	}
}

func webhookEntry(w domain.QuarantinedWebhook) *domain.QuarantineEntry {
	return &domain.QuarantineEntry{
		ID:         domain.QuarantineID{Kind: domain.UntranslatableWebhook, Sequence: w.StreamSequence},
		Source:     w.Source,
		Event:      w.Event,
		Cause:      w.Cause,
		Where:      w.Where,
		ReceivedAt: w.ReceivedAt,
	}
}

// describe adds what only the stream knows of a webhook.
func (q *Quarantine) describe(ctx context.Context, e *domain.QuarantineEntry) error {
	if e.ID.Kind != domain.UntranslatableWebhook {
		return nil
	}
	w, err := q.log.Webhook(ctx, e.ID.Sequence)
	if errors.Is(err, domain.ErrNotFound) {
		e.Gone = true
		return nil
	}
	if err != nil {
		return err
	}
	e.Provider, e.Size, e.Body, e.Erased = w.Provider, w.Length(), w.Body, w.Remains != nil
	return nil
}
