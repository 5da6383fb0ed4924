package eventlog

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
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

	// These are of who commits.
	sent   uint64             // how many messages there were so far
	life   *life              // that the others are of; nil before the first
	stored uint64             // the last stream sequence that is known to be one of theirs
	files  *brokerfile.Reader // of the server
	read   uint64             // the stream sequence that the files were read to

	mu      sync.Mutex
	waiting []*group // the last one may be joined
	busy    bool     // somebody commits
}

// group is what is committed at once.
type group struct {
	messages []*nats.Msg   // nil for one that was taken back
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
		files: brokerfile.NewReader(WebhooksStream, blocksDir(server.options.StoreDir, WebhooksStream)),
	}
	if _, err := server.Conn().ChanSubscribe(c.inbox+"*", c.acks); err != nil {
		return nil, fmt.Errorf("listen for acknowledgements: %w", err)
	}
	return c, nil
}

// store returns when a message is durable, here and in the copy. Where ctx ends before it
// is sent it never is; where it ends later, it may be nevertheless.
func (c *committer) store(ctx context.Context, n *nats.Msg) (Receipt, error) {
	if size := n.Size() - len(n.Subject); size > int(c.server.options.MaxPayload) {
		return Receipt{}, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(n.Data))
	}
	joined, at, leads := c.join(n)
	if leads {
		c.lead()
	}
	select {
	case <-joined.done:
		return joined.outcomes[at].Receipt, joined.outcomes[at].err
	case <-ctx.Done():
		c.takeBack(joined, at)
		return Receipt{}, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	}
}

// takeBack has a message not be part of a group that nobody has begun to commit, so that
// nothing is held of who is not waited for.
func (c *committer) takeBack(g *group, at int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.waiting, g) {
		g.messages[at] = nil
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
	for i, m := range g.messages {
		if m == nil {
			g.outcomes[i].err = errTakenBack
		}
	}
	life := c.server.now()
	ctx, leave := life.during(context.Background(), c.timeout)
	defer leave()
	err := life.reason(nil)
	if err == nil {
		err = c.publish(ctx, life, g)
	}
	if err == nil {
		ack := g.ack()
		life.stored.raise(ack.Sequence)
		err = durable(ctx, life, ack, c.copy)
	}
	if err != nil {
		g.fail(life.reason(err))
	}
}

// publish sends the messages of a group, and finds out what has become of each. The
// server is asked of those that it may take for duplicates, and of the last one: when it
// has stored that, it has stored whatever it stores of those before, and they are in its
// files. To be told of each would take longer than to store it. It is asked of all where the
// files are in doubt, and in a new life, whose stream may end earlier than before.
func (c *committer) publish(ctx context.Context, life *life, g *group) error {
	first, asked, all := c.sent, 0, life != c.life || life.doubts()
	c.sent += uint64(len(g.messages))
	for i, m := range g.messages {
		if m == nil {
			continue
		}
		if i == g.last() || m.Header.Get(jetstream.MsgIDHeader) != "" || all {
			m.Reply = c.inbox + strconv.FormatUint(first+uint64(i), 10)
			asked++
		}
		if err := c.server.Conn().PublishMsg(m); err != nil {
			return refusal(err)
		}
	}
	for asked > 0 {
		select {
		case ack := <-c.acks:
			number, err := strconv.ParseUint(strings.TrimPrefix(ack.Subject, c.inbox), 10, 64)
			if at := number - first; err == nil && at < uint64(len(g.outcomes)) { // it may be of a group before
				g.outcomes[at] = readAck(ack)
				asked--
			}
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
		}
	}
	if all {
		c.begin(life, g)
		return nil
	}
	return c.find(life, g)
}

// begin takes where to go on, in a new life or in one whose files are in doubt, from a
// group that was asked of whole, and has stored anything.
func (c *committer) begin(life *life, g *group) {
	var last uint64
	for _, o := range g.outcomes {
		if o.err == nil && !o.Duplicate { // a duplicate may be far back
			last = max(last, o.StreamSequence)
		}
	}
	if last > 0 {
		c.files.Close()
		c.life, c.stored, c.read = life, last, last
	}
}

