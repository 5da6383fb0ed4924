package eventlog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// mostInGroup is how many messages are committed at once: what their acknowledgements
// have room for.
const mostInGroup = 1024

// committer stores webhooks on the embedded server, a group at a time: whatever comes
// while one group is committed is the next one. Who finds nobody at it commits at once,
// for all who have come, so one alone waits for nobody. It is safe for concurrent use.
type committer struct {
	server  *Embedded
	timeout time.Duration
	copy    func() Copy
	inbox   string // what the subjects of acknowledgements begin with
	acks    chan *nats.Msg
	sent    uint64 // messages, so far; of who commits

	mu      sync.Mutex
	waiting []*group // the last one may be joined
	busy    bool     // somebody commits
}

// group is what is committed at once.
type group struct {
	messages []*nats.Msg
	outcomes []outcome     // of the messages; to be read when done is closed
	done     chan struct{} // each outcome is known
}

// outcome is what became of a message: where it is, or why it is not known to be anywhere.
type outcome struct {
	Receipt
	err error
}

func newCommitter(server *Embedded, timeout time.Duration, copy func() Copy) (*committer, error) {
	c := &committer{
		server: server, timeout: timeout, copy: copy,
		inbox: server.Conn().NewInbox() + ".",
		acks:  make(chan *nats.Msg, 4*mostInGroup), // late ones too
	}
	if _, err := server.Conn().ChanSubscribe(c.inbox+"*", c.acks); err != nil {
		return nil, fmt.Errorf("listen for acknowledgements: %w", err)
	}
	return c, nil
}

// store returns when a message is durable, here and in the copy. Where ctx ends before,
// it may become so nevertheless.
func (c *committer) store(ctx context.Context, n *nats.Msg) (Receipt, error) {
	joined, at, leads := c.join(n)
	if leads {
		c.lead()
	}
	select {
	case <-joined.done:
		return joined.outcomes[at].Receipt, joined.outcomes[at].err
	case <-ctx.Done():
		return Receipt{}, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	}
}

// join has a message be part of a group, at a place, and tells whether nobody commits
// and it is to be led.
func (c *committer) join(n *nats.Msg) (joined *group, at int, leads bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := len(c.waiting) - 1; last < 0 || len(c.waiting[last].messages) == mostInGroup {
		c.waiting = append(c.waiting, &group{done: make(chan struct{})})
	}
	joined = c.waiting[len(c.waiting)-1]
	joined.messages = append(joined.messages, n)
	leads, c.busy = !c.busy, true
	return joined, len(joined.messages) - 1, leads
}

// lead commits one group, and leaves those that have come meanwhile to somebody else.
func (c *committer) lead() {
	c.commit(c.next())
	if following := c.next(); following != nil {
		go func() {
			for ; following != nil; following = c.next() {
				c.commit(following)
			}
		}()
	}
}

// next takes the group that is to be committed next; nil where there is none. Whoever can
// run goes first, and so is part of it.
func (c *committer) next() *group {
	runtime.Gosched()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.busy = false
		return nil
	}
	next := c.waiting[0]
	c.waiting = c.waiting[1:]
	return next
}

func (c *committer) commit(g *group) {
	defer close(g.done)
	g.outcomes = make([]outcome, len(g.messages))
	life := c.server.now()
	ctx, leave := life.during(context.Background(), c.timeout)
	defer leave()
	err := life.reason(nil)
	if err == nil {
		c.publish(ctx, g)
		ack := g.ack()
		life.stored.raise(ack.Sequence)
		err = durable(ctx, life, ack, c.copy)
	}
	for i := range g.outcomes {
		if o := &g.outcomes[i]; o.err == nil && err != nil {
			o.err = life.reason(err)
		}
	}
}

// publish sends the messages of a group, and takes what the server says of each.
func (c *committer) publish(ctx context.Context, g *group) {
	first, left := c.sent, len(g.messages)
	c.sent += uint64(left)
	for i, m := range g.messages {
		m.Reply = c.inbox + strconv.FormatUint(first+uint64(i), 10)
		if err := c.server.Conn().PublishMsg(m); err != nil {
			g.outcomes[i].err = refusal(err)
			left--
		}
	}
	for left > 0 {
		select {
		case ack := <-c.acks:
			number, err := strconv.ParseUint(strings.TrimPrefix(ack.Subject, c.inbox), 10, 64)
			if at := number - first; err == nil && at < uint64(len(g.outcomes)) { // it may be of a group before
				g.outcomes[at] = readAck(ack)
				left--
			}
		case <-ctx.Done():
			g.giveUp(fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx)))
			return
		}
	}
}

// giveUp has an error be the outcome of what has none.
func (g *group) giveUp(err error) {
	for i := range g.outcomes {
		if o := &g.outcomes[i]; o.StreamSequence == 0 && o.err == nil {
			o.err = err
		}
	}
}

// ack stands for the acknowledgements of the whole group.
func (g *group) ack() *jetstream.PubAck {
	whole := &jetstream.PubAck{Stream: WebhooksStream}
	for _, o := range g.outcomes {
		whole.Sequence = max(whole.Sequence, o.StreamSequence)
		whole.Duplicate = whole.Duplicate || o.Duplicate
	}
	return whole
}

// plainAck is what surrounds the stream sequence in the acknowledgement of a webhook that
// is new to the stream.
var plainAck = [2][]byte{[]byte(`{"stream":"` + WebhooksStream + `","seq":`), []byte("}")}

func readAck(ack *nats.Msg) (o outcome) {
	if text, ok := bytes.CutPrefix(ack.Data, plainAck[0]); ok {
		if text, ok = bytes.CutSuffix(text, plainAck[1]); ok {
			if o.StreamSequence, o.err = strconv.ParseUint(string(text), 10, 64); o.err == nil {
				return o
			}
		}
	}
	var said struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(ack.Data, &said); {
	case len(ack.Data) == 0:
		return outcome{err: refusal(nats.ErrNoResponders)}
	case err != nil:
		return outcome{err: refusal(err)}
	case said.Error != nil:
		return outcome{err: refusal(said.Error)}
	}
	return outcome{Receipt: Receipt{StreamSequence: said.Sequence, Duplicate: said.Duplicate}}
}
