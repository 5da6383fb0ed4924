package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// A fault lasts for so long: some outlast the election of another leader, which
	// takes up to 9 seconds. One under which nothing can be taken is shorter.
	shortest, longest, longestTotal = time.Second, 12 * time.Second, 4 * time.Second
	// slowBy is the most that each chunk waits on a slow connection.
	slowBy = 250 * time.Millisecond
	// before and after are how many webhooks are taken before a fault and after it.
	before, after = 20, 40
	// courseLength is how long a fault of a seeded bug lasts: longer than a publisher
	// waits, and than a connection is believed without an answer.
	courseLength = 8 * time.Second
	// killEvery says that in one of so many faults the program is killed as well.
	killEvery, killedMeanwhile = 7, "kill -9 during any of them"
)

var (
	errShort = errors.New("it takes a minute, and -short is set")
	errLimps = errors.New("a NATS server does not catch up with the others, although it was started again")
)

// brokerFault is something that happens to a cluster, until it is healed.
type brokerFault struct {
	name   string
	total  bool // nothing can be taken meanwhile
	strike func(*stage) (heal func())
}

var brokerFaults = []brokerFault{
	{"leader killed", false, func(s *stage) func() {
		n := s.cluster.leader()
		s.cluster.kill(n)
		return func() { s.cluster.start(n) }
	}},
	{"leader paused", false, func(s *stage) func() { return s.cluster.pause(s.cluster.leader()) }},
	{"connections cut", true, func(s *stage) func() { return each(s.cluster.clientProxies(), (*proxy).cut) }},
	{"rolling restart", false, func(s *stage) func() {
		for _, i := range s.random.Perm(serverCount) {
			s.cluster.stop(s.cluster.servers[i])
			s.cluster.start(s.cluster.servers[i])
			s.cluster.awaitHealthy()
		}
		return func() {}
	}},
	{"follower paused", false, func(s *stage) func() { return s.cluster.pause(s.cluster.follower(s.random)) }},
	{"follower killed", false, func(s *stage) func() {
		n := s.cluster.follower(s.random)
		s.cluster.kill(n)
		return func() { s.cluster.start(n) }
	}},
	{"connections held", true, func(s *stage) func() { return each(s.cluster.clientProxies(), (*proxy).hold) }},
	{"answers held", true, func(s *stage) func() { return each(s.cluster.clientProxies(), (*proxy).holdAnswers) }},
	{"connections held, large webhooks", true, func(s *stage) func() {
		heal := each(s.cluster.clientProxies(), (*proxy).hold)
		s.senders.large.Store(true)
		return func() {
			s.senders.large.Store(false)
			heal()
		}
	}},
	{"connections to one server cut", false, func(s *stage) func() {
		return each([]*proxy{s.cluster.any(s.random).proxy}, (*proxy).cut)
	}},
	{"connections to one server held", false, func(s *stage) func() {
		return each([]*proxy{s.cluster.any(s.random).proxy}, (*proxy).hold)
	}},
	{"connections slow", false, func(s *stage) func() {
		return each(s.cluster.clientProxies(), slowly(s.random))
	}},
	{"routes of the leader cut", false, func(s *stage) func() {
		return each(s.cluster.routesOf(s.cluster.leader()), (*proxy).cut)
	}},
	{"routes of the leader held", false, func(s *stage) func() {
		return each(s.cluster.routesOf(s.cluster.leader()), (*proxy).hold)
	}},
	{"routes of a follower cut", false, func(s *stage) func() {
		return each(s.cluster.routesOf(s.cluster.follower(s.random)), (*proxy).cut)
	}},
	{"routes of a server slow", false, func(s *stage) func() {
		return each(s.cluster.routesOf(s.cluster.any(s.random)), slowly(s.random))
	}},
}

// pause stops a server as a machine does that stands still.
func (c *cluster) pause(n *natsServer) (heal func()) {
	c.signal(n, syscall.SIGSTOP)
	return func() { c.signal(n, syscall.SIGCONT) }
}

func (c *cluster) any(random *rand.Rand) *natsServer { return c.servers[random.IntN(serverCount)] }

func (c *cluster) follower(random *rand.Rand) *natsServer {
	return c.servers[(c.leader().number+1+random.IntN(serverCount-1))%serverCount]
}

// each does something to each of the proxies.
func each(proxies []*proxy, act func(*proxy)) (heal func()) {
	for _, p := range proxies {
		act(p)
	}
	return func() {
		for _, p := range proxies {
			p.heal()
		}
	}
}

func slowly(random *rand.Rand) func(*proxy) {
	delay := time.Duration(1 + random.Int64N(int64(slowBy)))
	return func(p *proxy) { p.slow(delay) }
}

// lasts gives for how long a fault lasts: mostly for a few seconds.
func (f *brokerFault) lasts(random *rand.Rand) time.Duration {
	most := longest
	if f.total {
		most = longestTotal
	}
	share := random.Float64()
	return shortest + time.Duration(share*share*float64(most-shortest))
}

