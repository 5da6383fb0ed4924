package api

import (
	"context"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// Why a follower is to read the orders anew.
const (
	resetBehind  = "too-far-behind"          // more changes than it may be behind
	resetRevised = "orders-revised"          // orders became others without a change
	resetUnknown = "stream-sequence-unknown" // it has come further than the read model
)

// run is what comes next: changes, or the reason of a reset, or neither.
type run struct {
	frames  []*frame
	through uint64 // nothing up to it is left out
	reset   string
	more    <-chan struct{} // closed when there may be more
}

// follower is where one who follows stands. One goroutine uses it.
type follower struct {
	feed    *Feed
	at      uint64 // it has all changes up to it
	told    int    // the revision that it knows of
	patient bool   // it takes every change, however far it is behind
}

// follow begins after a stream sequence, or, where that is nil, after the checkpoint. The
// follower must leave the feed.
func (f *Feed) follow(ctx context.Context, after *uint64) (*follower, run, error) {
	if err := f.join(ctx, true); err != nil {
		return nil, run{}, err
	}
	revision := f.model.Revision()
	checkpoint, err := f.model.Checkpoint(ctx)
	if err != nil {
		f.leave(true)
		return nil, run{}, err
	}
	w := &follower{feed: f, at: checkpoint.StreamSequence, told: revision.Number}
	switch {
	case after == nil:
	case *after > checkpoint.StreamSequence:
		return w, w.reset(checkpoint, resetUnknown), nil
	case 0 < *after && *after <= revision.StreamSequence: // who has nothing yet misses nothing
		return w, w.reset(checkpoint, resetRevised), nil
	default:
		w.at = *after
	}
	return w, run{through: w.at, more: f.now}, nil
}

// next gives what comes next.
func (w *follower) next(ctx context.Context) (run, error) {
	found, err := w.look(ctx)
	if err != nil {
		return run{}, fmt.Errorf("follow the changes: %w", err)
	}
	w.at = found.through
	return found, nil
}

func (w *follower) look(ctx context.Context) (run, error) {
	if revision := w.feed.model.Revision(); revision.Number != w.told {
		w.told = revision.Number
		if !w.patient {
			return w.toCheckpoint(ctx, resetRevised)
		}
		w.at = min(w.at, revision.StreamSequence) // behind it where this is another stream
	}
	if found, kept, err := w.feed.recent(ctx, w.at, w.told); kept || err != nil {
		return found, err
	}
	if !w.patient {
		if far, err := w.feed.tooFar(ctx, w.at); err != nil || far {
			return w.toCheckpoint(ctx, resetBehind)
		}
	}
	return w.feed.older(ctx, w.at)
}

func (w *follower) toCheckpoint(ctx context.Context, reason string) (run, error) {
	checkpoint, err := w.feed.model.Checkpoint(ctx)
	if err != nil {
		return run{}, err
	}
	return w.reset(checkpoint, reason), nil
}

func (w *follower) reset(checkpoint domain.Checkpoint, reason string) run {
	w.feed.metrics.resets.WithLabelValues(reason).Inc()
	return run{reset: reason, through: checkpoint.StreamSequence, more: w.feed.now}
}
