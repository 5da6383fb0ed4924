package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patienceShare is how much longer than the others of a context somebody may wait: a part
// of the whole time.
const patienceShare = 50

// patience gives contexts that end in a time, or a little later: who comes at about the same
// time shares one, since a timer for each costs more than to check a signature. It is safe
// for concurrent use.
type patience struct {
	length time.Duration

	mu     sync.Mutex
	shared context.Context
	until  time.Time // when another one is begun
}

func (p *patience) context() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); p.shared == nil || now.After(p.until) {
		p.until = now.Add(p.length / patienceShare)
		p.shared = ending(p.length + p.length/patienceShare)
	}
	return p.shared
}

// ending gives a context that ends in a time, and not before.
func ending(after time.Duration) context.Context {
	ctx, end := context.WithCancelCause(context.Background())
	time.AfterFunc(after, func() { end(fmt.Errorf("after %s: %w", after, context.DeadlineExceeded)) })
	return ctx
}
