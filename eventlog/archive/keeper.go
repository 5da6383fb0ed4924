package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

const (
	// mostInGroup is how many webhooks become one group: enough to be worth the sync
	// when the archive has to catch up.
	mostInGroup = 1000
	// retryAfter is the pause before what failed is tried again: senders ask again
	// after seconds.
	retryAfter = 250 * time.Millisecond
	// lateAfter is how long a group may take to be written before nobody begins to wait for
	// it: as long as an answer waits.
	lateAfter = 5 * time.Second
	// tolerated is how often in a row the reading of the stream may fail before that is
	// told: a broker that is started anew is back sooner.
	tolerated = 4
)

// ErrContradicts says that the stream is not the one that the archive is made from,
// or has lost what the archive lacks. The keeper does not go on.
var ErrContradicts = errors.New("the stream contradicts the archive")

// Log is what a Keeper needs of the stream.
type Log interface {
	// Written reads the stream as eventlog.Log does. What is not synced there may be lost
	// there in a power cut; then it is put back from here.
	Written(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error]
	// Erasures gives the tombstones after a stream sequence.
	Erasures(ctx context.Context, after uint64) iter.Seq2[*domain.Webhook, error]
	// Info tells where the stream stands.
	Info(ctx context.Context) (domain.StreamInfo, error)
}

// Keeper has an archive follow a stream. Whatever piles up while one group is being
// synced becomes the next one. Its methods are safe for concurrent use.
type Keeper struct {
	log    Log
	writer *Writer
	stored *Stored // nil where no store is used
	logger *slog.Logger
	failed int // how often in a row the stream could not be read; only of Run

	writing    sync.Mutex    // the writer is used for a group, or for one segment of an erasure
	pauses     int           // how often there was a Pause; with writing held
	reading    int           // what pauses was when the reading that goes on began; with writing held
	tombstones chan struct{} // tells that a group had one
	noticed    atomic.Uint64 // the stream sequence of the last one that a group had
	begunAt    uint64        // what the archive had before Run, where there may be more of them

	begun   atomic.Pointer[time.Time] // when the group came that is being written; nil where none is
	written progress
	erased  progress // up to which every erasure has been worked off
}

var _ eventlog.Copy = (*Keeper)(nil)

// NewKeeper makes a keeper of an archive that nobody else writes to. The logger may be
// nil.
func NewKeeper(log Log, writer *Writer, logger *slog.Logger) *Keeper {
	return &Keeper{
		log: log, writer: writer, logger: cmp.Or(logger, slog.New(slog.DiscardHandler)),
		tombstones: make(chan struct{}, 1), begunAt: writer.Last().StreamSequence,
		written: progress{reached: writer.Last().StreamSequence}, erased: progress{reached: writer.erased},
	}
}

// Use has what is erased erased in a store as well. It is to be called before Run.
func (k *Keeper) Use(stored *Stored) { k.stored = stored }

// Run follows the stream until ctx ends. What fails is tried again, and told when it
// fails repeatedly, but for a stream that contradicts the archive: then Run tells, and
// waits for the end. Beside it erasures are worked off.
func (k *Keeper) Run(ctx context.Context) {
	var erasing sync.WaitGroup
	erasing.Go(func() { k.runErasures(ctx) })
	defer erasing.Wait()
	for ctx.Err() == nil {
		err := k.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrContradicts):
			k.logger.Error("the archive stopped; webhooks are refused where answers wait for it", "error", err)
			k.written.tell(0, fmt.Errorf("%w: %w", eventlog.ErrUnavailable, err))
			<-ctx.Done()
		default:
			k.failed++
		}
		if k.failed >= tolerated {
			k.stumble("the archive cannot read the stream; webhooks are refused where answers wait for it", err)
		}
		pause(ctx)
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(retryAfter):
	}
}

// follow reads the stream from where the archive ends, to the first interruption.
func (k *Keeper) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_ = k.exclusively(func() error {
		k.reading = k.pauses
		return nil
	})
	next := k.writer.Last().StreamSequence + 1
	if err := k.checkStream(ctx); err != nil {
		return err
	}
	for batch, err := range k.log.Written(ctx, next, mostInGroup) {
		if err != nil {
			return err
		}
		if err := k.write(ctx, entriesOf(batch)); err != nil {
			return err
		}
		runtime.Gosched() // whoever can run goes first, and so is part of the next group
	}
	return errEnded
}

// Pause has nothing written to the archive while something is done about the stream's
// files. What was read of the stream before, and not written yet, is read again: it may
// not be there any more.
func (k *Keeper) Pause(do func() error) error {
	return k.exclusively(func() error {
		k.pauses++
		return do()
	})
}

// errPaused says that what was read is from before a Pause.
var errPaused = errors.New("the stream's files were looked at meanwhile")

// errEnded says that a reading of the stream ended and did not say why.
var errEnded = errors.New("the reading of the stream ended")

