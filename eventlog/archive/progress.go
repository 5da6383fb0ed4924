package archive

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ticketrail/ticketrail/eventlog"
)

// progress is how far something has come in the stream, and what keeps it from going on.
// Who waits is woken once. It is safe for concurrent use.
type progress struct {
	mu      sync.Mutex
	reached uint64
	trouble error // nil where all is well
	waiting []waiter
}

// waiter is told when a stream sequence is reached, or what the trouble is.
type waiter struct {
	streamSequence uint64
	told           chan error
}

// now gives the stream sequence that is reached, and the trouble.
func (p *progress) now() (reached uint64, trouble error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reached, p.trouble
}

// tell tells how far it has come, if that is further, and what the trouble is now.
func (p *progress) tell(reached uint64, trouble error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reached, p.trouble = max(p.reached, reached), trouble
	p.waiting = slices.DeleteFunc(p.waiting, func(w waiter) bool {
		over, err := p.over(w.streamSequence)
		if over {
			w.told <- err
		}
		return over
	})
}

// over tells whether the wait for a stream sequence is over, and how it ended. The lock
// is held.
func (p *progress) over(streamSequence uint64) (bool, error) {
	if streamSequence <= p.reached {
		return true, nil
	}
	return p.trouble != nil, p.trouble
}

// wait returns when a stream sequence is reached, with the trouble as soon as there is
// any, or with eventlog.ErrUnavailable when ctx ends.
func (p *progress) wait(ctx context.Context, streamSequence uint64) error {
	p.mu.Lock()
	if over, err := p.over(streamSequence); over {
		p.mu.Unlock()
		return err
	}
	told := make(chan error, 1)
	p.waiting = append(p.waiting, waiter{streamSequence, told})
	p.mu.Unlock()
	select {
	case err := <-told:
		return err
	case <-ctx.Done():
		p.leave(told)
		return fmt.Errorf("%w: the archive is behind: %w", eventlog.ErrUnavailable, ctx.Err())
	}
}

func (p *progress) leave(told chan error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(w waiter) bool { return w.told == told })
}
