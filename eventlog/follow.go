package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// lookAgain is when the files are looked at though nobody has told that they have grown:
// who publishes on a connection of the embedded server, past its Log, tells nobody.
const lookAgain = 250 * time.Millisecond

// follow reads the stream from the files of the embedded server, as that writes them, for
// a third of what a consumer costs. There is more to read when the mark is raised. It ends
// with [ErrInterrupted] when the server's life does, where the files are not those any more
// that it has begun to read, and where they are in doubt.
func (l *Log) follow(ctx context.Context, life *life, mark *watermark, from uint64, most int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		first, whole, err := l.beginning(ctx)
		switch {
		case err != nil:
			yield(nil, ending(ctx, err))
			return
		case !whole, life.doubts(): // the files do not tell what there is, and a consumer does
			for batch, err := range l.consume(ctx, from, most) {
				if !yield(batch, err) || err != nil {
					return
				}
				if from = batch.last() + 1; whole && !life.doubts() {
					break
				}
			}
		}
		f := &following{
			Log: l, life: life, mark: mark, next: max(from, first), most: most,
			reader: brokerfile.NewReader(WebhooksStream, blocksDir(l.dir, WebhooksStream)),
		}
		defer f.reader.Close()
		for {
			webhooks, err := f.await(ctx)
			for some := range slices.Chunk(webhooks, most) {
				if !yield(&Batch{Webhooks: some}, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// beginning gives the first webhook that the stream has, and tells whether all after it
// are there, or what an erasure has left of them.
func (l *Log) beginning(ctx context.Context) (first uint64, whole bool, err error) {
	info, err := l.webhooks.Info(ctx)
	if err != nil {
		return 0, false, err
	}
	first, webhooks, err := l.erased.count(ctx, info.State)
	first = max(first, 1)
	return first, first+webhooks == info.State.LastSeq+1, err
}

// following is how far the files have been read.
type following struct {
	*Log
	life   *life
	mark   *watermark
	reader *brokerfile.Reader
	vainly time.Time // when what nobody has told of was looked for last, and nothing was there
	filed  uint64    // the stream sequence that the reader goes on from
	next   uint64    // the stream sequence to go on from
	most   int       // to read at once
}

// await waits for the next webhook, and gives those that are there.
func (f *following) await(ctx context.Context) ([]*domain.Webhook, error) {
	for {
		marked, more := f.mark.now() // before the files are read
		webhooks, err := f.read(ctx, marked)
		if f.life.stopping.Load() { // what was read may be of the next life
			return nil, fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(f.life.ctx))
		}
		if len(webhooks) > 0 || err != nil {
			return webhooks, err
		}
		if marked >= f.next {
			if err := f.checkExpired(ctx, marked); err != nil {
				return nil, err
			}
		}
		if err := f.life.await(ctx, more); err != nil {
			return nil, err
		}
	}
}

// read gives the webhooks that are there up to the one that is marked. Beyond the mark it
// gives whatever is there, and where that is nothing looks again after a while.
func (f *following) read(ctx context.Context, marked uint64) (webhooks []*domain.Webhook, err error) {
	if marked < f.next && time.Since(f.vainly) < lookAgain {
		return nil, nil
	}
	if marked >= f.next {
		if webhooks := f.life.recent.between(f.next, marked, f.most); len(webhooks) > 0 {
			if f.next += uint64(len(webhooks)); f.next > f.filed+mostRecent {
				f.reader.Close() // to begin in the newest block is quicker than to go there from so far behind
			}
			f.vainly = time.Now() // what comes from the committer is all that there is, as a rule
			return webhooks, nil
		}
	}
	if webhooks, err = f.readFiles(ctx, marked); len(webhooks) == 0 {
		f.vainly = time.Now()
	}
	return webhooks, err
}

// readFiles gives the webhooks that the files have, with what is left of erased ones before
// each.
func (f *following) readFiles(ctx context.Context, marked uint64) (webhooks []*domain.Webhook, err error) {
	most := f.most
	if marked >= f.next {
		most = int(min(uint64(most), marked-f.next+1))
	}
	records, err := f.reader.Read(f.next, most)
	if err != nil {
		return nil, f.doubt(err)
	}
	webhooks = make([]*domain.Webhook, 0, len(records))
	room := make([]domain.Webhook, len(records)) // one piece of memory in place of thousands
	for i := range records {
		sequence := records[i].Sequence
		if sequence > f.next {
			left, err := f.remains(ctx, f.next, sequence)
			if err != nil {
				return nil, ending(ctx, err)
			}
			webhooks = append(webhooks, left...)
		}
		room[i] = webhookIn(&records[i])
		webhooks = append(webhooks, &room[i])
		f.next, f.filed = sequence+1, sequence+1
	}
	return webhooks, nil
}

// remains gives what is left of the erased webhooks in a gap. What was not erased stays a gap,
// for the reader to find.
func (l *Log) remains(ctx context.Context, from, to uint64) (webhooks []*domain.Webhook, err error) {
	erased, err := l.erased.between(ctx, from, to)
	for _, sequence := range erased {
		w, err := l.erased.webhook(ctx, sequence)
		if errors.Is(err, domain.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		webhooks = append(webhooks, w)
	}
	return webhooks, err
}

// checkExpired returns nil where all webhooks up to one that was stored have expired, and
// else tells that the files do not have what they should.
func (f *following) checkExpired(ctx context.Context, stored uint64) error {
	info, err := f.webhooks.Info(ctx)
	if err != nil {
		return ending(ctx, err)
	}
	if info.State.FirstSeq <= stored {
		return f.doubt(lacking(f.next-1, stored))
	}
	return nil
}

// doubt interrupts the reading for a reason, for which the files are in doubt, unless it is
// that there are others.
func (f *following) doubt(reason error) error {
	if !errors.Is(reason, brokerfile.ErrReplaced) {
		f.life.doubt(f.next, reason)
	}
	return fmt.Errorf("%w: %w", ErrInterrupted, reason)
}

// await returns when there is more, or may be, and with an error when the life or ctx ends.
func (l *life) await(ctx context.Context, more <-chan struct{}) error {
	select {
	case <-more:
	case <-time.After(lookAgain):
	case <-ctx.Done():
		return ended(ctx)
	case <-l.ctx.Done():
		return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(l.ctx))
	}
	return nil
}