// find finds the messages of a group that the server was not asked of, after those of
// earlier groups. What is not there the server has refused, for the reason that it told of
// the last one.
func (c *committer) find(life *life, g *group) error {
	before, last := c.stored, g.ack().Sequence
	c.stored = max(before, last)
	places := g.unknown()
	if len(places) == 0 && last < c.read+mostInGroup {
		c.look(life)
		return nil
	}
	records, err := c.readOn(g.end())
	life.recent.add(records)
	if err != nil || c.read < last {
		life.doubt(c.read+1, cmp.Or(err, lacking(c.read, last)))
	}
	if err != nil && len(places) > 0 {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	// The server stores them in their order, if it stores them.
	for _, r := range slices.Backward(records) {
		if r.Sequence <= before {
			break
		}
		if g.has(r.Sequence) {
			continue
		}
		for i, at := range slices.Backward(places) {
			if isOf(&r, g.messages[at]) {
				g.outcomes[at].StreamSequence = r.Sequence
				places = places[:i]
				break
			}
		}
	}
	for at := range g.outcomes {
		if o := &g.outcomes[at]; *o == (outcome{}) {
			o.err = cmp.Or(g.outcomes[g.last()].err, errNotStored)
		}
	}
	return nil
}

// look reads on for archive and projector alone, where nothing is to be found: so they need
// not. What it cannot read here is read with a later group.
func (c *committer) look(life *life) {
	records, err := c.files.ReadOpen(c.read+1, mostInGroup)
	if len(records) > 0 && err == nil {
		life.recent.add(records)
		c.read = records[len(records)-1].Sequence
	}
}

var (
	errNotStored = fmt.Errorf("%w: the server has not stored it", ErrUnavailable)
	errTakenBack = fmt.Errorf("%w: it was taken back", ErrUnavailable) // nobody learns it
)

// readOn reads what the files have that was not read yet, up to a stream sequence at least
// where they have so much.
func (c *committer) readOn(enough uint64) (all []brokerfile.Record, err error) {
	for c.read < enough {
		records, err := c.files.Read(c.read+1, mostInGroup)
		if errors.Is(err, brokerfile.ErrReplaced) {
			c.files.Close()
			continue
		}
		if len(records) == 0 || err != nil {
			return all, err
		}
		all = append(all, records...)
		c.read = records[len(records)-1].Sequence
	}
	return all, nil
}

func isOf(r *brokerfile.Record, m *nats.Msg) bool {
	return string(r.Subject) == m.Subject && bytes.Equal(r.Body, m.Data)
}

// unknown gives the places of the messages of which nothing is known.
func (g *group) unknown() (places []int) {
	for at, o := range g.outcomes {
		if o == (outcome{}) {
			places = append(places, at)
		}
	}
	return places
}

// last gives the place of the last message; -1 where all were taken back.
func (g *group) last() int {
	at := len(g.messages) - 1
	for at >= 0 && g.messages[at] == nil {
		at--
	}
	return at
}

// end gives a stream sequence after which none of the messages is stored.
func (g *group) end() uint64 {
	if at := g.last(); at >= 0 && g.outcomes[at].err == nil && !g.outcomes[at].Duplicate {
		return g.outcomes[at].StreamSequence
	}
	return math.MaxUint64 // it tells nothing of where those before it are
}

// has tells whether it is known that one of the messages is at a stream sequence.
func (g *group) has(sequence uint64) bool {
	return slices.ContainsFunc(g.outcomes, func(o outcome) bool { return o.StreamSequence == sequence })
}

// fail has an error be what became of every message that has none.
func (g *group) fail(err error) {
	for i := range g.outcomes {
		g.outcomes[i].err = cmp.Or(g.outcomes[i].err, err)
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

func readAck(ack *nats.Msg) outcome {
	var said struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(ack.Data, &said); {
	case len(ack.Data) == 0: // nobody listens
		return outcome{err: refusal(nats.ErrNoResponders)}
	case err != nil:
		return outcome{err: refusal(err)}
	case said.Error != nil:
		return outcome{err: refusal(said.Error)}
	}
	return outcome{Receipt: Receipt{StreamSequence: said.Sequence, Duplicate: said.Duplicate}}
}
