package api

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	// DefaultFollowers is how many clients may follow the changes at once, each of which
	// may hold runBytes while it reads slowly.
	DefaultFollowers = 100
	// DefaultBehind is how many changes a follower may be behind before it is told to read
	// the orders anew: to send it all of those would take longer.
	DefaultBehind = 100_000
	// recentFrames and recentBytes bound the changes that are kept for all who follow.
	recentFrames = 2048
	recentBytes  = 16 << 20
	// runChanges and runBytes bound what a follower is given at once, but that it is given
	// one change, and pagesAtOnce how many who are behind read at the same time.
	runChanges  = 128
	runBytes    = 512 << 10
	pagesAtOnce = 2
	// defaultHeartbeat keeps a connection open through what stands in between.
	defaultHeartbeat = 15 * time.Second
)

// FeedConfig is what a Feed is given; the zero value is of use.
type FeedConfig struct {
	// Sources, Limits and Now are as in [Config].
	Sources []Source
	Limits  *domain.Limits
	Now     func() time.Time
	// Followers and Behind are DefaultFollowers and DefaultBehind where they are 0.
	Followers, Behind int
	// Heartbeat is how often a client hears how far the feed is; every 15 seconds where 0.
	Heartbeat time.Duration
	// Registerer takes the feed's metrics. Nil: they are not kept.
	Registerer prometheus.Registerer
}

// Feed gives the changes of orders to any number of followers, each at its own pace. The
// newest are kept, encoded once for all; who is further behind reads them from the read
// model, which has all there ever were. Nobody waits for a follower.
//
// A Feed has no goroutine: the first follower who learns of a commit reads what is new,
// and the others find it. It is safe for concurrent use.
type Feed struct {
	model   ReadModel
	config  FeedConfig
	terms   terms
	metrics feedMetrics
	pages   *semaphore.Weighted
	now     chan struct{} // which is closed

	mu        sync.Mutex      // held while new changes are read, since all wait for the same ones
	followers int             // clients, and parts of this process
	clients   int             // of them, those that are counted
	committed <-chan struct{} // nil, or closed, where there may be more
	revision  int             // of what is kept
	frames    []*frame        // the changes after from, up to to
	bytes     int
	from, to  uint64
}

// NewFeed gives a Feed of a read model. It panics if the Registerer holds metrics of the
// same names.
func NewFeed(model ReadModel, config FeedConfig) *Feed {
	config.Followers = cmp.Or(config.Followers, DefaultFollowers)
	config.Behind = cmp.Or(config.Behind, DefaultBehind)
	config.Heartbeat = cmp.Or(config.Heartbeat, defaultHeartbeat)
	if config.Limits == nil {
		config.Limits = &domain.Limits{}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	f := &Feed{
		model:  model,
		config: config,
		terms:  terms{sources: config.Sources, limits: config.Limits},
		pages:  semaphore.NewWeighted(pagesAtOnce),
		now:    make(chan struct{}),
	}
	close(f.now)
	f.metrics = newFeedMetrics(config.Registerer, f)
	return f
}

// join makes a follower, which must leave as what it came. It gives errManyFollowers to a
// client where there are as many clients as may be.
func (f *Feed) join(ctx context.Context, client bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if client && f.clients >= f.config.Followers {
		return errManyFollowers
	}
	if f.followers == 0 { // what came while nobody listened is for nobody
		checkpoint, err := f.model.Checkpoint(ctx)
		if err != nil {
			return err
		}
		f.restart(checkpoint.StreamSequence)
	}
	f.followers++
	if client {
		f.clients++
	}
	return nil
}

func (f *Feed) leave(client bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if client {
		f.clients--
	}
	if f.followers--; f.followers == 0 {
		f.restart(f.to)
	}
}

// forget forgets what is kept, as after an erasure: who is behind reads it anew.
func (f *Feed) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restart(f.to)
}

