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
	// DefaultFollowers is how many may follow the changes at once.
	DefaultFollowers = 200
	// DefaultBehind is how many changes a follower may be behind before it is told to read
	// the orders anew: to send it all of those would take longer.
	DefaultBehind = 100_000
	// recentFrames and recentBytes bound the changes that are kept for all who follow.
	recentFrames = 2048
	recentBytes  = 16 << 20
	// pageOfChanges is how many changes are read at once, and pagesAtOnce how many such
	// pages those who are behind may read and hold encoded before others do.
	pageOfChanges = 128
	pagesAtOnce   = 2
	// defaultHeartbeat keeps a connection open through what stands in between.
	defaultHeartbeat = 15 * time.Second
)

// FeedConfig is what a Feed is given; the zero value is of use.
type FeedConfig struct {
	// Sources are as in [Config].
	Sources []Source
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
	metrics feedMetrics
	pages   *semaphore.Weighted
	now     chan struct{} // which is closed

	mu        sync.Mutex // held while new changes are read, since all wait for the same ones
	followers int
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
	f := &Feed{model: model, config: config, pages: semaphore.NewWeighted(pagesAtOnce), now: make(chan struct{})}
	close(f.now)
	f.metrics = newFeedMetrics(config.Registerer, f)
	return f
}

// join makes a follower, which must leave. It gives errManyFollowers where there are too
// many and it is one of those that are counted.
func (f *Feed) join(ctx context.Context, counted bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if counted && f.followers >= f.config.Followers {
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
	return nil
}

func (f *Feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
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
	found = run{frames: slices.Clip(f.frames[at:]), through: max(after, f.to), more: f.now}
	if len(found.frames) == 0 && f.committed != nil {
		found.more = f.committed
	}
	return found, true, nil
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
	page, err := f.model.Changes(ctx, f.to, pageOfChanges)
	if err != nil {
		return err
	}
	f.keep(page)
	if len(page.Changes) < pageOfChanges {
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
	page, err := f.model.Changes(ctx, after, pageOfChanges)
	return run{frames: f.framed(page.Changes), through: page.Through, more: f.now}, err
}

func (f *Feed) framed(changes []domain.OrderChange) []*frame {
	return each(changes, func(c domain.OrderChange) *frame { return newFrame(f.config.Sources, c) })
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

// followed gives how many follow.
func (f *Feed) followed() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return float64(f.followers)
}
