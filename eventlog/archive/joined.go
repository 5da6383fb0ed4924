package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// Readable is a stream that can be read: an eventlog.Log.
type Readable interface {
	Info(ctx context.Context) (domain.StreamInfo, error)
	Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error)
	Batches(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error]
}

// Joined is a stream that begins where its archive does: what was trimmed is read there,
// and all after it in the stream, without a seam. It is safe for concurrent use.
type Joined struct {
	log    Readable
	stored *Stored
}

// Join joins an archive and its stream.
func Join(stored *Stored, log Readable) *Joined { return &Joined{log, stored} }

// Info is that of the stream, with what was trimmed as there.
func (j *Joined) Info(ctx context.Context) (domain.StreamInfo, error) {
	info, err := j.log.Info(ctx)
	if err != nil {
		return info, err
	}
	stored, err := j.stored.span()
	if err != nil {
		return info, err
	}
	first := stored.before.StreamSequence + 1
	if stored.stream == info.Identity && first < info.First && info.First <= stored.last.StreamSequence+1 {
		info.Messages += info.First - first
		info.First = first
	}
	return info, nil
}

// Webhook reads one webhook, or what is left of one that was erased, or returns
// domain.ErrNotFound.
func (j *Joined) Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error) {
	w, err := j.log.Webhook(ctx, streamSequence)
	if !errors.Is(err, domain.ErrNotFound) {
		return w, err
	}
	if trimmed, failed := j.wasTrimmed(ctx, streamSequence); failed != nil || !trimmed {
		return nil, cmp.Or(failed, err)
	}
	for w, err := range j.stored.Find(ctx, []uint64{streamSequence}) {
		return w, err
	}
	return nil, domain.ErrNotFound
}

// wasTrimmed tells whether a webhook is not in the stream any more, and in the archive.
func (j *Joined) wasTrimmed(ctx context.Context, streamSequence uint64) (bool, error) {
	stored, err := j.stored.span()
	if err != nil || streamSequence <= stored.before.StreamSequence || streamSequence > stored.trimmed {
		return false, err
	}
	info, err := j.log.Info(ctx)
	return err == nil && info.Identity == stored.stream && streamSequence < info.First, err
}

// Batches reads as eventlog.Log does.
func (j *Joined) Batches(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error] {
	return func(yield func(*eventlog.Batch, error) bool) {
		next := max(from, 1)
		for {
			trimmed, err := j.wasTrimmed(ctx, next)
			if trimmed {
				next, err = j.trimmed(ctx, next, most, yield)
			}
			switch {
			case err != nil:
				yield(nil, err)
				return
			case next == 0:
				return
			case trimmed:
				continue // more may have been, meanwhile
			}
			for batch, err := range j.log.Batches(ctx, next, most) {
				if err == nil && batch.Webhooks[0].StreamSequence > next {
					if trimmed, err = j.wasTrimmed(ctx, next); trimmed {
						break // just now
					}
				}
				if !yield(batch, err) || err != nil {
					return
				}
				next = batch.Webhooks[len(batch.Webhooks)-1].StreamSequence + 1
			}
		}
	}
}

// mostInBatch is when a batch of large webhooks is full, in bytes.
const mostInBatch = 32 << 20

// trimmed gives webhooks of the archive from a stream sequence on, and before the first that
// the stream has. It tells which one comes next; 0 where nothing more is asked for.
func (j *Joined) trimmed(ctx context.Context, from uint64, most int, yield func(*eventlog.Batch, error) bool) (next uint64, err error) {
	info, err := j.log.Info(ctx)
	if err != nil {
		return 0, err
	}
	batch, bytes := &eventlog.Batch{}, 0
	next = from
	for e, err := range j.stored.Read(ctx, from) {
		switch {
		case ctx.Err() != nil:
			return 0, fmt.Errorf("reading the archive: %w", context.Cause(ctx))
		case err != nil:
			return 0, err
		}
		if e.StreamSequence >= info.First {
			break
		}
		e.Webhook.StoredAt = e.StoredAt
		batch.Webhooks = append(batch.Webhooks, e.Webhook)
		next, bytes = next+1, bytes+len(e.Body)
		if len(batch.Webhooks) == most || bytes >= mostInBatch {
			if !yield(batch, nil) {
				return 0, nil
			}
			batch, bytes = &eventlog.Batch{}, 0
		}
	}
	switch {
	case next == from:
		return 0, fmt.Errorf("%w: webhook %d was trimmed, and is not read in the archive", eventlog.ErrInterrupted, from)
	case len(batch.Webhooks) > 0 && !yield(batch, nil):
		return 0, nil
	}
	return next, nil
}