// checkStream refuses a stream that the archive cannot go on from. Where there is
// nothing to go on to, all is well.
func (k *Keeper) checkStream(ctx context.Context) error {
	info, err := k.log.Info(ctx)
	last := k.writer.Last().StreamSequence
	switch {
	case err != nil:
		return err
	case info.Identity != k.writer.stream:
		return fmt.Errorf("%w: it was made at %s, and the archive is of one that was made at %s", ErrContradicts, info.Identity.CreatedAt, k.writer.stream.CreatedAt)
	case info.Last < last && info.Unsure:
		return fmt.Errorf("%w: the server that answers may be behind the others", eventlog.ErrUnavailable)
	case info.Last < last:
		return fmt.Errorf("%w: it ends with stream sequence %d, and the archive with %d", ErrContradicts, info.Last, last)
	case info.Last == last, last == 0 && info.First > info.Last: // all have expired before there was an archive
		k.well(info.Last)
	}
	return nil
}

func entriesOf(batch *eventlog.Batch) []Entry {
	entries := make([]Entry, len(batch.Webhooks))
	for i, w := range batch.Webhooks {
		entries[i] = Entry{Webhook: w, StoredAt: w.StoredAt}
	}
	return entries
}

// write adds a batch. Webhooks before a gap in it are added still.
func (k *Keeper) write(ctx context.Context, entries []Entry) error {
	k.writer.startAt(entries[0].StreamSequence)
	for len(entries) > 0 {
		first := entries[0].StreamSequence
		if last := k.writer.Last().StreamSequence; first != last+1 {
			return fmt.Errorf("%w: stream sequence %d follows %d", ErrContradicts, first, last)
		}
		n := 1
		for n < len(entries) && entries[n].StreamSequence == first+uint64(n) {
			n++
		}
		if err := k.writeGroup(ctx, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// writeGroup adds webhooks that follow the last one, again and again until they are on
// disk or ctx ends.
func (k *Keeper) writeGroup(ctx context.Context, entries []Entry) error {
	for {
		begun, err := k.append(entries)
		if err == nil {
			k.well(k.writer.Last().StreamSequence)
			k.noticeErasures(entries)
			if begun && k.stored == nil {
				k.forget(ctx)
			}
			return nil
		}
		if errors.Is(err, errPaused) {
			return err
		}
		k.stumble("the archive cannot be written; webhooks are refused where answers wait for it", err)
		if pause(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// append adds webhooks, and tells whether a segment was begun for them. It returns
// errPaused where they were read before a Pause.
func (k *Keeper) append(entries []Entry) (begun bool, err error) {
	now := time.Now()
	k.begun.Store(&now)
	defer k.begun.Store(nil)
	k.writing.Lock()
	defer k.writing.Unlock()
	if k.reading != k.pauses {
		return false, errPaused
	}
	segment := k.writer.open.path
	err = k.writer.Append(entries)
	return k.writer.open.path != segment, err
}

// forget removes what the stream has forgotten. What cannot be removed now is tried
// with the next segment.
func (k *Keeper) forget(ctx context.Context) {
	info, err := k.log.Info(ctx)
	if err == nil {
		k.writing.Lock()
		err = k.writer.Forget(info.First)
		k.writing.Unlock()
	}
	if err != nil && ctx.Err() == nil {
		k.logger.Warn("old segments of the archive were not removed", "error", err)
	}
}

// stumble tells that the archive does not get on. It is logged once, and not with every
// try.
func (k *Keeper) stumble(message string, err error) {
	reason := eventlog.ErrUnavailable
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		reason = eventlog.ErrFull
	}
	if k.Ready() == nil {
		k.logger.Error(message, "error", err)
	}
	k.written.tell(0, fmt.Errorf("%w: %w", reason, err))
}

// well tells how far the archive is, and that nothing troubles it.
func (k *Keeper) well(reached uint64) {
	k.failed = 0
	if k.Ready() != nil {
		k.logger.Info("the archive goes on")
	}
	k.written.tell(reached, nil)
}

// Reached gives the stream sequence up to which the archive has every webhook on disk.
func (k *Keeper) Reached() uint64 {
	reached, _ := k.written.now()
	return reached
}

// Ready tells why the archive could not take a webhook now. Its error wraps
// eventlog.ErrFull where its disk has no room, and else eventlog.ErrUnavailable.
func (k *Keeper) Ready() error {
	_, trouble := k.written.now()
	if begun := k.begun.Load(); trouble == nil && begun != nil && time.Since(*begun) >= lateAfter {
		trouble = fmt.Errorf("%w: the archive has been writing since %s", eventlog.ErrUnavailable, begun.UTC().Format(time.RFC3339))
	}
	return trouble
}

// Wait returns when the archive has the webhook of a stream sequence, with an error
// like Ready's as soon as it is in trouble, or when ctx ends.
func (k *Keeper) Wait(ctx context.Context, streamSequence uint64) error {
	return k.written.wait(ctx, streamSequence)
}
