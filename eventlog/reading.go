package eventlog

import (
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

const (
	// stallTimeout ends the wait for messages that the server announced and does
	// not deliver, as it happens where its files are damaged: what is there is
	// given out.
	stallTimeout = time.Second
	// batchBytes is when a batch of large webhooks is full. Two of them must fit
	// into what a subscription has in flight.
	batchBytes = flightBytes / 4
)

// reading collects batches from the messages of a subscription. After a Nack the
// channel still holds messages from before it; they are skipped until the
// subscription has rewound.
type reading struct {
	messages <-chan *message.Message
	most     int

	mu       sync.Mutex
	given    []*Batch // those that are not settled, oldest first
	rewindTo uint64   // the stream sequence that is waited for; 0 while in order
}

// next gives the next batch; nil when the subscription has ended.
func (r *reading) next() *Batch {
	for {
		batch := &Batch{reading: r}
		for !r.full(batch) {
			m, open := r.receive(batch)
			if !open {
				return nil
			}
			if m == nil {
				break
			}
			if r.admit(m, batch) {
				batch.add(m)
			}
		}
		if r.give(batch) {
			return batch
		}
	}
}

func (r *reading) full(batch *Batch) bool {
	return len(batch.messages) == r.most || batch.bytes >= batchBytes
}

// receive gives the next message of a batch, and nil where the batch should not
// wait for one: there is none now, and none was announced that comes in time.
func (r *reading) receive(batch *Batch) (m *message.Message, open bool) {
	select {
	case m, open = <-r.messages:
		return m, open
	default:
	}
	switch {
	case len(batch.messages) == 0:
		m, open = <-r.messages
		return m, open
	case batch.pending == 0:
		return nil, true
	}
	stalled := time.NewTimer(stallTimeout)
	defer stalled.Stop()
	select {
	case m, open = <-r.messages:
		return m, open
	case <-stalled.C:
		return nil, true
	}
}

// admit tells whether the message follows on what was given out. For the first
// message after a rewind it empties the batch, which is from before it.
func (r *reading) admit(m *message.Message, batch *Batch) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rewindTo == 0 {
		return true
	}
	if DeliveryOf(m).StreamSequence != r.rewindTo {
		return false
	}
	r.rewindTo = 0
	batch.clear()
	return true
}

// give notes that the batch is given out, unless it was overtaken by a rewind.
func (r *reading) give(batch *Batch) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rewindTo != 0 || len(batch.messages) == 0 {
		return false
	}
	r.given = append(r.given, batch)
	return true
}

// settle forgets a batch, and tells whether it was neither settled nor void.
func (r *reading) settle(batch *Batch) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.given, batch)
	if i < 0 {
		return false
	}
	r.given = slices.Delete(r.given, i, i+1)
	return true
}

// rewind forgets a batch and those after it, and tells whether it was neither
// settled nor void.
func (r *reading) rewind(batch *Batch) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.given, batch)
	if i < 0 {
		return false
	}
	r.given = slices.Delete(r.given, i, len(r.given))
	r.rewindTo = batch.Webhooks[0].StreamSequence
	return true
}
