package api

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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

	mu       sync.Mutex
	looks    []look    // of the last rateOver, the oldest first
	followed time.Time // when the read model was last seen to follow
}

// look is what one look saw.
type look struct {
	at         time.Time
	checkpoint uint64
}

// NewPulse gives a Pulse that has not looked yet. A nil clock is time.Now, a nil
// registerer keeps no metrics.
func NewPulse(model ReadModel, webhooks Webhooks, now func() time.Time, registerer prometheus.Registerer) *Pulse {
	if now == nil {
		now = time.Now
	}
	return &Pulse{model: model, webhooks: webhooks, now: now, metrics: newPulseMetrics(registerer), followed: now()}
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

// Look looks once. What cannot be seen decides nothing: a stream that does not
// answer gives the read model nothing to follow.
func (p *Pulse) Look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	checkpoint, err := p.model.Checkpoint(ctx)
	if err != nil {
		return
	}
	at := checkpoint.StreamSequence
	lag := &Lag{}
	info, err := p.webhooks.Info(ctx)
	if err == nil {
		lag = lagOf(ctx, p.webhooks, p.now(), checkpoint, info)
		p.metrics.bytes.Set(float64(info.Bytes))
		p.metrics.maxBytes.Set(float64(info.MaxBytes))
	}
	p.saw(look{p.now(), at}, lag)
	if lag != nil {
		p.metrics.observe(*lag)
	}
	p.metrics.follow(p.Rate(), p.Moving())
}

// saw notes a look; lag is nil where the read model cannot follow the stream.
func (p *Pulse) saw(l look, lag *Lag) {
	p.mu.Lock()
	defer p.mu.Unlock()
	moved := len(p.looks) > 0 && p.looks[len(p.looks)-1].checkpoint != l.checkpoint
	if moved || lag != nil && lag.Webhooks == 0 {
		p.followed = l.at
	}
	p.looks = append(p.looks, l)
	for l.at.Sub(p.looks[0].at) > rateOver {
		p.looks = p.looks[1:]
	}
}

// Rate is how many webhooks a second were applied over the last 10 seconds.
func (p *Pulse) Rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.looks) < 2 {
		return 0
	}
	first, last := p.looks[0], p.looks[len(p.looks)-1]
	if last.checkpoint <= first.checkpoint {
		return 0
	}
	return float64(last.checkpoint-first.checkpoint) / last.at.Sub(first.at).Seconds()
}

// Moving is false where webhooks have waited for more than 5 seconds while the
// checkpoint stood still.
func (p *Pulse) Moving() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.looks) == 0 || p.looks[len(p.looks)-1].at.Sub(p.followed) <= patience
}

type pulseMetrics struct {
	lag, oldest, rate, moving, bytes, maxBytes prometheus.Gauge
}

func newPulseMetrics(registerer prometheus.Registerer) pulseMetrics {
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		if registerer != nil {
			registerer.MustRegister(g)
		}
		return g
	}
	return pulseMetrics{
		lag:      gauge("ticketrail_read_model_lag_webhooks", "Webhooks of the stream that are not applied yet."),
		oldest:   gauge("ticketrail_read_model_lag_seconds", "Age of the oldest webhook that is not applied yet; 0 where there is none."),
		rate:     gauge("ticketrail_read_model_webhooks_per_second", "Webhooks applied a second, over the last 10 seconds."),
		moving:   gauge("ticketrail_read_model_moving", "0 where webhooks wait while the checkpoint stands still, else 1."),
		bytes:    gauge("ticketrail_stream_bytes", "What the webhooks in the stream take on disk."),
		maxBytes: gauge("ticketrail_stream_max_bytes", "What they may take before webhooks are refused; 0 where there is no limit."),
	}
}

func (m pulseMetrics) observe(lag Lag) {
	m.lag.Set(float64(lag.Webhooks))
	m.oldest.Set(0)
	if lag.OldestSeconds != nil {
		m.oldest.Set(*lag.OldestSeconds)
	}
}

func (m pulseMetrics) follow(rate float64, moving bool) {
	m.rate.Set(rate)
	m.moving.Set(map[bool]float64{true: 1}[moving])
}
