package eventlog

import (
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

// reading collects batches from the messages of a subscription.
type reading struct {
	messages <-chan *message.Message
	most     int
}

// next gives the next batch; nil when the subscription has ended.
func (r reading) next() *Batch {
	batch := &Batch{}
	for !r.full(batch) {
		m, open := r.receive(batch)
		switch {
		case !open:
			return nil
		case m == nil:
			return batch
		}
		batch.add(m)
	}
	return batch
}

func (r reading) full(batch *Batch) bool {
	return len(batch.messages) == r.most || batch.bytes >= batchBytes
}

// receive gives the next message of a batch, and nil where the batch should not
// wait for one: there is none now, and none was announced that comes in time.
func (r reading) receive(batch *Batch) (m *message.Message, open bool) {
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
