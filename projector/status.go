package projector

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ticketrail/ticketrail/domain"
)

// Status is how a projector is doing.
type Status struct {
	// Running is false before the first look at the stream, after a StopError and
	// after the end.
	Running bool
	// Reason says why it does not run, what it is trying again, or what takes it long
	// while webhooks wait; empty while all is well. Hint says what to do about it,
	// where somebody must act.
	Reason, Hint string
	// FailingSince is when what is being tried again first failed, where it has
	// failed three times in a row by now and it is not the broker that is away;
	// zero while all is well.
	FailingSince time.Time
	// Checkpoint and Last are stream sequences: the last one committed, and the
	// last one of the stream when it was last looked at.
	Checkpoint, Last uint64
	// CommittedAt is when the last batch was committed; zero before any.
	CommittedAt time.Time
}

// status is a Status that many may ask for and the projector alone changes.
type status struct {
	now     func() time.Time
	metrics metrics
	mu      sync.Mutex
	current Status
	unseen  error // why the last look at the stream saw nothing; nil where it saw it
	// projecting and reading are what the projector is at, and its reader, which is a
	// batch ahead.
	projecting, reading task
}

// longStep is when a step that webhooks wait for is told of: most take milliseconds.
const longStep = 3 * time.Second

const hintLong = "if it lasts, restart ticketrail, and report at which webhook it hangs"

type metrics struct {
	webhooks         *prometheus.CounterVec
	checkpoint, last prometheus.Gauge
	running          prometheus.Gauge
	batch            prometheus.Histogram
}

func newStatus(now func() time.Time, registerer prometheus.Registerer) *status {
	s := &status{now: now, projecting: task{now: now}, reading: task{now: now}, metrics: metrics{
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ticketrail_projector_webhooks_total",
			Help: "Webhooks that the projector committed, by what became of them.",
		}, []string{"result"}),
		checkpoint: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ticketrail_projector_checkpoint_sequence",
			Help: "Last stream sequence whose effects are committed.",
		}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ticketrail_projector_stream_last_sequence",
			Help: "Last stream sequence of the stream, when it was last looked at.",
		}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ticketrail_projector_running",
			Help: "1 while the projector runs, 0 after it stopped.",
		}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "ticketrail_projector_batch_webhooks",
			Help:    "Webhooks in one commit.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 7),
		}),
	}}
	m := &s.metrics
	registerer.MustRegister(m.webhooks, m.checkpoint, m.last, m.running, m.batch)
	m.add(domain.Counts{}) // from the start on, so that the first one of its kind is an increase
	return s
}

func (m *metrics) add(c domain.Counts) {
	m.webhooks.WithLabelValues("applied").Add(float64(c.Applied))
	m.webhooks.WithLabelValues("duplicate").Add(float64(c.Duplicate))
	m.webhooks.WithLabelValues("not_about_order").Add(float64(c.NotAboutOrder))
	m.webhooks.WithLabelValues("quarantined").Add(float64(c.Quarantined))
}

func (s *status) get() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.current
	switch {
	case !now.Running || now.Reason != "":
	case s.unseen != nil:
		now.Reason, now.Hint = s.unseen.Error(), hintOf(s.unseen)
	case now.Checkpoint < now.Last:
		if slow := s.slowest(); s.now().Sub(slow.since) > longStep {
			now.Reason = fmt.Sprintf("it has been %s stream sequence %d since %s",
				slow.doing, slow.streamSequence, slow.since.UTC().Format(time.RFC3339))
			now.Hint = hintLong
		}
	}
	return now
}

// slowest gives the step that holds up all others: while the projector waits for a
// webhook that the reader works on, it is the reader's.
func (s *status) slowest() step {
	projecting, reading := s.projecting.at(), s.reading.at()
	if projecting.doing == waitingFor && reading.doing == workingOn {
		return reading
	}
	return projecting
}

func (s *status) change(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.current)
	s.metrics.running.Set(map[bool]float64{true: 1}[s.current.Running])
	s.metrics.checkpoint.Set(float64(s.current.Checkpoint))
	s.metrics.last.Set(float64(s.current.Last))
}

// saw notes a look at the stream that found nothing wrong. What was failing is
// well again when the projector has caught up, or at its next commit.
func (s *status) saw(info domain.StreamInfo, c domain.Checkpoint) {
	s.change(func(now *Status) {
		s.unseen = nil
		now.Checkpoint = max(now.Checkpoint, c.StreamSequence)
		now.Last = max(now.Checkpoint, info.Last) // lower than before where a backup was put back
		if !now.Running || now.Checkpoint == now.Last {
			now.Reason, now.Hint, now.FailingSince = "", "", time.Time{}
		}
		if now.Checkpoint == now.Last { // what comes next has not waited yet
			s.projecting.beginsNow()
		}
		now.Running = true
	})
}

// replaced notes that another read model may be in use, at its own checkpoint and
// perhaps of another stream.
func (s *status) replaced(c domain.Checkpoint) {
	s.change(func(now *Status) { now.Checkpoint, now.Last = c.StreamSequence, c.StreamSequence })
}

func (s *status) committed(b *domain.Batch, before domain.Checkpoint) {
	was, is := before.Counts, b.Checkpoint.Counts
	s.metrics.batch.Observe(float64(is.Sum() - was.Sum()))
	s.metrics.add(domain.Counts{
		Applied: is.Applied - was.Applied, Duplicate: is.Duplicate - was.Duplicate,
		NotAboutOrder: is.NotAboutOrder - was.NotAboutOrder, Quarantined: is.Quarantined - was.Quarantined,
	})
	s.change(func(now *Status) {
		now.Checkpoint = b.Checkpoint.StreamSequence
		now.Last = max(now.Last, now.Checkpoint)
		now.CommittedAt = s.now()
		now.Reason, now.Hint, now.FailingSince = "", "", time.Time{}
	})
}

// unseeing notes why a look at the stream saw nothing. The next one that sees it
// makes up for that.
func (s *status) unseeing(err error) {
	s.change(func(*Status) { s.unseen = err })
}

// retrying notes an error that is being tried again, and since when it has been no
// accident any more.
func (s *status) retrying(err error, failingSince time.Time) {
	if ofBroker(err) {
		s.unseeing(err)
		return
	}
	s.change(func(now *Status) { now.Reason, now.Hint, now.FailingSince = err.Error(), hintOf(err), failingSince })
}

// hintOf gives what an error says can be done about it, empty where it does not say.
func hintOf(err error) string {
	if mendable, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		return mendable.Hint()
	}
	return ""
}

func (s *status) stopped(stop *StopError) {
	s.change(func(now *Status) {
		now.Running, now.Reason, now.Hint, now.FailingSince = false, stop.Error(), stop.Hint, time.Time{}
	})
}

func (s *status) ended() {
	s.change(func(now *Status) {
		now.Running, now.Reason, now.Hint, now.FailingSince = false, "it was told to end", "", time.Time{}
	})
}