// restart begins to keep what comes after a stream sequence.
func (f *Feed) restart(at uint64) {
	f.committed, f.revision = nil, f.model.Revision().Number
	f.frames, f.bytes, f.from, f.to = nil, 0, at, at
}

// recent gives the changes after a stream sequence, and tells whether they are kept.
func (f *Feed) recent(ctx context.Context, after uint64, revision int) (found run, kept bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.read(ctx); err != nil {
		return run{}, false, err
	}
	if after < f.from || revision != f.revision {
		return run{}, false, nil
	}
	at, _ := slices.BinarySearchFunc(f.frames, after+1, (*frame).compare)
	if frames := enough(f.frames[at:]); len(frames) > 0 {
		through := f.to
		if at+len(frames) < len(f.frames) {
			through = frames[len(frames)-1].change.StreamSequence
		}
		return run{frames: frames, through: through, more: f.now}, true, nil
	}
	found = run{through: max(after, f.to), more: f.now}
	if f.committed != nil {
		found.more = f.committed
	}
	return found, true, nil
}

// enough gives the first frames that are enough for a run.
func enough(frames []*frame) []*frame {
	bytes := 0
	for i, f := range frames {
		if bytes += f.size; i == runChanges || bytes > runBytes && i > 0 {
			return slices.Clip(frames[:i])
		}
	}
	return slices.Clip(frames)
}

// read reads a page of what is new, unless nothing is.
func (f *Feed) read(ctx context.Context) error {
	if f.committed != nil {
		select {
		case <-f.committed:
		default:
			return nil
		}
	}
	// In this order: what is committed after it is looked for again.
	committed, revision := f.model.NextCommit(), f.model.Revision().Number
	if revision != f.revision {
		checkpoint, err := f.model.Checkpoint(ctx)
		if err != nil {
			return err
		}
		f.restart(checkpoint.StreamSequence)
	}
	page, err := f.page(ctx, f.to)
	if err != nil {
		return err
	}
	f.keep(page)
	if !page.More {
		f.committed = committed
	}
	return nil
}

// keep keeps a page, and forgets the older half where there is too much.
func (f *Feed) keep(page domain.OrderChanges) {
	for _, made := range f.framed(page.Changes) {
		f.frames = append(f.frames, made)
		f.bytes += made.size
	}
	f.to = page.Through
	if len(f.frames) <= recentFrames && f.bytes <= recentBytes {
		return
	}
	half := (len(f.frames) + 1) / 2
	for _, old := range f.frames[:half] {
		f.bytes -= old.size
	}
	f.from = f.frames[half-1].change.StreamSequence
	f.frames = slices.Clone(f.frames[half:]) // who reads them goes on with the others
}

// older gives a page of changes that are kept no more.
func (f *Feed) older(ctx context.Context, after uint64) (run, error) {
	if err := f.pages.Acquire(ctx, 1); err != nil {
		return run{}, err
	}
	defer f.pages.Release(1)
	f.metrics.pages.Inc()
	page, err := f.page(ctx, after)
	return run{frames: f.framed(page.Changes), through: page.Through, more: f.now}, err
}

// page reads what is enough for a run.
func (f *Feed) page(ctx context.Context, after uint64) (domain.OrderChanges, error) {
	return f.model.Changes(ctx, after, runChanges, runBytes/copies)
}

func (f *Feed) framed(changes []domain.OrderChange) []*frame {
	return each(changes, func(c domain.OrderChange) *frame { return newFrame(&f.terms, f.config.Now, c) })
}

// tooFar tells whether more changes follow on a stream sequence than a follower may be
// behind. No more can than there are webhooks.
func (f *Feed) tooFar(ctx context.Context, after uint64) (bool, error) {
	checkpoint, err := f.model.Checkpoint(ctx)
	most := f.config.Behind
	if err != nil || checkpoint.StreamSequence <= after+uint64(most) {
		return false, err
	}
	n, err := f.model.ChangesAfter(ctx, after, most+1)
	return n > most, err
}

// followed gives how many clients follow.
func (f *Feed) followed() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return float64(f.clients)
}
