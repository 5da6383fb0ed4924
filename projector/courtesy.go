package projector

import (
	"context"
	"time"
)

const (
	// restAfter is for how long the projector works before it looks whether anybody reads.
	// Longer, and an answer waits for that; shorter, and it looks more often than it works.
	restAfter = time.Millisecond
	// restShare is how many times as long as it worked it rests at the most.
	restShare = 3
	// glance is for how long it rests before it looks again. Who has not asked within it
	// is not waiting for the processors.
	glance = 500 * time.Microsecond
	// backlogShare is the part of the greatest batch above which a batch is of a backlog,
	// which nobody waits for, and not of what has just come.
	backlogShare = 8
)

// courtesy has a projector that catches up rest while others read, since it would leave
// them a tenth of what two processors can do: who waits for an answer takes turns with
// whoever never waits. It goes on whatever they do, and at once when they do not.
type courtesy struct {
	reads func() uint64 // how many there have been
	seen  uint64
	since time.Time // the last rest
}

// rest is called again and again during work.
func (c *courtesy) rest(ctx context.Context) {
	begun := time.Now()
	worked := begun.Sub(c.since)
	if worked < restAfter {
		return
	}
	for c.anybody() && time.Since(begun) < restShare*worked {
		wait(ctx, glance)
	}
	c.since = time.Now()
}

// anybody tells whether anybody has read since it was asked last.
func (c *courtesy) anybody() bool {
	before := c.seen
	c.seen = c.reads()
	return c.seen != before
}
