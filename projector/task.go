package projector

import (
	"sync"
	"sync/atomic"
	"time"
)

// step is what somebody is at, and since when.
type step struct {
	doing          string
	streamSequence uint64
	since          time.Time
}

// The steps that the projector and its reader share.
const (
	waitingFor = "waiting for"
	workingOn  = "working on"
)

// clockEvery is for how many webhooks in a row the clock is read once: it costs as much
// as some of them.
const clockEvery = 64

// task goes through steps, one at a time, while others may ask at which it is.
type task struct {
	now            func() time.Time
	streamSequence atomic.Uint64

	mu    sync.Mutex
	doing string
	since time.Time
}

// does notes what is begun now, and at which stream sequence.
func (t *task) does(doing string, streamSequence uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doing, t.since = doing, t.now()
	t.streamSequence.Store(streamSequence)
}

// worksOn is does for the webhook at an index of a batch.
func (t *task) worksOn(i int, streamSequence uint64) {
	if i%clockEvery == 0 {
		t.does(workingOn, streamSequence)
	} else {
		t.streamSequence.Store(streamSequence)
	}
}

// beginsNow notes that what is being done has not lasted yet.
func (t *task) beginsNow() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since = t.now()
}

func (t *task) at() step {
	t.mu.Lock()
	defer t.mu.Unlock()
	return step{t.doing, t.streamSequence.Load(), t.since}
}