// Whatever happens to a cluster of brokers and to the connections with and within it,
// every sender is answered, no webhook that was answered with 200 is lost or
// has two effects, and it goes on by itself.
func TestBrokerFaultsLoseNothing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 4))
	turns := random.Perm(len(brokerFaults))
	for from := 0; from < *brokers; from += lives {
		t.Run(fmt.Sprint("from ", from), func(t *testing.T) {
			s := newStage(t, plainBinary, "", random).onCluster()
			p := s.start()
			require.NotNil(t, p, "%v", s.judge.found)
			for n := from; n < min(from+lives, *brokers) && !s.cluster.limps; n++ {
				f := brokerFaults[turns[n%len(turns)]]
				if n%killEvery == killEvery/2 {
					p = s.outlast(p, f)
				} else {
					s.endure(p, f, f.lasts(random))
				}
			}
			if s.cluster.limps {
				results.skip(t.Name()+", the rest of it", errLimps)
			}
			s.leave(p)
			require.Empty(t, s.found(), "seed %d", *seed)
		})
	}
}

// courseBroker has one fault happen to the brokers, which absorb every repetition of an id.
func courseBroker(fault string) course {
	return func(s *stage) {
		s.t.Helper()
		s.onCluster()
		s.environment, s.judge.once = append(s.environment, "TICKETRAIL_STREAM_DUPLICATE_WINDOW=1h"), true
		p := s.start()
		if p == nil {
			return
		}
		i := slices.IndexFunc(brokerFaults, func(f brokerFault) bool { return f.name == fault })
		s.send(p, brokerFaults[i], courseLength)
		s.judge.judge(context.Background(), p)
		s.leave(p)
	}
}

// onCluster has the programs here use a cluster of brokers.
func (s *stage) onCluster() *stage {
	s.t.Helper()
	if testing.Short() {
		results.skip(s.t.Name(), errShort)
		s.t.Skip(errShort)
	}
	s.senders = newSenders(s.senders.sources, s.random.Uint64(), paceSize)
	s.judge.history = s.senders.history
	s.cluster = startCluster(s.t)
	s.environment = s.cluster.environment()
	if s.random.IntN(2) == 0 { // the broker is to see repetitions too
		s.environment = append(s.environment, "TICKETRAIL_STREAM_DUPLICATE_WINDOW=2m")
	}
	return s
}

// endure has a program go through a fault under load, and the judge look at it.
func (s *stage) endure(p *program, f brokerFault, length time.Duration) {
	s.t.Helper()
	s.settle(p, f.name, s.send(p, f, length))
}

// send sends through a fault and beyond it, and gives for how long nothing was taken.
func (s *stage) send(p *program, f brokerFault, length time.Duration) (unavailable time.Duration) {
	s.t.Helper()
	endReads := s.judge.reads.watch(p)
	defer endReads()
	pace := s.senders.pace(p)
	s.more(p, before)
	since := time.Now()
	heal := f.strike(s)
	pause(length)
	if f.total {
		s.mustTell(p, false)
		since = time.Now() // that nothing was taken before is no news
	}
	heal()
	return s.recover(p, pace, since)
}

// recover sends until all is well again, and gives for how long nothing was taken since
// a point in time.
func (s *stage) recover(p *program, pace *pace, since time.Time) (unavailable time.Duration) {
	s.t.Helper()
	s.cluster.awaitHealthy()
	s.more(p, after)
	pace.end()
	s.mustTell(p, true)
	s.judge.manners(pace)
	return s.senders.history.unavailable(since)
}

// settle has the judge look, and notes what came of a fault.
func (s *stage) settle(p *program, fault string, unavailable time.Duration) {
	s.t.Helper()
	results.unavailable(fault, unavailable)
	s.judge.judge(context.Background(), p)
	s.require(fault)
}

// mustTell requires that a program comes to tell whether it is ready for webhooks.
func (s *stage) mustTell(p *program, ready bool) {
	s.t.Helper()
	if !await(s.judge.limit, func() bool { return (p.ready() == http.StatusOK) == ready }) {
		s.judge.find(checkReady, "it does not come to say %t", ready)
	}
}

// outlast kills a program during a fault, and gives the one that takes its place as
// soon as the brokers let it.
func (s *stage) outlast(p *program, f brokerFault) *program {
	s.t.Helper()
	pace := s.senders.pace(p)
	s.more(p, before)
	heal := f.strike(s)
	pause(f.lasts(s.random) / 2)
	struck := time.Now()
	pace.kill()
	s.judge.manners(pace)
	s.judge.log(p)
	heal()
	var err error
	require.True(s.t, await(patience, func() bool {
		p, err = s.tryStart()
		return err == nil
	}), "%v", err)
	s.settle(p, killedMeanwhile, s.recover(p, s.senders.pace(p), struck))
	return p
}

// leave stops a program, and has the judge look at what it has said.
func (s *stage) leave(p *program) {
	s.t.Helper()
	if err := p.stop(); err != nil && s.bug == "" {
		s.judge.find(checkStart, "it does not stop well: %v", err)
	}
	s.judge.log(p)
	for line := range strings.Lines(p.logged.String()) {
		if strings.Contains(line, "the projector stopped") {
			s.judge.find(checkFollows, "it stopped: %s", line)
		}
	}
	s.cluster.end()
}
