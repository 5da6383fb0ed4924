package quarantine

import (
	"context"
	"maps"
	"slices"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// known returns a *domain.UnknownName for a filter with a name that nothing in the
// quarantine can bear.
func (q *Quarantine) known(ctx context.Context, f domain.QuarantineFilter) error {
	if err := domain.Known("kind", string(f.Kind), []string{string(domain.RejectedRequest), string(domain.UntranslatableWebhook)}); err != nil {
		return err
	}
	if err := domain.Known("cause", f.Cause, causes(f)); err != nil {
		return err
	}
	if _, configured := q.sources[f.Source]; f.Source == "" || configured {
		return nil
	}
	return q.knownSource(ctx, f.Source)
}

// causes gives those that the filter's kind of entries can have.
func causes(f domain.QuarantineFilter) (names []string) {
	if f.Takes(domain.RejectedRequest) {
		names = append(names, eventlog.Reasons()...)
	}
	if f.Takes(domain.UntranslatableWebhook) {
		names = append(names, domain.Causes()...)
	}
	return names
}

// knownSource looks for a source that is not configured in the whole quarantine:
// what came to one that was removed can still be selected.
func (q *Quarantine) knownSource(ctx context.Context, source string) error {
	names := maps.Clone(q.sources)
	for e, err := range merge(q.requests(ctx, domain.QuarantineQuery{}), q.webhooks(ctx, domain.QuarantineQuery{})) {
		switch {
		case err != nil:
			return err
		case e.Source == source:
			return nil
		}
		if _, has := names[e.Source]; !has {
			names[e.Source] = q.sources[e.Source]
		}
	}
	return domain.Known("source", source, slices.Sorted(maps.Keys(names)))
}
