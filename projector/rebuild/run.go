package rebuild

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

const (
	// near is how many webhooks a rebuilt read model may be behind when it counts
	// as having caught up: what is left takes less than a blink.
	near = 500
	// maxHold is how long the live projector is kept waiting at a switch.
	maxHold = 10 * time.Second
	// examples is how many differing orders are described.
	examples = 20
)

// run is a whole rebuild. However it ends, the record says how.
func (b *build) run(ctx context.Context) {
	defer b.traces()()
	err := b.all(ctx)
	switch {
	case b.record.State.Ended():
		b.complain(err)
	case ctx.Err() != nil:
		b.complain(b.end(domain.RebuildCanceled))
	default:
		b.record.Error, b.record.Hint = err.Error(), hintOf(err)
		b.complain(b.end(domain.RebuildFailed))
	}
}

// hintExpired is of use where the projector's own hint is not: the read model in use has
// what is missing.
const hintExpired = "no read model can be made anew any more, since webhooks have expired (stream.max_age); " +
	"the one in use goes on: keep backups of it, with ticketrail backup"

// hintOf says what can be done about the failure of a rebuild.
func hintOf(err error) string {
	stopped, ok := errors.AsType[*projector.StopError](err)
	switch {
	case errors.Is(err, projector.ErrExpired):
		return hintExpired
	case ok:
		return stopped.Hint
	}
	return ""
}

// complain logs what went wrong and changes no outcome.
func (b *build) complain(err error) {
	if err != nil {
		b.config.Logger.Error("rebuild", "id", b.record.ID, "error", err)
	}
}

// end says how the rebuild ended.
func (b *build) end(state domain.RebuildState) error {
	b.record.State, b.record.EndedAt = state, b.config.Now()
	return b.save()
}

// save keeps what there is to tell of the rebuild; of a rollback nothing is kept.
func (b *build) save() error {
	if b.record.ID == 0 {
		return nil
	}
	b.record.StreamSequence = b.job.reached(b.record.StreamSequence)
	return b.records.put(b.record)
}

// build is a rebuild that goes on.
type build struct {
	*Rebuilder
	job    *job
	path   string
	record domain.Rebuild
	db     *sqlite.DB // nil while it is not open, and when it has come into use
	placed bool       // it has come into use
	// unseenToo takes the new read model into use also where it could not be compared.
	unseenToo bool
	// foreign says that the read model in use is not made from this stream, or cannot
	// be read, so that nothing can be compared with it, nor its checkpoint be aimed at.
	foreign bool
}

// all goes through the steps. A read model that does not come into use, and is no
// snapshot, is gone at the end.
func (b *build) all(ctx context.Context) (err error) {
	defer func() {
		if !b.placed {
			err = errors.Join(err, b.close(), b.config.Folder.Discard(b.path))
		}
	}()
	if err := b.lookAtInUse(ctx); err != nil {
		return err
	}
	if err := b.load(ctx); err != nil {
		return err
	}
	b.built()
	if err := b.openWhole(ctx); err != nil {
		return err
	}
	if b.record.Options.Until > 0 {
		return b.snapshot(ctx)
	}
	if err := b.compare(ctx); err != nil {
		return err
	}
	equal := b.record.Uncompared == nil && b.record.Difference.None()
	accepted := b.record.Options.Accept && (b.record.Uncompared == nil || b.unseenToo)
	switch plan := b.record.Options.Plan; {
	case plan && equal:
		return b.end(domain.RebuildEqual)
	case plan, !equal && !accepted:
		return b.end(domain.RebuildDiffers)
	}
	return b.takePlace(ctx)
}

// lookAtInUse finds out whether the read model in use can be compared with.
func (b *build) lookAtInUse(ctx context.Context) error {
	inUse, err := b.config.Model.Checkpoint(ctx)
	if err == nil {
		b.record.FromVersion = inUse.Version
		_, err = projector.NewGuard(b.config.Log).Check(ctx, inUse)
	}
	stop, stopped := errors.AsType[*projector.StopError](err)
	switch {
	case stopped:
		err = fmt.Errorf("%w: %s", stop.Err, stop.Detail)
	case !errors.Is(err, domain.ErrDamaged):
		return err
	}
	b.foreign = true
	if b.record.Options.Until == 0 {
		b.record.Uncompared = &domain.Uncompared{Reason: err.Error()}
	}
	return nil
}

// load makes the file, in which the read model is whole then.
func (b *build) load(ctx context.Context) (err error) {
	loader, err := sqlite.NewLoader(ctx, b.path, b.config.Memory)
	if err != nil {
		return err
	}
	b.project(loader)
	if b.record.Options.Until > 0 {
		err = b.buildUntil(ctx)
	} else {
		err = b.catchUp(ctx)
	}
	if err != nil {
		return errors.Join(err, loader.Close())
	}
	return loader.Finish(ctx)
}

// project puts a projector on what is being made.
func (b *build) project(store projector.Store) {
	b.job.shadow.Store(projector.New(b.config.Log, store, projector.Config{
		Providers: b.config.Providers, Version: b.config.Version, Logger: b.config.Logger,
	}))
}

// openWhole opens a file that is to come into use: from here on each commit is synced.
// It is read whole before, so that what a comparison finds damaged is the one in use.
func (b *build) openWhole(ctx context.Context) (err error) {
	if b.db, err = sqlite.Open(ctx, b.path); err != nil {
		return err
	}
	b.project(b.db)
	return b.db.Check(ctx)
}

