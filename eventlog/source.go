package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	// retryPause is the wait before a server that could not be asked is asked
	// again.
	retryPause = 250 * time.Millisecond
	// inactiveThreshold is when the server forgets a consumer that its reader has
	// left behind, as by a crash.
	inactiveThreshold = time.Minute
)

// source is one subject of a stream, to be read in order, without gap or repetition. It
// must be used by one goroutine at a time.
type source struct {
	js      jetstream.JetStream
	stream  string
	subject string
	erased  *erasures // of the stream; nil where none are given out
	next    uint64    // the stream sequence to go on from
	life    *life     // of the embedded server; nil where that is not asked
	files   *files    // to read before the server is asked; nil where there are none, or no more
}

// ending gives the error with which reading ends: with that of ctx where it has ended,
// with ErrStreamLost, or else with ErrInterrupted.
func ending(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ended(ctx)
	case isLost(err):
		return fmt.Errorf("%w: %w", ErrStreamLost, err)
	}
	return fmt.Errorf("%w: %w", ErrInterrupted, err)
}

// reading reads a source by one consumer until that one fails. A consumer lives in its
// server's memory alone, so what one of them delivers is of one history: it does not
// outlive a server that was restarted, or a stream that was put back to an older point.
type reading struct {
	*source
	ctx     context.Context // ends with the connection: what was asked for will never come then
	end     func()
	pull    *pull // nil before the server is asked
	missing []uint64 // before held, the erased webhooks that were not given out yet
	held    *stored
}

func (s *source) open(ctx context.Context) *reading {
	ctx, cancel := context.WithCancelCause(ctx)
	unwatch := watchConnection(ctx, s.js.Conn(), cancel)
	return &reading{source: s, ctx: ctx, end: func() {
		unwatch()
		cancel(nil)
	}}
}

func (r *reading) close() {
	if r.pull != nil {
		r.pull.close(r.ctx)
	}
	r.end()
}

// take gives the next message; nil where there is none within a time.
func (r *reading) take(within time.Duration) (*stored, error) {
	for r.held == nil {
		m, err := r.message(within)
		switch {
		case err != nil:
			return nil, errors.Join(err, r.lost(err))
		case m == nil:
			return nil, nil
		}
		if r.held = m; r.erased != nil && m.StreamSequence > r.next {
			if r.missing, err = r.erased.between(r.ctx, r.next, m.StreamSequence); err != nil {
				return nil, err
			}
		}
	}
	m, err := r.remains()
	if err != nil {
		return nil, err
	}
	if m == nil {
		m, r.held = r.held, nil
	}
	r.next = m.StreamSequence + 1
	return m, nil
}

// message gives the next message that there is.
func (r *reading) message(within time.Duration) (*stored, error) {
	if m := r.fromFiles(); m != nil {
		return m, nil
	}
	if r.pull == nil {
		if err := r.ask(); err != nil {
			return nil, err
		}
	}
	return r.pull.next(r.ctx, within)
}

// ask makes the consumer.
func (r *reading) ask() (err error) {
	r.pull, err = openPull(r.ctx, r.js, r.stream, jetstream.ConsumerConfig{
		FilterSubject:     r.subject,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       r.next,
		InactiveThreshold: inactiveThreshold,
	}, 0)
	if err == nil && r.life.over() { // what was read before is of another history
		err = errDisconnected
	}
	return err
}

// fromFiles gives the next message of the files. One behind a gap that no erasure has left
// is not taken: what is in the gap, or is not, is the server's to tell.
func (r *reading) fromFiles() *stored {
	if r.files == nil {
		return nil
	}
	m := r.files.next(r.ctx)
	if m != nil && m.StreamSequence != r.next {
		erased, err := r.erased.between(r.ctx, r.next, max(r.next, m.StreamSequence))
		if err != nil || m.StreamSequence != r.next+uint64(len(erased)) {
			m = nil
		}
	}
	if m == nil {
		r.files = nil
	}
	return m
}

// remains gives what is left of the next erased webhook before the message that is held;
// nil where there is none. What was not erased stays a gap, for the reader to find.
func (r *reading) remains() (*stored, error) {
	if len(r.missing) == 0 {
		return nil, nil
	}
	left, err := r.erased.webhook(r.ctx, r.missing[0])
	if errors.Is(err, domain.ErrNotFound) {
		r.missing = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m := storedErased(left, r.held.Pending+uint64(len(r.missing)))
	r.missing = r.missing[1:]
	return m, nil
}

// lost tells whether a consumer that is gone went with its stream.
func (r *reading) lost(err error) error {
	if !errors.Is(err, errConsumerGone) {
		return nil
	}
	_, err = r.js.Stream(r.ctx, r.stream)
	return err
}

// errDisconnected says that the connection was lost, if only for a moment.
var errDisconnected = errors.New("the connection was lost")

// watchConnection cancels a reading where the connection is lost. The function that it
// gives ends the watch.
func watchConnection(ctx context.Context, conn *nats.Conn, cancel context.CancelCauseFunc) (end func()) {
	changes := conn.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	go func() {
		select {
		case <-changes:
			cancel(errDisconnected)
		case <-ctx.Done():
		}
	}()
	return func() { conn.RemoveStatusListener(changes) }
}
