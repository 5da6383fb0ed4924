package eventlog

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// lateAfter is how long a sync may take before nobody begins to wait for the next one: as
// long as a receipt is waited for.
const lateAfter = 5 * time.Second

// rounds has on disk what a stream of the embedded server has written. Whatever piles
// up while one sync is under way shares the next one: nobody waits for company, and
// many pay for one sync. After a sync that failed there is no other, since the system
// takes what it could not write for written. It is safe for concurrent use.
type rounds struct {
	blocks *blocks
	broken func(error)

	mu      sync.Mutex
	running *round // nil where no sync is under way
	next    *round
	going   bool   // there is a run
	synced  uint64 // every sequence up to this one is on disk
	failed  error  // why there is no other round; nil where there may be
	active  sync.WaitGroup
}

// round is one sync, and what its waiters wait for.
type round struct {
	last  uint64    // the greatest sequence that somebody waits for
	begun time.Time // when it came to be under way
	done  chan struct{}
	err   error // of the sync; to be read when done is closed
}

func newRound() *round { return &round{done: make(chan struct{})} }

// newRounds makes the rounds of a stream; broken is told of the sync that failed.
func newRounds(b *blocks, broken func(error)) *rounds {
	return &rounds{blocks: b, broken: broken, next: newRound()}
}

// wait returns when a message that was acknowledged, or given out, is on disk. It
// returns ErrUnavailable where a sync has failed or ctx ends before.
func (r *rounds) wait(ctx context.Context, sequence uint64) error {
	round, err := r.join(sequence)
	if round == nil {
		return err
	}
	select {
	case <-round.done:
		return round.err
	case <-ctx.Done():
		return fmt.Errorf("%w: it is not synced yet: %w", ErrUnavailable, context.Cause(ctx))
	}
}

// join gives the round to wait for, and none where there is nothing to wait for.
func (r *rounds) join(sequence uint64) (*round, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case sequence <= r.synced:
		return nil, nil
	case r.failed != nil:
		return nil, r.failed
	case r.running != nil && sequence <= r.running.last:
		return r.running, nil
	}
	joined := r.next
	joined.last = max(joined.last, sequence)
	if !r.going {
		r.going = true
		r.active.Go(r.run)
	}
	return joined, nil
}

// run goes through the rounds until nobody waits for another one. Whoever can run goes
// first each time, and so joins the round that is about to begin.
func (r *rounds) run() {
	for runtime.Gosched(); r.begin(); runtime.Gosched() {
		r.end(r.blocks.sync())
	}
}

// begin has the next round be under way, and tells whether there is one.
func (r *rounds) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.next.last == 0:
		r.going = false
		return false
	case r.failed != nil:
		r.next.err = r.failed
		close(r.next.done)
		return false
	}
	r.running, r.next = r.next, newRound()
	r.running.begun = time.Now()
	return true
}

// end ends the round that is under way.
func (r *rounds) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ended := r.running
	r.running = nil
	defer close(ended.done)
	if err != nil {
		r.failed = fmt.Errorf("%w: %w", ErrUnavailable, err)
		ended.err = r.failed
		r.broken(r.failed)
		return
	}
	r.synced = ended.last
}

// late tells why what is written now would be waited for in vain: the disk does not come
// back from a sync.
func (r *rounds) late() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil || time.Since(r.running.begun) < lateAfter {
		return nil
	}
	return fmt.Errorf("%w: a sync has been under way since %s", ErrUnavailable, r.running.begun.UTC().Format(time.RFC3339))
}

// reached gives the sequence up to which every message is on disk.
func (r *rounds) reached() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.synced
}

// stop has no other round begin, for a reason.
func (r *rounds) stop(reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = cmp.Or(r.failed, reason)
}

// close waits for the sync that is under way. It comes after stop.
func (r *rounds) close() {
	r.active.Wait()
	r.blocks.close()
}
