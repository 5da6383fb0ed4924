package api

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	// watchEvery is how often a Watcher looks, and watchWithin bounds one look.
	watchEvery  = 5 * time.Second
	watchWithin = 5 * time.Second
	// mayLag is how long webhooks may wait for the read model before a Watcher no longer
	// believes it: what an order waits for may be among them.
	mayLag = 5 * time.Second
)

// Alerts takes what a Watcher sees. It must not keep it waiting. Each alert comes once in
// the life of a Watcher, so again after a restart if it still holds.
type Alerts interface {
	Alert(ctx context.Context, a domain.Alert)
}

// WatcherConfig is what a Watcher needs beside the read model. The zero value watches
// nothing.
type WatcherConfig struct {
	// Limits are those of the time in a state; nil for none.
	Limits *domain.Limits
	// Sources are the names of those that may be silent.
	Sources []string
	// Pulse tells whether the read model follows the stream. Nil: it is believed to.
	Pulse *Pulse
	// Alerts takes what is seen. Nil: only the log and the metrics do.
	Alerts Alerts
	// Now is the clock, Logger takes a line for each alert, and Registerer the metrics;
	// time.Now and none where nil.
	Now        func() time.Time
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Watcher looks every few seconds which orders are late and which sources are silent. It
// tells nothing while the read model is behind the stream, or the stream does not answer.
//
// A Watcher is safe for concurrent use, but for Look and Run, of which one may go on.
type Watcher struct {
	model   ReadModel
	config  WatcherConfig
	log     *slog.Logger
	metrics watcherMetrics
	failed  rate.Sometimes

	looked    time.Time // when it last saw which orders are late; zero before
	late      map[domain.OrderTally]uint64
	listening time.Time // since when webhooks have been taken without a break that was seen

	mu      sync.Mutex
	sources map[string]heardSource
}

// heardSource is what is known of a source.
type heardSource struct {
	last    int64 // the minute of its last webhook, since the Unix epoch
	silence *domain.Silence
}

// NewWatcher gives a Watcher that has not looked yet.
func NewWatcher(model ReadModel, config WatcherConfig) *Watcher {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Limits == nil {
		config.Limits = &domain.Limits{}
	}
	return &Watcher{
		model:     model,
		config:    config,
		log:       cmp.Or(config.Logger, slog.New(slog.DiscardHandler)),
		metrics:   newWatcherMetrics(config.Registerer),
		failed:    rate.Sometimes{Interval: time.Minute},
		late:      map[domain.OrderTally]uint64{},
		listening: config.Now(),
		sources:   map[string]heardSource{},
	}
}

// Run looks every few seconds until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		w.Look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look looks once.
func (w *Watcher) Look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, watchWithin)
	defer cancel()
	now := w.config.Now()
	if !w.follows() {
		w.listening = now
		return
	}
	err := w.lookForLate(ctx, now)
	if err == nil {
		err = w.listen(ctx, now)
	}
	if err != nil && ctx.Err() == nil {
		w.failed.Do(func() {
			w.log.WarnContext(ctx, "not seen which orders are late and which sources are silent", "error", err)
		})
	}
}

// follows tells whether the read model has about all that came.
func (w *Watcher) follows() bool {
	if w.config.Pulse == nil {
		return true
	}
	lag := w.config.Pulse.Lag()
	return lag != nil && (lag.OldestSeconds == nil || *lag.OldestSeconds < mayLag.Seconds())
}

// lookForLate tells which orders became late since the last look. A webhook that was
// applied only now may have made an order late long ago, which the number of late orders
// shows.
func (w *Watcher) lookForLate(ctx context.Context, now time.Time) error {
	late, err := w.model.Late(ctx, &domain.Lateness{Limits: w.config.Limits, At: now}, w.looked)
	if err != nil {
		return err
	}
	before, counted, alerts := w.late, map[domain.OrderTally]uint64{}, []domain.Alert{}
	for _, c := range late.Counts {
		counted[c.OrderTally] = c.Orders
		became := c.Became
		if known := before[c.OrderTally]; c.Orders > known {
			became = max(became, c.Orders-known)
		}
		if became == 0 {
			continue
		}
		alert := domain.Alert{
			Kind: domain.AlertLate, Source: c.Source, At: now, State: c.State, Orders: became, Limit: w.config.Limits.Of(c.Source, c.State),
		}
		if alert.Keys, err = w.lateKeys(ctx, &alert, c.Became == became); err != nil {
			return err
		}
		alerts = append(alerts, alert)
	}
	w.looked, w.late = now, counted
	for _, a := range alerts {
		w.log.WarnContext(ctx, "orders are late", "source", a.Source, "state", a.State.String(), "orders", a.Orders,
			"late", counted[domain.OrderTally{Source: a.Source, State: a.State}])
		w.alert(ctx, a)
	}
	w.metrics.counted(before, counted)
	return nil
}

