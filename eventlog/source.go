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
	// sourceBuffer is how many messages may wait between reading and delivering.
	sourceBuffer = 256
	// retryPause is the wait before a server that could not be asked is asked
	// again.
	retryPause = 250 * time.Millisecond
	// inactiveThreshold is when the server forgets a consumer that its reader has
	// left behind, as by a crash.
	inactiveThreshold = time.Minute
)

// source reads one subject of a stream from the server, in order, without gap or
// repetition: to the first interruption, or through every one.
type source struct {
	js      jetstream.JetStream
	stream  string
	subject string
	once    bool      // to the first interruption
	erased  *erasures // of the stream; nil where none are given out
	next    uint64    // the stream sequence to go on from
	out     chan *stored
	err     error // why it ended; to be read after out is closed
}

func newSource(js jetstream.JetStream, config SubscriberConfig, subject string) *source {
	from := uint64(1)
	if config.From != nil {
		from = max(from, config.From())
	}
	return &source{
		js:      js,
		stream:  config.Stream,
		subject: subject,
		once:    config.Once,
		erased:  config.erased,
		next:    from,
		out:     make(chan *stored, min(config.InFlight, sourceBuffer)),
	}
}

// run reads until ctx ends, the stream is lost or, where it reads but once,
// reading is interrupted.
func (s *source) run(ctx context.Context) {
	defer close(s.out)
	for {
		err := s.read(ctx)
		switch {
		case ctx.Err() != nil:
			s.err = ended(ctx)
			return
		case isLost(err):
			s.err = fmt.Errorf("%w: %w", ErrStreamLost, err)
			return
		case s.once:
			s.err = fmt.Errorf("%w: %w", ErrInterrupted, err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryPause):
		}
	}
}

// read reads by one consumer until that one fails. A consumer lives in its server's
// memory alone, so what one of them delivers is of one history: it does not outlive a
// server that was restarted, or a stream that was put back to an older point.
func (s *source) read(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.watchConnection(ctx, cancel)()
	reader, err := openPull(ctx, s.js, s.stream, jetstream.ConsumerConfig{
		FilterSubject:     s.subject,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       s.next,
		InactiveThreshold: inactiveThreshold,
	}, 0)
	if err != nil {
		return err
	}
	defer reader.close(ctx)
	for {
		m, err := reader.next(ctx)
		if err != nil {
			return errors.Join(err, s.lost(ctx, err))
		}
		if s.erased != nil && m.StreamSequence > s.next {
			if err := s.fill(ctx, m); err != nil {
				return err
			}
		}
		if err := s.give(ctx, m); err != nil {
			return err
		}
	}
}

// fill gives out what is left of the erased webhooks before a message. What was not
// erased stays a gap, for the reader to find.
func (s *source) fill(ctx context.Context, next *stored) error {
	erased, err := s.erased.between(ctx, s.next, next.StreamSequence)
	if err != nil {
		return err
	}
	for i, sequence := range erased {
		left, err := s.erased.webhook(ctx, sequence)
		if errors.Is(err, domain.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.give(ctx, storedErased(left, next.Pending+uint64(len(erased)-i))); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) give(ctx context.Context, m *stored) error {
	select {
	case s.out <- m:
		s.next = m.StreamSequence + 1
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lost tells whether a consumer that is gone went with its stream.
func (s *source) lost(ctx context.Context, err error) error {
	if !errors.Is(err, errConsumerGone) {
		return nil
	}
	_, err = s.js.Stream(ctx, s.stream)
	return err
}

// errDisconnected says that the connection was lost, if only for a moment.
var errDisconnected = errors.New("the connection was lost")

// watchConnection cancels the reading where the connection is lost: what was asked
// for before will never come. The function that it gives ends the watch.
func (s *source) watchConnection(ctx context.Context, cancel context.CancelCauseFunc) (end func()) {
	conn := s.js.Conn()
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
