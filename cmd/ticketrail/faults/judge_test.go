package faults_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// The checks, by the names under which what they find is told.
const (
	checkStart      = "starts again"
	checkLoss       = "what was answered with 200 is kept"
	checkPhantom    = "nothing is kept that was not sent"
	checkIdentity   = "what is kept is what was sent"
	checkContiguous = "the stream has no gap"
	checkOrder      = "stream sequences keep their order and are used once"
	checkForged     = "what is not authentic is refused"
	checkFollows    = "the read model follows"
	checkCounts     = "each webhook counts once, as what it is"
	checkChain      = "the chain is that of the stream"
	checkOrders     = "orders are what their webhooks make of them"
	checkFresh      = "the read model is that of a fresh rebuild"
	checkReads      = "what was read is not taken back"
	checkClosed     = "another stream is not followed"
	checkRefused    = "what cannot be kept is refused at once, and told when to come again"
	checkMended     = "it goes on by itself once its disk works again"
	checkPatient    = "what is slow is not taken for broken"
	checkBaseline   = "what a load took is given back"
	checkPolite     = "who is put off is told until when"
	checkAnswers    = "every request is answered"
	checkReady      = "readiness is told as it is"
	checkSilent     = "logs and metrics tell nothing of a sender's text"
)

// readers is how many webhooks a judge reads at once.
const readers = 8

// violation is a promise that was broken.
type violation struct{ check, what string }

func (v violation) String() string { return v.check + ": " + v.what }

// judge holds one data folder to what was promised, again and again: what it has
// seen once it wants to see again.
type judge struct {
	history *history
	limit   time.Duration // for the read model to follow
	once    bool          // the broker is to absorb every repetition of an id
	stream  []*domain.Webhook
	reads   reads
	found   []violation
}

func newJudge(h *history, limit time.Duration) *judge { return &judge{history: h, limit: limit} }

func (j *judge) find(check, format string, args ...any) {
	j.found = append(j.found, violation{check, fmt.Sprintf(format, args...)})
}

// judge looks at a program that nobody sends to, on which the read model may still
// have to catch up.
func (j *judge) judge(ctx context.Context, p *program) {
	var projection api.Projection
	last := uint64(0)
	followed := await(j.limit, func() bool {
		projection = api.Projection{}
		if p.get(ctx, "/v1/projection", &projection) != nil || projection.Stream == nil {
			return false
		}
		last = projection.Stream.Last
		return projection.Checkpoint == last
	})
	j.readStream(ctx, p, last)
	j.sequences()
	j.answers()
	if !followed {
		reason := ""
		if projection.Reason != nil {
			reason = ": " + *projection.Reason
		}
		j.find(checkFollows, "it is at %d of %d%s", projection.Checkpoint, last, reason)
		return
	}
	j.readModel(ctx, p, projection)
	j.telling(ctx, p)
}

