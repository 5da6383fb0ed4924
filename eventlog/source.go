package eventlog

import (
	"context"
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

// source reads one subject of a stream from the server, in order, through every
// interruption, without gap or repetition.
type source struct {
	js      jetstream.JetStream
	stream  string
	subject string
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
		next:    from,
		out:     make(chan *stored, min(config.InFlight, sourceBuffer)),
	}
}

// run reads until ctx ends or the stream is lost.
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
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryPause):
		}
	}
}

// read reads by one ordered consumer until that one fails. The consumer mends
// itself once after each interruption; more often would be out of our hands.
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
		if err != nil {
			return err
		}
		select {
		case s.out <- stored:
			s.next = stored.StreamSequence + 1
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
