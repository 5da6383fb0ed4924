package projector

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

const (
	// maxBatch bounds a batch, in webhooks. Far below it a commit's own cost is
	// already spread thin; above it a batch only takes more memory.
	maxBatch = 4096
	// checkEvery is how often the guard looks at the stream while the projector
	// runs, and how old the tail that Status gives may be.
	checkEvery = time.Second
)

// Config is what a projector is given. The zero value of each field is usable.
type Config struct {
	// Providers are the providers to translate by, all of package provider by default.
	Providers []provider.Provider
	// MaxBatch bounds a batch, in webhooks; 4096 by default.
	MaxBatch int
	// Version is the version of the projection, Version by default. It is another
	// one only where a change of the rules is tried out.
	Version    int
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Tracer gets a span for each webhook that came with a trace and lies after the stream
	// sequence TracedAfter; nil: there are none.
	Tracer      trace.Tracer
	TracedAfter uint64
	// Reads tells how many reads of the read model there have been: a projector that
	// catches up works a quarter of the time, or more, while there are any. Nobody reads
	// by default. It is called from one goroutine.
	Reads func() uint64
	// Now gives the time, for the status alone; time.Now by default.
	Now func() time.Time
}

// Projector makes a read model of the stream.
type Projector struct {
	log       Log
	store     Store
	guard     Guard
	providers provider.Set
	maxBatch  int
	version   int
	logger    *slog.Logger
	status    *status
	courtesy  courtesy

	tracer      trace.Tracer
	tracedAfter uint64

	turn sync.Mutex        // held while a batch is committed, and by Hold
	at   domain.Checkpoint // what the next batch follows on
	run  *effects          // of the last batch
}

// New gives a projector that has not started.
func New(log Log, store Store, c Config) *Projector {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Reads == nil {
		c.Reads = func() uint64 { return 0 }
	}
	c.MaxBatch = cmp.Or(c.MaxBatch, maxBatch)
	c.Version = cmp.Or(c.Version, Version)
	providers := provider.NewSet(c.Providers)
	return &Projector{
		log:       log,
		store:     store,
		guard:     NewGuard(log),
		providers: providers,
		maxBatch:  c.MaxBatch,
		version:   c.Version,
		logger:    c.Logger,
		status:    newStatus(c.Now, c.Registerer),
		courtesy:  courtesy{reads: c.Reads},

		tracer:      c.Tracer,
		tracedAfter: c.TracedAfter,

		run: newEffects(store, providers, domain.Checkpoint{}, 0),
	}
}

// Run projects until ctx ends, and then returns nil; or until the guard finds
// that it must not go on, and then returns the *StopError. Everything else that
// fails, such as a full disk or a broker that is away, is tried again for as long
// as it takes. Only one Run or RunUntil may be under way.
func (p *Projector) Run(ctx context.Context) error {
	return p.RunUntil(ctx, math.MaxUint64)
}

// RunUntil is Run that also returns, with nil, when the checkpoint has reached a
// stream sequence. It commits nothing beyond it.
func (p *Projector) RunUntil(ctx context.Context, last uint64) error {
	var failed setbacks
	for {
		before := p.status.get().Checkpoint
		err := damaged(before, p.follow(ctx, last))
		var stop *StopError
		switch {
		case errors.As(err, &stop):
			p.status.stopped(stop)
			return stop
		case ctx.Err() != nil, errors.Is(err, errReached):
			p.status.ended()
			return nil
		}
		if p.status.get().Checkpoint > before {
			failed = setbacks{}
		}
		failed.add(err, p.status.now())
		p.status.retrying(err, failed.failingSince())
		p.logger.Log(ctx, level(err), "projector tries again", "error", err, "pause", failed.pause)
		wait(ctx, failed.pause)
	}
}

func wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// follow projects from the checkpoint on, beside the guard's watch and a reader that is
// a batch ahead, until one of the three fails or ctx ends.
func (p *Projector) follow(ctx context.Context, last uint64) error {
	checkpoint, err := p.check(ctx)
	if err != nil {
		return err
	}
	if err := p.begin(ctx, checkpoint); err != nil {
		return err
	}
	after := checkpoint.StreamSequence
	if after >= last {
		return errReached
	}
	group, ctx := errgroup.WithContext(ctx)
	ahead := make(chan *understood)
	group.Go(func() error { return p.watch(ctx) })
	group.Go(func() error { return p.read(ctx, after, last, ahead) })
	group.Go(func() error { return p.project(ctx, after, last, ahead) })
	return group.Wait()
}

// AwaitMend returns when Run could go on, after it stopped because of the stream:
// when that is again the one that the checkpoint was made from, or ctx ends. It looks
// each second, and what it still finds wrong is in the Status.
func (p *Projector) AwaitMend(ctx context.Context) {
	for ctx.Err() == nil {
		wait(ctx, checkEvery)
		checkpoint, err := p.store.Checkpoint(ctx)
		if err == nil {
			err = cmp.Or(SameRules(checkpoint, p.version, p.providers), p.guard.CheckNext(ctx, checkpoint))
		}
		var stop *StopError
		switch {
		case err == nil:
			return
		case errors.As(err, &stop):
			p.status.stopped(stop)
		}
	}
}