func (b *build) close() error {
	if b.db == nil {
		return nil
	}
	db := b.db
	b.db = nil
	return db.Close()
}

// buildUntil builds the read model up to the one stream sequence that is wanted.
func (b *build) buildUntil(ctx context.Context) error {
	until := b.record.Options.Until
	info, err := b.config.Log.Info(ctx)
	if err != nil {
		return err
	}
	if until > info.Last {
		return fmt.Errorf("the stream ends at stream sequence %d", info.Last)
	}
	return b.buildTo(ctx, until)
}

// snapshot keeps the read model as it is.
func (b *build) snapshot(ctx context.Context) error {
	if err := b.db.CopyTo(ctx, b.SnapshotPath(b.record.Options.Until)); err != nil {
		return err
	}
	return b.end(domain.RebuildKept)
}

// catchUp builds until the read model in use is hardly ahead any more.
func (b *build) catchUp(ctx context.Context) error {
	for {
		target, err := b.target(ctx)
		if err != nil {
			return err
		}
		if err := b.buildTo(ctx, target); err != nil {
			return err
		}
		if next, err := b.target(ctx); err != nil || next <= target+near {
			return err
		}
	}
}

// target is how far the read model in use is; or the stream, where that read
// model was not made from it.
func (b *build) target(ctx context.Context) (uint64, error) {
	if b.foreign {
		info, err := b.config.Log.Info(ctx)
		return info.Last, err
	}
	checkpoint, err := b.config.Model.Checkpoint(ctx)
	return checkpoint.StreamSequence, err
}

// buildTo brings the new read model to a stream sequence, and not beyond.
func (b *build) buildTo(ctx context.Context, target uint64) error {
	b.record.Target = target
	if err := b.save(); err != nil {
		return err
	}
	if err := b.job.shadow.Load().RunUntil(ctx, target); err != nil {
		return err
	}
	return ctx.Err()
}

// built says that the building is over.
func (b *build) built() {
	b.record.BuiltAt, b.record.BuiltTo = b.config.Now(), b.record.Target
	b.record.StreamSequence = b.job.reached(b.record.StreamSequence)
}

// compare compares with the read model in use, at one stream sequence; or tells why
// that cannot be, and what each of the two holds. Only what is in the files is such a
// reason: another try may do better where a disk is full or a file cannot be opened.
func (b *build) compare(ctx context.Context) error {
	b.record.State = domain.RebuildComparing
	if err := b.save(); err != nil {
		return err
	}
	if !b.foreign {
		err := b.compareRows(ctx)
		unfit := errors.Is(err, domain.ErrDamaged) || errors.Is(err, sqlite.ErrSchema)
		if !unfit || errors.Is(err, errBuilding) {
			return err
		}
		b.record.Uncompared = &domain.Uncompared{Reason: err.Error()}
	}
	// What cannot be read of the one in use is why they cannot be compared.
	inUse, _ := sqlite.ContentOf(ctx, b.config.Model.Path())
	rebuilt, err := sqlite.ContentOf(ctx, b.path)
	// The record that was saved is being read: it gets another one, and is not changed.
	b.record.Uncompared = &domain.Uncompared{Reason: b.record.Uncompared.Reason, InUse: inUse, Rebuilt: rebuilt}
	return err
}

// errBuilding marks an error of the rebuilt read model, not of the comparison.
var errBuilding = errors.New("build up to the checkpoint of the one in use")

func (b *build) compareRows(ctx context.Context) (err error) {
	comparison, err := sqlite.Compare(ctx, b.config.Model.Path(), b.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, comparison.Close()) }()
	if err := b.buildTo(ctx, comparison.StreamSequence()); err != nil {
		return fmt.Errorf("%w: %w", errBuilding, err)
	}
	b.record.Difference, err = comparison.Difference(ctx, examples)
	return err
}

// revises tells whether what takes the place may have other orders: all but what was
// compared and found equal.
func (b *build) revises() bool { return b.record.Difference == nil || !b.record.Difference.None() }

// takePlace puts the new read model in the place of the one in use: once more it
// catches up, and what is still missing then is projected between two batches of
// the live projector, which does not wait long for that. From the moment the
// pointer is replaced there is no way back but a rollback, so nothing after it
// can fail the rebuild.
func (b *build) takePlace(ctx context.Context) error {
	b.record.State = domain.RebuildSwitching
	if err := b.catchUp(ctx); err != nil {
		return err
	}
	return b.config.Live.Hold(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, maxHold)
		defer cancel()
		target, err := b.target(ctx)
		if err != nil {
			return err
		}
		if err := b.buildTo(ctx, target); err != nil {
			return err
		}
		if b.revises() {
			if err := b.config.Folder.Revise(target); err != nil {
				return err
			}
		}
		if err := b.config.Folder.Switch(b.path); err != nil {
			return err
		}
		b.complain(b.config.Model.Replace(b.db))
		b.db, b.placed = nil, true // it is the Model's from now on
		if b.revises() {
			b.config.Model.Revise(target)
		}
		b.announceSwitch()
		b.config.Logger.Info("another read model is in use", "file", filepath.Base(b.path), "stream_sequence", target)
		b.complain(errors.Join(b.end(domain.RebuildSwitched), b.config.Folder.Clean()))
		return nil
	})
}
