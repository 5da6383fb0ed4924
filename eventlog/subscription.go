package eventlog

import (
	"context"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

const (
	// sourceBuffer is how many messages may wait between reading and delivering.
	sourceBuffer = 256
	// outBuffer is how many messages may wait in the channel: enough that neither
	// side has to wake the other for each.
	outBuffer = 256
	// flightBytes bounds the bodies in flight: several batches, and far below
	// what the same number of the largest webhooks would take.
	flightBytes = 128 << 20
)

// subscription delivers one subject to one channel. A goroutine of its own
// reads from the server; run, the only owner of all fields, does the rest.
type subscription struct {
	ctx      context.Context
	in       chan *stored
	out      chan *message.Message
	inFlight int

	// flight holds, in stream order, the messages that were read and not let go.
	// The first sent of them are in the channel or with the reader.
	flight []flown
	sent   int
	bytes  int // of the bodies in flight
}

type flown struct {
	stored  *stored
	message *message.Message
}

func newSubscription(ctx context.Context, inFlight int) *subscription {
	return &subscription{
		ctx:      ctx,
		in:       make(chan *stored, min(inFlight, sourceBuffer)),
		out:      make(chan *message.Message, min(inFlight, outBuffer)),
		inFlight: inFlight,
	}
}

// run delivers until the context ends or the source does. Most of the time one
// message can be read or sent at once; only where neither can does it wait.
func (s *subscription) run(from *source) {
	go s.follow(from)
	for s.send() || s.read() || s.wait() {
	}
	s.recall()
	for open := true; open; { // until follow has ended
		_, open = <-s.in
	}
	close(s.out)
}

// follow reads a source through every interruption, until the context ends or the stream
// is lost.
func (s *subscription) follow(from *source) {
	defer close(s.in)
	for {
		err := s.readOnce(from)
		if s.ctx.Err() != nil || isLost(err) {
			return
		}
		select {
		case <-s.ctx.Done():
		case <-time.After(retryPause):
		}
	}
}

// readOnce reads a source to the first interruption.
func (s *subscription) readOnce(from *source) error {
	reading := from.open(s.ctx)
	defer reading.close()
	for {
		m, err := reading.take(forever)
		if err != nil {
			return err
		}
		select {
		case s.in <- m:
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
}

// send puts the next message into the channel if there is one and it fits.
func (s *subscription) send() bool {
	if s.sent == len(s.flight) {
		return false
	}
	select {
	case s.out <- s.flight[s.sent].message:
		s.sent++
		return true
	default:
		return false
	}
}

// read takes a message from the source if one is there and may be in flight.
func (s *subscription) read() bool {
	if s.full() {
		return false
	}
	select {
	case stored, open := <-s.in:
		return open && s.take(stored)
	default:
		return false
	}
}

func (s *subscription) take(stored *stored) bool {
	s.flight = append(s.flight, flown{stored, stored.message(s.ctx)})
	s.bytes += len(stored.body)
	return true
}

func (s *subscription) full() bool {
	return len(s.flight) == s.inFlight || s.bytes >= flightBytes
}

// wait waits for whatever comes first, and tells whether to go on.
func (s *subscription) wait() bool {
	var (
		in            <-chan *stored
		out           chan<- *message.Message
		next          *message.Message
		acked, nacked <-chan struct{}
	)
	switch {
	case s.sent < len(s.flight):
		out, next = s.out, s.flight[s.sent].message
	case !s.full():
		in = s.in
	}
	if s.sent > 0 {
		acked, nacked = s.flight[0].message.Acked(), s.flight[0].message.Nacked()
	}
	select {
	case out <- next:
		s.sent++
	case stored, open := <-in:
		return open && s.take(stored)
	case <-acked:
		s.letGo()
	case <-nacked:
		s.rewind()
	case <-s.ctx.Done():
		return false
	}
	return true
}

// letGo forgets the oldest messages up to the first that is not acknowledged.
func (s *subscription) letGo() {
	n := slices.IndexFunc(s.flight[:s.sent], func(f flown) bool { return !isAcked(f.message) })
	if n < 0 {
		n = s.sent
	}
	for _, f := range s.flight[:n] {
		s.bytes -= len(f.stored.body)
	}
	clear(s.flight[:n]) // for the garbage collector: the array lives on
	s.flight = s.flight[n:]
	s.sent -= n
}

func isAcked(m *message.Message) bool {
	select {
	case <-m.Acked():
		return true
	default:
		return false
	}
}

// rewind has everything in flight delivered again, from the oldest on.
func (s *subscription) rewind() {
	s.recall()
	for i := range s.flight[:s.sent] {
		s.flight[i].message = s.flight[i].stored.message(s.ctx)
	}
	s.sent = 0
}

// recall takes back what is in the channel and was not received yet.
func (s *subscription) recall() {
	for {
		select {
		case <-s.out:
		default:
			return
		}
	}
}
