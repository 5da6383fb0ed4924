package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
)

// erasedSubjects are those of the tombstones.
const erasedSubjects = webhookRoot + ".*.*." + domain.EventErased

// mostParsed is how many tombstones are kept parsed: the webhooks of an order, which
// has one, stand among those of the orders of the same hour.
const mostParsed = 32

// erasures knows which webhooks of the stream were erased, by the tombstones in the
// stream itself. Of each it keeps where its tombstone is, and no more.
type erasures struct {
	log *Log

	mu     sync.Mutex
	by     map[uint64]uint64          // the stream sequence of each erased webhook's tombstone
	read   uint64                     // every tombstone up to this stream sequence is known
	seen   hole                       // what the server said when they were read last
	parsed map[uint64]*domain.Erasure // some tombstones, by stream sequence
}

// hole is what tells that somebody has deleted something.
type hole struct {
	first   uint64
	deleted int
}

// Erasures gives the tombstones after a stream sequence, in order. It ends with the last
// one that was there when it began, or after an error.
func (l *Log) Erasures(ctx context.Context, after uint64) iter.Seq2[*domain.Webhook, error] {
	return func(yield func(*domain.Webhook, error) bool) {
		last, err := l.lastErasure(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for w, err := range l.erasuresTo(ctx, after, last) {
			if !yield(w, err) {
				return
			}
		}
	}
}

// erasuresTo gives the tombstones after a stream sequence, of which the newest is known.
func (l *Log) erasuresTo(ctx context.Context, after, last uint64) iter.Seq2[*domain.Webhook, error] {
	return func(yield func(*domain.Webhook, error) bool) {
		if last <= after {
			return // as nearly always; a reader would cost the server more
		}
		until := after
		for s, err := range (backlog{js: l.js, stream: l.webhooks, subject: erasedSubjects, after: after}).read(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if until = s.StreamSequence; !yield(s.webhook(), nil) {
				return
			}
		}
		if until < last {
			yield(nil, fmt.Errorf("%w: erasures were read to %d of %d", ErrUnavailable, until, last)) // a follower is behind
		}
	}
}

// lastErasure gives the stream sequence of the newest tombstone; 0 where there is none.
func (l *Log) lastErasure(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, leaderTimeout)
	defer cancel()
	last, err := l.leader.GetLastMsg(WebhooksStream, erasedSubjects, nats.Context(ctx))
	switch {
	case errors.Is(err, nats.ErrMsgNotFound):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("ask for the last erasure: %w", refusal(err))
	}
	return last.Sequence, nil
}

// refresh reads the tombstones that have come since. Where they end earlier than before, or
// are gone, the stream was put back to an older point, and all is read again.
func (e *erasures) refresh(ctx context.Context) error {
	last, err := e.log.lastErasure(ctx)
	if err != nil {
		return err
	}
	if last < e.read {
		clear(e.by)
		clear(e.parsed)
		e.read, e.seen = 0, hole{}
	}
	// What is given out from now on must not depend on what a power cut may still take.
	if err := e.log.embedded.now().onDisk(ctx, WebhooksStream, last); err != nil {
		return err
	}
	for w, err := range e.log.erasuresTo(ctx, e.read, last) {
		if err != nil {
			return err
		}
		e.read, e.seen = w.StreamSequence, hole{} // it may name what the stream has forgotten
		erasure, err := domain.ParseErasure(w)
		if err != nil {
			continue // another program's: it erases nothing
		}
		for _, left := range erasure.Webhooks {
			if _, known := e.by[left.StreamSequence]; !known {
				e.by[left.StreamSequence] = w.StreamSequence
			}
		}
	}
	return nil
}

// tombstones gives the stream sequences of the tombstones of some webhooks; 0 for one
// that has none.
func (e *erasures) tombstones(ctx context.Context, webhooks []*domain.Webhook) ([]uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.refresh(ctx); err != nil {
		return nil, err
	}
	tombstones := make([]uint64, len(webhooks))
	for i, w := range webhooks {
		tombstones[i] = e.by[w.StreamSequence]
	}
	return tombstones, nil
}

// webhook gives what is left of an erased webhook, or domain.ErrNotFound where no
// tombstone names it.
func (e *erasures) webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, known := e.by[streamSequence]; !known {
		if err := e.refresh(ctx); err != nil {
			return nil, err
		}
	}
	by, known := e.by[streamSequence]
	if !known {
		return nil, domain.ErrNotFound
	}
	erasure, err := e.erasure(ctx, by)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(erasure.Webhooks, func(w *domain.Webhook) bool { return w.StreamSequence == streamSequence })
	if at < 0 {
		return nil, domain.ErrNotFound
	}
	left := *erasure.Webhooks[at]
	return &left, nil
}

// erasure gives a tombstone, parsed.
func (e *erasures) erasure(ctx context.Context, streamSequence uint64) (*domain.Erasure, error) {
	if parsed := e.parsed[streamSequence]; parsed != nil {
		return parsed, nil
	}
	s, err := e.log.message(ctx, streamSequence)
	if err != nil {
		return nil, err
	}
	erasure, err := domain.ParseErasure(s.webhook())
	if err != nil {
		return nil, domain.ErrNotFound // the stream was replaced by another one
	}
	if len(e.parsed) == mostParsed {
		clear(e.parsed)
	}
	e.parsed[streamSequence] = erasure
	return erasure, nil
}

// between gives, in order, the stream sequences from one on and before another whose
// webhooks were erased. The server has none of them.
func (e *erasures) between(ctx context.Context, from, to uint64) ([]uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.within(from, to)
	if uint64(len(known)) == to-from {
		return known, nil
	}
	if err := e.refresh(ctx); err != nil {
		return nil, err
	}
	return e.within(from, to), nil
}

func (e *erasures) within(from, to uint64) (found []uint64) {
	if to-from > uint64(len(e.by)) {
		for sequence := range e.by {
			if from <= sequence && sequence < to {
				found = append(found, sequence)
			}
		}
		slices.Sort(found)
		return found
	}
	for sequence := from; sequence < to; sequence++ {
		if _, known := e.by[sequence]; known {
			found = append(found, sequence)
		}
	}
	return found
}

// count says of a stream where it begins and how many webhooks it has, with the erased
// ones: what is left of them is there.
func (e *erasures) count(ctx context.Context, state jetstream.StreamState) (first, webhooks uint64, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := (hole{state.FirstSeq, state.NumDeleted}); now != e.seen {
		if err := e.refresh(ctx); err != nil {
			return 0, 0, err
		}
		first := e.first(state.FirstSeq)
		maps.DeleteFunc(e.by, func(sequence, _ uint64) bool { return sequence < first }) // they have expired
		e.seen = now
	}
	first = e.first(state.FirstSeq)
	before := state.FirstSeq - first
	after := uint64(len(e.by)) - before
	return first, state.Msgs + before + min(after, uint64(state.NumDeleted)), nil
}

// first gives the first webhook of a stream whose first message is another one, since
// those before it were erased.
func (e *erasures) first(message uint64) uint64 {
	first := message
	for first > 1 && e.by[first-1] >= message {
		first--
	}
	return first
}