// begin notes what the first batch follows on: the stored checkpoint as it is now,
// since another read model may have come into use while the guard was looking.
func (p *Projector) begin(ctx context.Context, checked domain.Checkpoint) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	stored, err := p.store.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if stored.StreamSequence != checked.StreamSequence || stored.Chain != checked.Chain {
		return errReplaced
	}
	stored.Stream, stored.Version = checked.Stream, checked.Version
	p.at = stored
	return nil
}

// check compares the stored checkpoint with the stream, and gives the checkpoint
// to go on from.
func (p *Projector) check(ctx context.Context) (domain.Checkpoint, error) {
	checkpoint, err := p.store.Checkpoint(ctx)
	if err != nil {
		return checkpoint, err
	}
	if err := SameRules(checkpoint, p.version, p.providers); err != nil {
		return checkpoint, err
	}
	info, err := p.guard.Check(ctx, checkpoint)
	if err != nil {
		return checkpoint, err
	}
	p.status.saw(info, checkpoint)
	checkpoint.Stream, checkpoint.Version = info.Identity, p.version
	return checkpoint, nil
}

// watch has the guard look again and again. That the stream cannot be reached is
// the status's to tell and the subscription's to mend. Where it is in doubt that the
// stream has the checkpoint, nothing more is taken until that is known.
func (p *Projector) watch(ctx context.Context) error {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		_, err := p.check(ctx)
		var stop *StopError
		switch {
		case errors.As(err, &stop):
			return stop
		case errors.Is(err, errUnsure):
			return err
		case err != nil && ctx.Err() == nil:
			p.status.unseeing(err)
		}
	}
}

// project takes batches after a stream sequence and commits each, up to the last
// webhook wanted. Before the first it checks once more: between the check that gave the
// checkpoint and the subscription, the stream may have been put back to an older point.
// All batches of one subscription are of one history.
func (p *Projector) project(ctx context.Context, after, last uint64, batches <-chan *understood) error {
	checked := false
	p.status.projecting.does(waitingFor, after+1)
	for batch := range batches {
		if !checked {
			checked = true
			if _, err := p.check(ctx); err != nil {
				return err
			}
		}
		reached, err := p.commit(ctx, batch)
		if err != nil {
			return err
		}
		p.rest(ctx, batch)
		p.status.projecting.does(waitingFor, reached+1)
		if reached >= last {
			return errReached
		}
	}
	return nil // the reader says why there are no more
}

var (
	errReached           = errors.New("the checkpoint has reached the last webhook wanted")
	errReplaced          = errors.New("another read model came into use meanwhile")
	errSubscriptionEnded = errors.New("the subscription to the stream ended")
)

// commit makes one transaction of a batch and gives the checkpoint after it. A
// batch that has begun is finished although ctx ends meanwhile.
func (p *Projector) commit(ctx context.Context, batch *understood) (reached uint64, err error) {
	p.status.projecting.does("waiting for its turn at", batch.Webhooks[0].StreamSequence)
	p.turn.Lock()
	defer p.turn.Unlock()
	begun := time.Now()
	p.courtesy.since = begun // to wait is to rest
	ctx = context.WithoutCancel(ctx)
	p.run = p.run.next(p.at, len(batch.Webhooks))
	effects := p.run
	err = p.addAll(ctx, effects, batch)
	var gap *StopError
	if err != nil && !errors.As(err, &gap) {
		return 0, err
	}
	// What comes before a gap is right, and is committed.
	if reached := effects.batch.Checkpoint.StreamSequence; reached > p.at.StreamSequence {
		p.status.projecting.does("committing up to", reached)
		if err := p.store.Commit(ctx, &effects.batch); err != nil {
			return 0, err
		}
		p.status.committed(&effects.batch, p.at)
		before := p.at.StreamSequence
		p.at = effects.batch.Checkpoint
		p.traceCommit(batch.Webhooks, begun, before)
	}
	return p.at.StreamSequence, err
}

// addAll takes the webhooks that were wanted, up to the first error.
func (p *Projector) addAll(ctx context.Context, e *effects, batch *understood) error {
	for i, meaning := range batch.meanings {
		webhook := batch.Webhooks[i]
		p.status.projecting.worksOn(i, webhook.StreamSequence)
		if i%clockEvery == 0 {
			p.rest(ctx, batch)
		}
		if err := e.add(ctx, webhook, meaning); err != nil {
			return err
		}
	}
	return nil
}

// rest leaves the processors to readers while a backlog is projected.
func (p *Projector) rest(ctx context.Context, batch *understood) {
	if len(batch.Webhooks) > p.maxBatch/backlogShare {
		p.courtesy.rest(ctx)
	}
}

// Hold calls act while no batch is being committed, and keeps the next one
// waiting meanwhile: act may put another read model in the place of the store's,
// at the same stream sequence, and the projector goes on with that one.
func (p *Projector) Hold(ctx context.Context, act func() error) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	if err := act(); err != nil {
		return err
	}
	checkpoint, err := p.store.Checkpoint(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	if checkpoint.StreamSequence == 0 { // an empty read model does not tell what it is made from
		checkpoint.Stream, checkpoint.Version = p.at.Stream, p.at.Version
	}
	p.at = checkpoint
	p.status.replaced(checkpoint)
	return nil
}

// Status tells how the projector is doing.
func (p *Projector) Status() Status { return p.status.get() }