// readStream reads the stream from its first webhook to its last, and compares it
// with what was read of it before.
func (j *judge) readStream(ctx context.Context, p *program, last uint64) {
	before := j.stream
	j.stream = make([]*domain.Webhook, last)
	var group errgroup.Group
	group.SetLimit(readers)
	for i := range j.stream {
		group.Go(func() (err error) {
			j.stream[i], err = readWebhook(ctx, p, uint64(i)+1)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		j.find(checkContiguous, "%v", err)
		j.stream = before // and nothing more can be said
		return
	}
	for i, w := range before {
		switch {
		case i >= len(j.stream):
			j.find(checkLoss, "the stream had %d webhooks and has %d", len(before), len(j.stream))
			return
		case w.Chain(domain.Digest{}) != j.stream[i].Chain(domain.Digest{}):
			j.find(checkIdentity, "webhook %d is read as another one than before", w.StreamSequence)
		}
	}
}

func readWebhook(ctx context.Context, p *program, n uint64) (*domain.Webhook, error) {
	var read api.Webhook
	if err := p.get(ctx, fmt.Sprint("/v1/webhooks/", n), &read); err != nil {
		return nil, fmt.Errorf("webhook %d: %w", n, err)
	}
	if read.Body == nil {
		return nil, fmt.Errorf("webhook %d is no text, and only texts are sent", n)
	}
	w := &domain.Webhook{
		Provider: read.Provider, Source: read.Source, Event: read.Event, ContentType: read.ContentType,
		Body: []byte(*read.Body), ReceivedAt: read.ReceivedAt, StreamSequence: read.StreamSequence,
	}
	w.BodyDigest = domain.DigestBody(w.Body)
	if read.WebhookID != nil {
		w.ID = *read.WebhookID
	}
	if w.ContentType == "application/json" {
		w.ContentType = "" // the stream leaves out what nearly all have
	}
	return w, nil
}

type sentName struct {
	source string
	body   domain.Digest
}

// sequences holds every stored webhook to the requests that were sent.
func (j *judge) sequences() {
	sent, times := map[sentName]*attempt{}, map[sentName]int{}
	for _, a := range j.history.all() {
		name := sentName{a.source, a.body}
		if !a.forged {
			sent[name] = a
			times[name]++
		}
		if j.once && a.id != "" {
			times[name] = 1
		}
	}
	for _, w := range j.stream {
		name := sentName{w.Source, w.BodyDigest}
		a, ok := sent[name]
		times[name]--
		switch {
		case !ok:
			j.find(checkPhantom, "webhook %d was not sent, or not with a good signature", w.StreamSequence)
		case times[name] < 0:
			j.find(checkPhantom, "webhook %d is kept more often than it was sent", w.StreamSequence)
		case w.ID != a.id || w.Provider != a.source || w.ContentType != "":
			j.find(checkIdentity, "webhook %d has another id, provider or type than was sent", w.StreamSequence)
		}
	}
}

// answers holds every answer to the stream.
func (j *judge) answers() {
	newest := map[int]uint64{} // by client
	for _, a := range j.history.all() {
		switch n := a.answer.StreamSequence; {
		case !a.answered():
		case a.forged && a.answer.Status != 401 && !a.putOff():
			j.find(checkForged, "a forged webhook was answered with %d", a.answer.Status)
		case !a.stored():
		case n == 0 || n > uint64(len(j.stream)):
			j.find(checkLoss, "webhook %d was acknowledged, and the stream ends at %d", n, len(j.stream))
		case j.stream[n-1].BodyDigest != a.body || j.stream[n-1].Source != a.source:
			j.find(checkLoss, "webhook %d was acknowledged, and another one is in its place", n)
		case a.answer.Duplicate:
		case n <= newest[a.client]:
			j.find(checkOrder, "webhook %d was sent after %d was acknowledged", n, newest[a.client])
		default:
			newest[a.client] = n
		}
	}
}

// readModel holds the read model, which has come to the end of the stream, to what
// the stream comes to.
func (j *judge) readModel(ctx context.Context, p *program, projection api.Projection) {
	want := refer(j.stream)
	if projection.Counts != want.counts {
		j.find(checkCounts, "they are %+v, and should be %+v", projection.Counts, want.counts)
	}
	j.found = append(j.found, j.reads.found...)
	j.reads.found = nil
	for _, check := range []func(context.Context, *program, *reference) error{j.orders, tallies} {
		if err := check(ctx, p, want); err != nil {
			j.find(checkOrders, "%v", err)
		}
	}
	if err := errors.Join(rebuildsEqual(ctx, p), rebuildEqual(ctx, p)); err != nil {
		j.find(checkFresh, "%v", err)
	}
	if len(j.stream) > 0 {
		if err := sameChain(ctx, p, want, uint64(len(j.stream))); err != nil {
			j.find(checkChain, "%v", err)
		}
	}
}

// orders compares every order that the API gives with the reference's.
func (j *judge) orders(ctx context.Context, p *program, want *reference) error {
	known := 0
	for path := "/v1/orders?sort=created&limit=200"; path != ""; {
		var page api.OrderList
		if err := p.get(ctx, path, &page); err != nil {
			return err
		}
		for _, o := range page.Orders {
			known++
			if r := want.orders[orderName{o.Source, o.Key}]; r == nil || r.State() != o.State || r.Version != o.Version {
				return fmt.Errorf("an order of %s is not as its webhooks make it", o.Source)
			}
		}
		path = ""
		if page.NextCursor != nil {
			path = "/v1/orders?sort=created&limit=200&cursor=" + *page.NextCursor
		}
	}
	if known != len(want.orders) {
		return fmt.Errorf("there are %d, and should be %d", known, len(want.orders))
	}
	return nil
}

// tallies compares the counts of orders that the API gives with the reference's.
func tallies(ctx context.Context, p *program, want *reference) error {
	var stats api.Stats
	if err := p.get(ctx, "/v1/stats", &stats); err != nil {
		return err
	}
	have := map[domain.OrderTally]uint64{}
	for _, c := range stats.Orders {
		have[domain.OrderTally{Source: c.Source, State: c.State}] = c.Orders
	}
	counted := map[domain.OrderTally]uint64{}
	for _, o := range want.orders {
		counted[domain.OrderTally{Source: o.Source, State: o.State()}]++
	}
	if !maps.Equal(have, counted) {
		return fmt.Errorf("the tallies are %v, and the orders come to %v", have, counted)
	}
	return nil
}

// telling looks for what senders wrote where it may not be.
func (j *judge) telling(ctx context.Context, p *program) {
	metrics, _, err := p.raw(ctx, "GET", "/metrics", "")
	if err != nil || strings.Contains(string(metrics), canary) {
		j.find(checkSilent, "the metrics hold a sender's text, or cannot be read (%v)", err)
	}
}

// log looks at the log of a program that has ended.
func (j *judge) log(p *program) {
	if strings.Contains(p.logged.String(), canary) {
		j.find(checkSilent, "the log holds a sender's text")
	}
	if strings.Contains(p.logged.String(), "tallies were not those of its orders") {
		j.find(checkFresh, "its tallies had to be counted again at the start")
	}
}
