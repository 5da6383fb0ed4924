package eventlog

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// pullMessages and pullBytes are how much is asked for at a time, and it is asked
	// for again when half of it has come: so the server always has something to do,
	// and never more than twice as much is on its way or waits to be read.
	pullMessages = 1024
	pullBytes    = 32 << 20
	// pullRoom is what the subscription has room for: what may be on its way, and what
	// the server says in between.
	pullRoom = 4 * pullMessages
	// pullExpires is how long the server keeps a request; then it is asked anew.
	pullExpires = 30 * time.Second
	// pullHeartbeat is how often the server says that it has nothing to say.
	pullHeartbeat = 2 * time.Second
	// forgetWithin bounds the wait for the end of a consumer.
	forgetWithin = time.Second
)

// pull reads what a consumer of its own delivers, in order and without a gap. It
// asks for no more than its subscription has room for, so however slow its reader is,
// nothing is dropped on the way. It must not be used by two goroutines at once.
type pull struct {
	js       jetstream.JetStream
	consumer *jetstream.ConsumerInfo // as it was made
	sub      *nats.Subscription
	messages chan *nats.Msg
	subject  string // to ask at
	request  []byte
	silent   *time.Timer
	silence  time.Duration // after which the server counts as gone
	asked    int           // messages that were asked for and have not come
	read     uint64        // messages, so far
}

// openPull makes a consumer, which lives in its server's memory, and nothing of
// which is acknowledged. Silence bounds the wait for a message; 0 stands for twice
// the heartbeat, by which time the server would have said something.
func openPull(
	ctx context.Context, js jetstream.JetStream, stream string, config jetstream.ConsumerConfig, silence time.Duration,
) (*pull, error) {
	config.AckPolicy = jetstream.AckNonePolicy
	config.MemoryStorage = true
	config.Replicas = 1
	consumer, err := js.CreateConsumer(ctx, stream, config)
	if err != nil {
		return nil, err
	}
	silence = cmp.Or(silence, 2*pullHeartbeat)
	p := &pull{
		js: js, consumer: consumer.CachedInfo(), messages: make(chan *nats.Msg, pullRoom), silence: silence, silent: time.NewTimer(silence),
	}
	p.subject = jetstream.DefaultAPIPrefix + "CONSUMER.MSG.NEXT." + stream + "." + p.consumer.Name
	// A limit below the largest message would stall the consumer.
	p.request, err = json.Marshal(map[string]any{
		"batch": pullMessages, "max_bytes": max(pullBytes, 4*js.Conn().MaxPayload()), "expires": pullExpires, "idle_heartbeat": pullHeartbeat,
	})
	if err == nil {
		p.sub, err = js.Conn().ChanSubscribe(js.Conn().NewInbox(), p.messages)
	}
	if err != nil {
		p.close(ctx)
		return nil, err
	}
	return p, nil
}

// close ends the consumer. Where the server cannot be told, it finds out later.
func (p *pull) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetWithin)
	defer cancel()
	if p.sub != nil {
		_ = p.sub.Unsubscribe() // it fails where it ended with its connection
	}
	p.silent.Stop()
	_ = p.js.DeleteConsumer(ctx, p.consumer.Stream, p.consumer.Name)
}

// forever stands for a time that does not pass before the server counts as gone.
const forever = time.Duration(math.MaxInt64)

// next waits for the next message; it gives nil where there is none within a time. It
// returns errSilent where the server was silent for too long, and the cause of the end of
// ctx.
func (p *pull) next(ctx context.Context, within time.Duration) (*stored, error) {
	for again := false; ; {
		if err := p.ask(ctx); err != nil {
			return nil, err
		}
		m, err := p.receive(ctx, min(within, p.silence))
		switch {
		case errors.Is(err, errSilent) && within < p.silence:
			return nil, nil
		case errors.Is(err, errSilent) && !again:
			// The server does not tell of a request whose bytes were used up to the last
			// one: it may have nothing left to answer.
			p.asked, again = 0, true
			continue
		case err != nil:
			return nil, err
		}
		if status := m.Header.Get("Status"); status == "" || len(m.Data) > 0 {
			p.asked--
			return p.take(m)
		}
		if err := p.heed(m.Header); err != nil {
			return nil, err
		}
	}
}

// ask asks for more before all has come that was asked for.
func (p *pull) ask(ctx context.Context) error {
	if p.asked > pullMessages/2 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.asked += pullMessages
	return p.js.Conn().PublishRequest(p.subject, p.sub.Subject, p.request)
}

func (p *pull) receive(ctx context.Context, within time.Duration) (*nats.Msg, error) {
	select {
	case m := <-p.messages:
		return m, nil
	default:
	}
	if within <= 0 {
		return nil, errSilent
	}
	p.silent.Reset(within)
	defer p.silent.Stop()
	select {
	case m := <-p.messages:
		return m, nil
	case <-p.silent.C:
		return nil, errSilent
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// take reads a message, and refuses one that others were sent before that never
// came: the server sends each only once.
func (p *pull) take(m *nats.Msg) (*stored, error) {
	s, err := storedDelivered(m)
	if err != nil {
		return nil, err
	}
	if p.read++; s.delivered != p.read {
		return nil, fmt.Errorf("messages were lost on their way after message %d", p.read-1)
	}
	return s, nil
}

var (
	// errSilent says that the server should have said something by now.
	errSilent = errors.New("the server is silent")
	// errConsumerGone says that the server gave the consumer up.
	errConsumerGone = errors.New("the consumer is gone")
)

// heed takes what the server says of a request: that it lives, or that it is over
// before all that was asked for has come. Anything else ends the reading.
func (p *pull) heed(header nats.Header) error {
	const alive, noMessages, timedOut, over = "100", "404", "408", "409"
	status, left := header.Get("Status"), header.Get("Nats-Pending-Messages")
	switch {
	case status == alive:
		return nil
	case status == noMessages, status == timedOut, status == over && left != "":
		n, err := strconv.Atoi(left)
		if err != nil {
			n = p.asked
		}
		p.asked = max(0, p.asked-n)
		return nil
	}
	return fmt.Errorf("%w: %s %s", errConsumerGone, status, header.Get("Description"))
}
