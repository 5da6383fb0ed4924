package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

const (
	// publishWithin bounds the wait for the acknowledgements of a batch, and for where the
	// stream ends.
	publishWithin = 5 * time.Second
	// The pauses between tries. There is no last try: a message that was given up comes
	// again, since nothing behind it may go before it.
	firstPause, longestPause = 100 * time.Millisecond, 5 * time.Second
	triesInARow              = 10
	// closeWithin bounds the wait for the batch in hand at the end.
	closeWithin = 500 * time.Millisecond
)

// Source gives the changes.
type Source interface {
	// Follow gives the changes after a stream sequence, in their order: next waits for
	// some. Who follows must leave.
	Follow(ctx context.Context, after uint64) (next func(context.Context) ([]Change, error), leave func(), err error)
}

// Config is what a Publisher is given. All but Replicas is required.
type Config struct {
	// Conn is a connection that the Publisher does not own.
	Conn   *nats.Conn
	Source Source
	// Newest gives the stream sequence after which a new stream begins.
	Newest func(context.Context) (uint64, error)
	// Log tells where the stream of webhooks ends.
	Log interface {
		Info(ctx context.Context) (domain.StreamInfo, error)
	}
	// MaxBytes, MaxAge and Replicas are those of the stream.
	MaxBytes   int64
	MaxAge     time.Duration
	Replicas   int
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Publisher publishes the changes of orders, from a Watermill subscriber of its own through
// a Watermill router, and alerts between them.
type Publisher struct {
	config    Config
	js        jetstream.JetStream
	alerts    chan domain.Alert
	published prometheus.Counter
	failures  prometheus.Counter
	alerted   *prometheus.CounterVec
	dropped   prometheus.Counter
	at        atomic.Uint64 // the last change that is on the stream

	complain, complainOfAlerts rate.Sometimes

	mu  sync.Mutex // held while something is stored: one message follows another
	end *end       // nil where it must be found out
}

// New gives a Publisher, and makes its stream, so that this has whatever changes from now
// on; where the broker does not answer, [Publisher.Run] makes it later. It panics if the
// Registerer holds metrics of the same names.
func New(ctx context.Context, config Config) (*Publisher, error) {
	config.Logger = cmp.Or(config.Logger, slog.New(slog.DiscardHandler))
	js, err := jetstream.New(config.Conn, jetstream.WithPublishAsyncTimeout(publishWithin))
	if err != nil {
		return nil, fmt.Errorf("publish changes: %w", err)
	}
	p := &Publisher{
		config: config, js: js, alerts: make(chan domain.Alert, mostAlerts),
		complain: rate.Sometimes{Interval: time.Minute}, complainOfAlerts: rate.Sometimes{Interval: time.Minute},
	}
	p.register()
	ctx, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	if err := p.locate(ctx); err != nil {
		p.failed(err)
	}
	return p, nil
}

// register makes the metrics.
func (p *Publisher) register() {
	p.published = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ticketrail_changes_published_total", Help: "Changes of orders that were published on the stream ORDERS.",
	})
	p.failures = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ticketrail_changes_publish_failures_total", Help: "Tries to publish changes of orders that failed, and are made again.",
	})
	p.alerted = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ticketrail_alerts_published_total", Help: "Alerts that were published on the stream ORDERS, by kind.",
	}, []string{"kind"})
	for kind := range alertTypes {
		p.alerted.WithLabelValues(string(kind))
	}
	p.dropped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ticketrail_alerts_dropped_total", Help: "Alerts that could not be published on the stream ORDERS, and never are.",
	})
	p.config.Registerer.MustRegister(p.published, p.failures, p.alerted, p.dropped, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ticketrail_changes_published_stream_sequence", Help: "The last change that is on the stream ORDERS, by its stream sequence.",
	}, func() float64 { return float64(p.at.Load()) }))
}

// Run publishes until ctx ends.
func (p *Publisher) Run(ctx context.Context) error {
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: closeWithin}, watermill.NopLogger{})
	if err != nil {
		return fmt.Errorf("publish changes: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var alerting sync.WaitGroup
	alerting.Go(func() { p.publishAlerts(ctx) })
	defer alerting.Wait()
	defer cancel()
	retry := middleware.Retry{
		MaxRetries: triesInARow, InitialInterval: firstPause, MaxInterval: longestPause, Multiplier: 2,
	}
	router.AddMiddleware(retry.Middleware, middleware.Recoverer) // a panic is tried again, too
	router.AddConsumerHandler("orders", Stream, &subscriber{publisher: p}, p.publish)
	if err := router.Run(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("publish changes: %w", err)
	}
	return nil
}

// publish publishes the changes of a message that the stream does not have. After an error
// it finds out what the stream has.
func (p *Publisher) publish(m *message.Message) error {
	ctx, cancel := context.WithTimeout(m.Context(), publishWithin)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	changes := changesOf(m)
	if p.end != nil && changes[0].StreamSequence <= p.end.change { // the read model is of another stream
		p.end = nil
	}
	err := p.locate(ctx)
	if err == nil {
		err = p.store(ctx, changes)
	}
	if err != nil && m.Context().Err() == nil {
		p.end = nil
		p.failed(err)
	}
	return err
}

func (p *Publisher) failed(err error) {
	p.failures.Inc()
	p.complain.Do(func() {
		p.config.Logger.Warn("changes of orders are not published now; they wait in the read model", "stream", Stream, "error", err)
	})
}

// locate finds out where the stream ends, where that is not known. Who runs holds mu.
func (p *Publisher) locate(ctx context.Context) error {
	if p.end != nil {
		return nil
	}
	found, err := p.find(ctx)
	if err != nil {
		return err
	}
	p.end = &found
	p.at.Store(found.change)
	return nil
}

// largest is how many bytes a message may have: what the broker takes, and no more than half
// of what the stream keeps.
func (p *Publisher) largest() int {
	return int(min(p.config.Conn.MaxPayload(), p.config.MaxBytes/2))
}

// store sends all changes before it waits for the first acknowledgement. Each is stored
// only as the next message of the stream, so that none gets before one that was lost; and
// behind the one that was sent before it: another program may have the place of that.
func (p *Publisher) store(ctx context.Context, changes []Change) error {
	var sent []jetstream.PubAckFuture
	var last []Change
	at, before := p.end.sequence, "" // the id of the change that was sent last
	for i := range changes {
		if changes[i].StreamSequence <= p.end.change {
			continue
		}
		m, err := changes[i].event(p.largest())
		if errors.Is(err, eventlog.ErrUnfit) {
			p.failed(err) // no source of ours is named so
			continue
		}
		expected := []jetstream.PublishOpt{jetstream.WithExpectStream(Stream), jetstream.WithExpectLastSequence(at)}
		if before != "" {
			expected = append(expected, jetstream.WithExpectLastMsgID(before))
		}
		ack, err := p.js.PublishMsgAsync(m, expected...)
		if err != nil {
			return fmt.Errorf("publish change %d: %w", changes[i].StreamSequence, err)
		}
		before = m.Header.Get(jetstream.MsgIDHeader)
		at++
		sent, last = append(sent, ack), append(last, changes[i])
	}
	for i, future := range sent {
		select {
		case ack := <-future.Ok():
			p.end.sequence, p.end.change = ack.Sequence, last[i].StreamSequence
			p.at.Store(p.end.change)
			p.published.Inc()
		case err := <-future.Err():
			return fmt.Errorf("publish change %d: %w", last[i].StreamSequence, err)
		case <-ctx.Done():
			return fmt.Errorf("publish change %d: %w", last[i].StreamSequence, context.Cause(ctx))
		}
	}
	return nil
}
