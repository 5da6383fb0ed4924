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
// stream itself. Of each it keeps where its tombstone is, and no more. No lock but turn is
// held while the server is asked: who wants what is known waits for nobody.
type erasures struct {
	log  *Log
	turn chan struct{} // held by the one refresh that goes on
	read uint64        // every tombstone up to this stream sequence is known; with turn held

	mu        sync.Mutex
	by        map[uint64]uint64          // the stream sequence of each erased webhook's tombstone
	forgotten map[uint64]uint64          // the same, of what the stream begins after: an archive may have it
	seen      hole                       // what the server said when they were read last
	parsed    map[uint64]*domain.Erasure // some tombstones, by stream sequence
}

func newErasures(log *Log) *erasures {
	return &erasures{
		log: log, turn: make(chan struct{}, 1),
		by: map[uint64]uint64{}, forgotten: map[uint64]uint64{}, parsed: map[uint64]*domain.Erasure{},
	}
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
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return fmt.Errorf("%w: erasures are being read: %w", ErrUnavailable, context.Cause(ctx))
	}
	last, err := e.log.lastErasure(ctx)
	if err != nil {
		return err
	}
	// What is given out from now on must not depend on what a power cut may still take.
	if err := e.log.embedded.now().onDisk(ctx, WebhooksStream, last); err != nil {
		return err
	}
	after := e.read
	if last < after {
		after = 0
	}
	by, read := map[uint64]uint64{}, after
	for w, failed := range e.log.erasuresTo(ctx, after, last) {
		if err = failed; err != nil {
			break
		}
		read = w.StreamSequence
		erasure, err := domain.ParseErasure(w)
		if err != nil {
			continue // another program's: it erases nothing
		}
		for _, left := range erasure.Webhooks {
			if _, known := by[left.StreamSequence]; !known {
				by[left.StreamSequence] = read
			}
		}
	}
	e.learn(by, after, read)
	return err
}

// learn takes what the tombstones after a stream sequence, and up to another one, say. In
// the place of what a former stream had come new maps: what was asked of that, and is
// answered only now, is noted where nobody looks.
func (e *erasures) learn(by map[uint64]uint64, after, read uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if after < e.read {
		e.by, e.forgotten, e.parsed = map[uint64]uint64{}, map[uint64]uint64{}, map[uint64]*domain.Erasure{}
	}
	for webhook, tombstone := range by {
		if _, known := e.by[webhook]; !known {
			e.by[webhook] = tombstone
		}
	}
	if read != e.read {
		e.read, e.seen = read, hole{} // they may name what the stream has forgotten
	}
}

// tombstones gives the stream sequences of the tombstones of some webhooks; 0 for one
// that has none.
func (e *erasures) tombstones(ctx context.Context, webhooks []*domain.Webhook) ([]uint64, error) {
	if err := e.refresh(ctx); err != nil {
		return nil, err
	}
	tombstones := make([]uint64, len(webhooks))
	for i, w := range webhooks {
		tombstones[i], _ = e.tombstone(w.StreamSequence)
	}
	return tombstones, nil
}

// tombstone gives the stream sequence of the tombstone of a webhook, where it is known.
func (e *erasures) tombstone(streamSequence uint64) (by uint64, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if by, known = e.by[streamSequence]; !known {
		by, known = e.forgotten[streamSequence]
	}
	return by, known
}

// webhook gives what is left of an erased webhook, or domain.ErrNotFound where no
// tombstone names it.
func (e *erasures) webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error) {
	by, known := e.tombstone(streamSequence)
	if !known {
		if err := e.refresh(ctx); err != nil {
			return nil, err
		}
		if by, known = e.tombstone(streamSequence); !known {
			return nil, domain.ErrNotFound
		}
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
	e.mu.Lock()
	all := e.parsed
	parsed := all[streamSequence]
	e.mu.Unlock()
	if parsed != nil {
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
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(all) == mostParsed {
		clear(all)
	}
	all[streamSequence] = erasure
	return erasure, nil
}

// between gives, in order, the stream sequences from one on and before another whose
// webhooks were erased. The server has none of them.
func (e *erasures) between(ctx context.Context, from, to uint64) ([]uint64, error) {
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
	e.mu.Lock()
	defer e.mu.Unlock()
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
	now := hole{state.FirstSeq, state.NumDeleted}
	if !e.saw(now) {
		if err := e.refresh(ctx); err != nil {
			return 0, 0, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	first = e.first(state.FirstSeq)
	if now != e.seen {
		e.forget(first, state.FirstSeq)
		e.seen = now
	}
	before := state.FirstSeq - first
	after := uint64(len(e.by)) - before
	return first, state.Msgs + before + min(after, uint64(state.NumDeleted)), nil
}

// forget takes the webhooks before the first one out of those that the stream has, and
// forgets them when it has lost their tombstones too: those before its first message.
func (e *erasures) forget(first, message uint64) {
	maps.DeleteFunc(e.by, func(webhook, tombstone uint64) bool {
		if webhook < first {
			e.forgotten[webhook] = tombstone
		}
		return webhook < first
	})
	maps.DeleteFunc(e.forgotten, func(_, tombstone uint64) bool { return tombstone < message })
}

func (e *erasures) saw(now hole) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return now == e.seen
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