// lateKeys gives the keys of the orders that an alert is about: of those that became late since
// the last look, or of all that are late where some were so before they could be seen.
func (w *Watcher) lateKeys(ctx context.Context, a *domain.Alert, became bool) (keys []string, err error) {
	q := domain.OrderQuery{
		Source: a.Source, States: []domain.State{a.State}, Late: &domain.Lateness{Limits: w.config.Limits, At: a.At},
		Sort: domain.SortSince, Limit: int(min(a.Orders, domain.MostAlertKeys)),
	}
	if became && !w.looked.IsZero() {
		q.After = domain.OrderPosition{Since: uint64(w.looked.Add(-a.Limit).UnixNano()), Number: math.MaxInt64}
	}
	orders, err := w.model.Orders(ctx, q)
	for _, o := range orders {
		keys = append(keys, o.Key)
	}
	return keys, err
}

// listen tells which sources have fallen silent since the last look, and which are heard
// again.
func (w *Watcher) listen(ctx context.Context, now time.Time) error {
	heard, err := w.model.Heard(ctx, now.Add(-domain.HeardSince))
	if err != nil {
		return err
	}
	known := map[string]domain.Heard{}
	for _, h := range heard {
		known[h.Source] = h
	}
	for _, name := range w.config.Sources {
		h, ok := known[name]
		if !ok {
			continue // there is nothing to compare with
		}
		missed, err := w.missed(ctx, &h, now)
		if err != nil {
			return err
		}
		w.judge(ctx, &h, missed, now)
	}
	return nil
}

// missed gives how many orders should have begun while the source was quiet.
func (w *Watcher) missed(ctx context.Context, h *domain.Heard, now time.Time) (uint64, error) {
	quiet, ok := h.Quiet(now, w.listening)
	if !ok {
		return 0, nil
	}
	begun, err := w.model.BegunIn(ctx, h.Before(quiet))
	return domain.MissedOrders(begun), err
}

// judge compares with what was known of a source. One that is silent is so until it is heard.
func (w *Watcher) judge(ctx context.Context, h *domain.Heard, missed uint64, now time.Time) {
	since := time.Unix(h.Last*60, 0).UTC()
	w.mu.Lock()
	was := w.sources[h.Source]
	is := heardSource{last: h.Last, silence: was.silence}
	switch {
	case was.silence != nil && h.Last > was.last:
		is.silence = nil
	case domain.IsSilence(missed):
		is.silence = &domain.Silence{Source: h.Source, Since: since, Missed: missed}
	}
	w.sources[h.Source] = is
	w.mu.Unlock()

	w.metrics.heard(h, is.silence != nil)
	switch {
	case was.silence == nil && is.silence != nil:
		w.log.WarnContext(ctx, "a source is silent", "source", h.Source, "last_heard", since, "missed_orders", missed)
		w.alert(ctx, domain.Alert{Kind: domain.AlertSilent, Source: h.Source, At: now, Orders: missed, Since: since})
	case was.silence != nil && is.silence == nil:
		w.log.InfoContext(ctx, "a source is heard again", "source", h.Source, "silent_since", was.silence.Since)
		w.alert(ctx, domain.Alert{Kind: domain.AlertHeard, Source: h.Source, At: now, Since: was.silence.Since})
	}
}

func (w *Watcher) alert(ctx context.Context, a domain.Alert) {
	if w.config.Alerts != nil {
		w.config.Alerts.Alert(ctx, a)
	}
}

// source gives when a source was last heard, to the minute and as of the last look, and its
// silence; zero and nil where there is none, or nobody watches.
func (w *Watcher) source(name string) (last domain.Instant, silence *domain.Silence) {
	if w == nil {
		return last, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	known, ok := w.sources[name]
	if ok {
		last = instantOf(known.last * 60)
	}
	return last, known.silence
}

type watcherMetrics struct {
	late           *prometheus.GaugeVec
	silent, lastAt *prometheus.GaugeVec
}

func newWatcherMetrics(registerer prometheus.Registerer) watcherMetrics {
	if registerer == nil {
		registerer = prometheus.NewRegistry()
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		registerer.MustRegister(g)
		return g
	}
	return watcherMetrics{
		late:   gauge("ticketrail_late_orders", "Orders that have been in their state for longer than its limit, by source and state.", "source", "state"),
		silent: gauge("ticketrail_source_silent", "1 where nothing comes from the source although by the days before it should, else 0.", "source"),
		lastAt: gauge("ticketrail_source_last_webhook_timestamp_seconds", "When the last webhook of the source came, to the minute.", "source"),
	}
}

// counted shows how many orders are late, and 0 where some were.
func (m watcherMetrics) counted(before, now map[domain.OrderTally]uint64) {
	for of := range before {
		m.late.WithLabelValues(of.Source, of.State.String()).Set(0)
	}
	for of, orders := range now {
		m.late.WithLabelValues(of.Source, of.State.String()).Set(float64(orders))
	}
}

func (m watcherMetrics) heard(h *domain.Heard, silent bool) {
	m.silent.WithLabelValues(h.Source).Set(oneIf(silent))
	m.lastAt.WithLabelValues(h.Source).Set(float64(h.Last * 60))
}
