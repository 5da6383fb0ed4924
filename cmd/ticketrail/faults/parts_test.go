package faults_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

const (
	ingestCount, replicaCount = 2, 3
	// meanwhile is how many webhooks are taken while a part is gone.
	meanwhile = 30
)

// fleet is a program that runs apart, on a cluster of brokers of its own: some ingests, one
// that projects and acts, and some read replicas.
type fleet struct {
	*stage
	ingests  []*ingestPart
	project  *part
	replicas []*part
	paces    []*pace // of all lives of the ingests: they are looked at when the last one has ended
}

// part is a process of the fleet, with the folder that it has in each of its lives.
type part struct {
	*program
	command, data string
	copied        bool // it has begun with a copy of another one's read model
}

// ingestPart is a part with those who send to it.
type ingestPart struct {
	part
	senders *senders
	pace    *pace
}

// A program that runs apart loses any one of its processes, and all others go on: webhooks
// are taken, and each read model that is left follows. In the end none that was answered with
// 200 is lost, and all read models are the same.
func TestPartsApartLoseNothing(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	for n := range *apart {
		fault := partFaults[n%len(partFaults)]
		back := fault.strike(f)
		f.goOn()
		back()
		f.goOn()
		f.require(fault.name)
	}
	f.leave()
	require.Empty(t, f.found(), "seed %d", *seed)
}

// partFaults are the ways in which a part is lost, each until it is back.
var partFaults = []struct {
	name   string
	strike func(*fleet) (back func())
}{
	{"apart: kill -9 of an ingest", func(f *fleet) func() {
		i := f.ingests[f.random.IntN(ingestCount)]
		i.pace.kill()
		f.heed(&i.part)
		return func() { f.startIngest(i) }
	}},
	{"apart: kill -9 of project", func(f *fleet) func() { return f.killReader(f.project) }},
	{"apart: kill -9 of a replica", func(f *fleet) func() { return f.killReader(f.replicas[f.random.IntN(replicaCount)]) }},
	{"apart: a replica is lost with its folder, another one begins with a copy", func(f *fleet) func() {
		at := f.random.IntN(replicaCount)
		lost, other := f.replicas[at], f.replicas[(at+1)%replicaCount]
		_ = f.killReader(lost)
		require.NoError(f.t, os.RemoveAll(lost.data))
		return func() {
			f.startPart(lost, "--from", other.api)
			lost.copied = true
		}
	}},
	{"apart: kill -9 of the broker that leads", func(f *fleet) func() {
		n := f.cluster.leader()
		f.cluster.kill(n)
		return func() {
			f.cluster.start(n)
			f.cluster.awaitHealthy()
		}
	}},
}

func startFleet(t *testing.T) *fleet {
	t.Helper()
	random := rand.New(rand.NewPCG(*seed, 5))
	f := &fleet{stage: newStage(t, plainBinary, "", random).onCluster()}
	f.project = f.newPart("project")
	f.startPart(f.project)
	for n := range ingestCount {
		share := len(f.senders.clients) / ingestCount
		i := &ingestPart{part: *f.newPart("ingest"), senders: &senders{
			sources: f.senders.sources, history: f.senders.history, clients: f.senders.clients[n*share : (n+1)*share],
		}}
		f.ingests = append(f.ingests, i)
		f.startIngest(i)
	}
	for range replicaCount {
		r := f.newPart("api")
		f.replicas = append(f.replicas, r)
		f.startPart(r)
	}
	return f
}

func (f *fleet) newPart(command string) *part {
	return &part{command: command, data: filepath.Join(f.t.TempDir(), command)}
}

func (f *fleet) startPart(p *part, more ...string) {
	f.t.Helper()
	arguments := append([]string{p.command, "--config", f.config, "--data", p.data}, more...)
	var err error
	p.program, err = startCommand(f.t, f.binary, arguments, append(f.environment, "TICKETRAIL_INGEST_LISTEN=127.0.0.1:0")...)
	require.NoError(f.t, err)
}

