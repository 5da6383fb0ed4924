package projector

import (
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
	// Reason says why it does not run, or what it is trying again; empty while all
	// is well. Hint says what to do about it, where somebody must act.
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
}

type metrics struct {
	webhooks         *prometheus.CounterVec
	checkpoint, last prometheus.Gauge
	running          prometheus.Gauge
	batch            prometheus.Histogram
}

func newStatus(now func() time.Time, registerer prometheus.Registerer) *status {
	s := &status{now: now, metrics: metrics{
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
	return s
}

func (s *status) get() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
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
		now.Running, now.Hint = true, ""
		now.Checkpoint, now.Last = max(now.Checkpoint, c.StreamSequence), max(now.Last, info.Last)
		if now.Checkpoint == now.Last {
			now.Reason, now.FailingSince = "", time.Time{}
		}
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
	s.metrics.webhooks.WithLabelValues("applied").Add(float64(is.Applied - was.Applied))
	s.metrics.webhooks.WithLabelValues("duplicate").Add(float64(is.Duplicate - was.Duplicate))
	s.metrics.webhooks.WithLabelValues("not_about_order").Add(float64(is.NotAboutOrder - was.NotAboutOrder))
	s.metrics.webhooks.WithLabelValues("quarantined").Add(float64(is.Quarantined - was.Quarantined))
	s.change(func(now *Status) {
		now.Checkpoint = b.Checkpoint.StreamSequence
		now.Last = max(now.Last, now.Checkpoint)
		now.CommittedAt = s.now()
		now.Reason, now.FailingSince = "", time.Time{}
	})
}

// failing notes an error that will pass.
func (s *status) failing(err error) {
	s.change(func(now *Status) { now.Reason = err.Error() })
}

// retrying notes an error that is being tried again, and since when it has been no
// accident any more.
func (s *status) retrying(err error, failingSince time.Time) {
	s.change(func(now *Status) { now.Reason, now.FailingSince = err.Error(), failingSince })
}

func (s *status) stopped(stop *StopError) {
	s.change(func(now *Status) {
		now.Running, now.Reason, now.Hint, now.FailingSince = false, stop.Error(), stop.Hint, time.Time{}
	})
}

func (s *status) ended() {
	s.change(func(now *Status) {
		now.Running, now.Reason, now.FailingSince = false, "it was told to end", time.Time{}
	})
}
