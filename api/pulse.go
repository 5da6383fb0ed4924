package api

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	// lookEvery is how often a Pulse looks, and lookWithin bounds one look.
	lookEvery  = time.Second
	lookWithin = 2 * time.Second
	// rateOver is the time over which the rate is taken.
	rateOver = 10 * time.Second
	// patience is how long the checkpoint may stand still while webhooks wait. The
	// projector commits many times a second; its first try after a failure comes
	// within 5 s.
	patience = 5 * time.Second
)

// Pulse watches whether the read model follows the stream. It takes nobody's word
// for it: it looks at the checkpoint that readers see and at the stream's own end,
// so that a projector that says it runs and does nothing is found out.
//
// A Pulse is safe for concurrent use.
type Pulse struct {
	model    ReadModel
	webhooks Webhooks
	now      func() time.Time
	metrics  pulseMetrics

	mu         sync.Mutex
	looks      []look    // of the last rateOver, the oldest first; none is below the one before
	checkpoint uint64    // when it was last seen
	followed   time.Time // when the read model was last seen to follow
}

// look is what one look saw.
type look struct {
	at         time.Time
	checkpoint uint64
	lag        *Lag // nil where it cannot be told
	nothing    bool // to follow
}

// NewPulse gives a Pulse that has not looked yet. A nil clock is time.Now, a nil
// registerer keeps no metrics.
func NewPulse(model ReadModel, webhooks Webhooks, now func() time.Time, registerer prometheus.Registerer) *Pulse {
	if now == nil {
		now = time.Now
	}
	p := &Pulse{model: model, webhooks: webhooks, now: now, followed: now()}
	p.metrics = newPulseMetrics(registerer, p)
	return p
}

// Run looks every second until ctx ends.
func (p *Pulse) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		p.Look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look looks once. A stream that does not answer gives the read model nothing to
// follow; a read model that cannot be read does not follow.
func (p *Pulse) Look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	checkpoint, err := p.model.Checkpoint(ctx)
	if err != nil {
		p.sawNothing()
		return
	}
	l := look{checkpoint: checkpoint.StreamSequence, nothing: true}
	info, err := p.webhooks.Info(ctx)
	p.metrics.stream(info, err == nil)
	if err == nil {
		l.lag = lagOf(ctx, p.webhooks, p.now(), checkpoint, info)
		l.nothing = l.lag != nil && l.lag.Webhooks == 0
	}
	l.at = p.now()
	p.saw(l)
}

func (p *Pulse) saw(l look) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.nothing || l.checkpoint != p.checkpoint {
		p.followed = l.at
	}
	if l.checkpoint < p.checkpoint { // another read model is in use
		p.looks = nil
	}
	p.checkpoint = l.checkpoint
	p.looks = append(p.looks, l)
	for l.at.Sub(p.looks[0].at) > rateOver {
		p.looks = p.looks[1:]
	}
	p.metrics.observe(l.lag)
}

func (p *Pulse) sawNothing() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looks = nil
	p.metrics.observe(nil)
}

// Lag is how far the read model was behind the stream at the last look; nil where
// that could not be told.
func (p *Pulse) Lag() *Lag {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.looks) == 0 {
		return nil
	}
	return p.looks[len(p.looks)-1].lag
}

// Rate is how many webhooks a second were applied over the last 10 seconds; 0 where
// nobody could see.
func (p *Pulse) Rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.looks) < 2 {
		return 0
	}
	first, last := p.looks[0], p.looks[len(p.looks)-1]
	return float64(last.checkpoint-first.checkpoint) / last.at.Sub(first.at).Seconds()
}

// Moving is false where for more than 5 seconds webhooks have waited while the
// checkpoint stood still, or it could not be read.
func (p *Pulse) Moving() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now().Sub(p.followed) <= patience
}

type pulseMetrics struct {
	lag, oldest, reachable, last, bytes, maxBytes prometheus.Gauge
}

func newPulseMetrics(registerer prometheus.Registerer, p *Pulse) pulseMetrics {
	if registerer == nil {
		registerer = prometheus.NewRegistry()
	}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		registerer.MustRegister(g)
		return g
	}
	asked := func(name, help string, ask func() float64) {
		registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, ask))
	}
	asked("ticketrail_read_model_webhooks_per_second", "Webhooks applied a second, over the last 10 seconds.", p.Rate)
	asked("ticketrail_read_model_moving", "0 where webhooks wait while the checkpoint stands still, or it cannot be read, else 1.",
		func() float64 { return oneIf(p.Moving()) })
	return pulseMetrics{
		lag:       gauge("ticketrail_read_model_lag_webhooks", "Webhooks of the stream that are not applied yet; NaN where that is not known."),
		oldest:    gauge("ticketrail_read_model_lag_seconds", "How long the oldest webhook that is not applied yet has been in the stream; 0 where there is none, NaN where it is not known."),
		reachable: gauge("ticketrail_stream_reachable", "1 where the stream answers, else 0."),
		last:      gauge("ticketrail_stream_last_sequence", "The last stream sequence, when the stream last answered."),
		bytes:     gauge("ticketrail_stream_bytes", "What the webhooks in the stream take on disk, when it last answered."),
		maxBytes:  gauge("ticketrail_stream_max_bytes", "What they may take before webhooks are refused; 0 where there is no limit."),
	}
}

func (m pulseMetrics) stream(info domain.StreamInfo, answers bool) {
	m.reachable.Set(oneIf(answers))
	if answers {
		m.last.Set(float64(info.Last))
		m.bytes.Set(float64(info.Bytes))
		m.maxBytes.Set(float64(info.MaxBytes))
	}
}

// observe takes nil for a lag that is not known.
func (m pulseMetrics) observe(lag *Lag) {
	webhooks, oldest := math.NaN(), math.NaN()
	if lag != nil {
		webhooks = float64(lag.Webhooks)
	}
	switch {
	case lag == nil:
	case lag.OldestSeconds != nil:
		oldest = *lag.OldestSeconds
	case lag.Webhooks == 0:
		oldest = 0
	}
	m.lag.Set(webhooks)
	m.oldest.Set(oldest)
}

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
