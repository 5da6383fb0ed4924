package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// sourceBuffer is how many messages may wait between reading and delivering.
	sourceBuffer = 256
	// pullMessages and pullBytes are how much is asked for at a time. More is not
	// faster, and a receipt on the same connection waits behind all of it.
	pullMessages = 1024
	pullBytes    = 32 << 20
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
	once    bool   // to the first interruption
	next    uint64 // the stream sequence to go on from
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

// errReplaced says that the client has put another consumer in the place of one
// that failed.
var errReplaced = errors.New("the consumer was replaced")

// read reads by one consumer until that one fails. The client would then go on
// with another by itself, perhaps on a stream that was put back to an older point
// meanwhile: of that one nothing is taken. A consumer lives in its server's memory
// alone, so what one of them delivers is of one history.
func (s *source) read(ctx context.Context) error {
	consumer, err := s.js.OrderedConsumer(ctx, s.stream, jetstream.OrderedConsumerConfig{
		FilterSubjects:    []string{s.subject},
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       s.next,
		MaxResetAttempts:  1,
		InactiveThreshold: inactiveThreshold,
	})
	if err != nil {
		return err
	}
	name := consumer.CachedInfo().Name
	// A limit below the largest message would stall the consumer.
	mostBytes := max(pullBytes, 4*int(s.js.Conn().MaxPayload()))
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(pullMessages, mostBytes))
	if err != nil {
		return err
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		m, err := messages.Next()
		if err != nil {
			return err
		}
		stored, err := storedDelivered(m)
		switch {
		case err != nil:
			return err
		case stored.consumer != name:
			return errReplaced
		}
		select {
		case s.out <- stored:
			s.next = stored.StreamSequence + 1
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