func (f *fleet) startIngest(i *ingestPart) {
	f.t.Helper()
	f.startPart(&i.part)
	i.pace = i.senders.pace(i.program)
	f.paces = append(f.paces, i.pace)
}

// killReader kills a part that has a read model, and gives what starts it again.
func (f *fleet) killReader(p *part) (back func()) {
	p.kill()
	f.heed(p)
	return func() { f.startPart(p) }
}

// heed looks at what a part that has ended has said.
func (f *fleet) heed(p *part) {
	f.judge.log(p.program)
	if p.copied && !strings.Contains(p.logged.String(), "the read model begins with a copy") {
		f.judge.find(checkStart, "a replica did not begin with the copy that it was told of")
	}
	p.copied = false
}

// readers are the parts that have a read model.
func (f *fleet) readers() []*part { return append([]*part{f.project}, f.replicas...) }

// goOn requires that webhooks are taken, and that every read model that is there follows.
func (f *fleet) goOn() {
	f.t.Helper()
	goal := f.senders.history.acknowledged() + meanwhile
	require.True(f.t, await(patience, func() bool { return f.senders.history.acknowledged() >= goal }), "nothing is taken any more")
	last := f.senders.history.newest()
	for _, r := range f.readers() {
		if r.gone() {
			continue
		}
		var projection api.Projection
		if !await(f.judge.limit, func() bool {
			return r.get(context.Background(), "/v1/projection", &projection) == nil && projection.Checkpoint >= last
		}) {
			f.judge.find(checkFollows, "%s is at %d of %d", r.command, projection.Checkpoint, last)
		}
	}
}

// newest is the last stream sequence that a sender was told.
func (h *history) newest() (last uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.attempts {
		if a.stored() {
			last = max(last, a.answer.StreamSequence)
		}
	}
	return last
}

// leave ends the sending, has the judge look at each read model, and stops all parts.
func (f *fleet) leave() {
	f.t.Helper()
	for _, i := range f.ingests {
		i.pace.end()
	}
	for _, p := range f.paces {
		f.judge.manners(p)
	}
	f.judge.judge(context.Background(), f.project.program)
	for _, r := range f.replicas {
		f.judge.judgeReplica(context.Background(), r.program)
	}
	f.judge.published(f.cluster)
	for _, p := range append(f.readers(), &f.ingests[0].part, &f.ingests[1].part) {
		if err := p.stop(); err != nil {
			f.judge.find(checkStart, "%s does not stop well: %v", p.command, err)
		}
		f.heed(p)
	}
	f.cluster.end()
}

// judgeReplica holds the read model of one more program to the stream that was read already.
func (j *judge) judgeReplica(ctx context.Context, p *program) {
	var projection api.Projection
	if !await(j.limit, func() bool {
		return p.get(ctx, "/v1/projection", &projection) == nil && projection.Checkpoint == uint64(len(j.stream))
	}) {
		j.find(checkFollows, "a replica is at %d of %d", projection.Checkpoint, len(j.stream))
		return
	}
	j.readModel(ctx, p, projection)
	j.telling(ctx, p)
}

// published looks at the changes on the stream ORDERS: each is there once, in its order.
func (j *judge) published(c *cluster) {
	c.t.Helper()
	conn, err := nats.Connect("nats://" + c.servers[0].proxy.address())
	require.NoError(c.t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(c.t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stream, err := js.Stream(ctx, "ORDERS")
	require.NoError(c.t, err)
	before := uint64(0)
	for n := uint64(1); n <= stream.CachedInfo().State.LastSeq; n++ {
		m, err := stream.GetMsg(ctx, n)
		require.NoError(c.t, err)
		if m.Header.Get("ce-afterchange") != "" {
			continue // an alert
		}
		change, err := strconv.ParseUint(m.Header.Get("ce-id"), 10, 64)
		if err != nil || change <= before {
			j.find(checkOrder, "change %q is published after %d (%v)", m.Header.Get("ce-id"), before, err)
		}
		before = change
	}
	if before == 0 {
		j.find(checkFollows, "no change is published")
	}
}
