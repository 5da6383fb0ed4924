package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// lookAgain is when the files are looked at though nobody has told that they have grown:
// who publishes on a connection of the embedded server, past its Log, tells nobody.
const lookAgain = 250 * time.Millisecond

// follow reads the stream from the files of the embedded server, as that writes them, for
// a tenth of what a consumer costs. It ends with [ErrInterrupted] when the server's life
// does, and where the files are not those any more that it has begun to read.
func (l *Log) follow(ctx context.Context, from uint64, most int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		life := l.embedded.now()
		reader := brokerfile.NewReader(WebhooksStream, blocksDir(l.dir, WebhooksStream))
		defer reader.Close()
		for {
			stored, more := life.stored.now() // before it is read
			batch, err := l.read(ctx, reader, from, most)
			if batch != nil {
				if !yield(batch, nil) {
					return
				}
				from = batch.last() + 1
				continue
			}
			if err == nil && stored >= from {
				err = l.checkGone(ctx, from, stored)
			}
			if err == nil {
				err = life.await(ctx, more)
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// read reads what the files have from a stream sequence on; nil where that is nothing.
func (l *Log) read(ctx context.Context, reader *brokerfile.Reader, from uint64, most int) (*Batch, error) {
	records, err := reader.Read(from, most)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInterrupted, err)
	}
	if len(records) == 0 {
		return nil, nil
	}
	batch := &Batch{Webhooks: make([]*domain.Webhook, 0, len(records))}
	for i := range records {
		if sequence := records[i].Sequence; sequence > from {
			if err := l.fill(ctx, batch, from, sequence); err != nil {
				return nil, err
			}
		}
		batch.Webhooks = append(batch.Webhooks, webhookIn(&records[i]))
		from = records[i].Sequence + 1
	}
	return batch, nil
}

// fill adds what is left of the erased webhooks in a gap. What was not erased stays a gap,
// for the reader to find.
func (l *Log) fill(ctx context.Context, batch *Batch, from, to uint64) error {
	erased, err := l.erased.between(ctx, from, to)
	if err != nil {
		return err
	}
	for _, sequence := range erased {
		left, err := l.erased.webhook(ctx, sequence)
		if errors.Is(err, domain.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		batch.Webhooks = append(batch.Webhooks, left)
	}
	return nil
}

// checkGone returns nil where all webhooks from one on, up to one that was stored, have
// expired, and else tells that the files do not have what they should.
func (l *Log) checkGone(ctx context.Context, from, stored uint64) error {
	info, err := l.webhooks.Info(ctx)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("%w: %w", ErrStreamLost, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrInterrupted, err)
	case info.State.FirstSeq <= stored:
		return fmt.Errorf("%w: the stream's files have no whole webhook from %d on, though %d is stored", ErrInterrupted, from, stored)
	}
	return nil
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
