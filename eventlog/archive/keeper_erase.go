package archive

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// eraseAgainAfter is the pause before an erasure that failed is tried again, which may
// read segments of any number.
const eraseAgainAfter = 10 * time.Second

// noticeErasures has the erasures worked off that a group holds.
func (k *Keeper) noticeErasures(entries []Entry) {
	for _, e := range entries {
		if e.Event == domain.EventErased {
			k.noticed.Store(e.StreamSequence)
		}
	}
	if k.noticed.Load() < entries[0].StreamSequence {
		return
	}
	select {
	case k.tombstones <- struct{}{}:
	default: // it was told, and did not look yet
	}
}

// runErasures works off the erasures that the archive has, those that a stop has left and
// those that come, until ctx ends.
func (k *Keeper) runErasures(ctx context.Context) {
	for ctx.Err() == nil {
		var again <-chan time.Time
		reached, err := k.workOff(ctx)
		if err != nil && ctx.Err() == nil {
			again = time.After(eraseAgainAfter)
		}
		k.tellErased(ctx, reached, err)
		select {
		case <-k.tombstones:
		case <-again:
		case <-ctx.Done():
		}
	}
}

// workOff takes out of the segments what the tombstones say that have not been worked
// off, and tells up to where it has seen them. Between two segments a group may be
// written: its senders wait.
func (k *Keeper) workOff(ctx context.Context) (reached uint64, err error) {
	noticed := k.noticed.Load()
	reached = k.Reached() // not before: what was noticed has been reached
	erased, to, err := k.pending(ctx, reached)
	switch {
	case err != nil:
		return reached, err
	case max(to, k.writer.erased) < noticed:
		return reached, fmt.Errorf("the stream does not have the tombstone %d, or not yet", noticed)
	case to == 0:
		return reached, nil
	}
	segments, err := k.writer.segmentsOf(erased)
	if err != nil {
		return reached, err
	}
	for _, segment := range segments {
		if ctx.Err() != nil {
			return reached, ctx.Err()
		}
		if err := k.exclusively(func() error { return k.writer.erase(segment) }); err != nil {
			return reached, err
		}
	}
	if k.stored != nil {
		if err := k.stored.Erase(ctx, erased); err != nil {
			return reached, err
		}
	}
	return reached, k.exclusively(func() error { return k.writer.rememberErased(to) })
}

// exclusively does something while no group is written.
func (k *Keeper) exclusively(do func() error) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	return do()
}

// pending gives what is left of the webhooks that are to be erased, and the stream
// sequence of the last tombstone that names one; 0 where there is none. The archive
// reaches up to a stream sequence, and has all that the tombstones before it name.
func (k *Keeper) pending(ctx context.Context, reached uint64) (erased []*domain.Webhook, to uint64, err error) {
	for tombstone, err := range k.log.Erasures(ctx, k.writer.erased) {
		if err != nil {
			return nil, 0, err
		}
		if tombstone.StreamSequence > reached {
			break
		}
		to = tombstone.StreamSequence
		erasure, err := domain.ParseErasure(tombstone)
		if err != nil {
			continue // another program's: it erases nothing
		}
		erased = append(erased, erasure.Webhooks...)
	}
	return erased, to, nil
}

// tellErased tells those who wait that erasures have been worked off up to a stream
// sequence, also where the stream has forgotten the tombstone itself, or why they were
// not. That is logged once, and not with every try.
func (k *Keeper) tellErased(ctx context.Context, reached uint64, err error) {
	if err == nil {
		k.erased.tell(reached, nil)
		return
	}
	if _, failing := k.erased.now(); failing == nil && ctx.Err() == nil {
		k.logger.Error("erased webhooks are still in the archive; it is tried again", "error", err)
	}
	k.erased.tell(0, fmt.Errorf("%w: erase in the archive: %w", eventlog.ErrUnavailable, err))
}

// erasedTo gives up to which stream sequence nothing is left to be erased here. What is
// sealed has been looked through for tombstones.
func (k *Keeper) erasedTo(sealed uint64) uint64 {
	done, _ := k.erased.now()
	if done >= max(k.noticed.Load(), k.begunAt) {
		return sealed
	}
	return min(sealed, done)
}

// Webhooks gives those of some webhooks that the archive has, as [Find] does.
func (k *Keeper) Webhooks(sequences []uint64) iter.Seq2[*domain.Webhook, error] {
	if k.stored != nil {
		return k.stored.Find(context.Background(), sequences)
	}
	return Find(k.writer.dir, sequences)
}

// WaitErased returns when the archive holds nothing more of what the tombstone of a
// stream sequence says is erased, with an error as soon as that fails, or when ctx ends.
func (k *Keeper) WaitErased(ctx context.Context, streamSequence uint64) error {
	if err := k.Wait(ctx, streamSequence); err != nil {
		return err
	}
	return k.erased.wait(ctx, streamSequence)
}
