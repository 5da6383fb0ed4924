package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ticketrail/ticketrail/domain"
)

// pollEvery is how often WaitFor looks for commits that another process made;
// those of this process wake it at once.
const pollEvery = 25 * time.Millisecond

// Model is the read model in use, whichever file that is. Another file can be put
// in its place while it is being read: reads that have begun end on the old file,
// and reads that begin go to the new one; none fails and none waits.
//
// A Model is safe for concurrent use. Only one goroutine may commit, and Replace
// must not be called while it does.
type Model struct {
	mu       sync.Mutex
	current  *lease
	revision domain.Revision
}

// lease counts the users of a file, so that the last of them closes it.
type lease struct {
	db      *DB
	users   int
	retired bool
	closed  chan struct{} // closed when the file is
}

// NewModel serves a file. The Model closes it.
func NewModel(db *DB) *Model {
	return &Model{current: newLease(db)}
}

func newLease(db *DB) *lease { return &lease{db: db, closed: make(chan struct{})} }

// Replace puts another file in the place of the present one, and does not wait.
// The present one is closed when the last read of it has ended.
func (m *Model) Replace(db *DB) error {
	m.mu.Lock()
	old := m.current
	m.current = newLease(db)
	unused := old.retire()
	m.mu.Unlock()
	old.db.announce() // who waits for a checkpoint looks at the new file
	if unused {
		return old.close()
	}
	return nil
}

// Close closes the file, when the last read of it has ended.
func (m *Model) Close() error {
	m.mu.Lock()
	old := m.current
	unused := old.retire()
	m.mu.Unlock()
	if unused {
		return old.close()
	}
	<-old.closed
	return nil
}

// retire lets no user in any more, and tells whether there is none left, so that
// the caller must close the file. It is called with the Model's lock held; closing
// is not, since it may take as long as writing back the write-ahead log does.
func (l *lease) retire() (unused bool) {
	unused = !l.retired && l.users == 0
	l.retired = true
	l.db.changes.over.Store(true)
	return unused
}

func (l *lease) close() error {
	defer close(l.closed)
	return l.db.Close()
}

// errClosed is what becomes of a read that begins after Close.
var errClosed = errors.New("the read model is closed")

func (m *Model) take() (*lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current.retired {
		return nil, errClosed
	}
	m.current.users++
	return m.current, nil
}

func (m *Model) giveBack(l *lease) error {
	m.mu.Lock()
	l.users--
	last := l.retired && l.users == 0
	m.mu.Unlock()
	if last {
		return l.close()
	}
	return nil
}

// using calls what reads one file from its beginning to its end.
func using[T any](m *Model, read func(*DB) (T, error)) (T, error) {
	l, err := m.take()
	if err != nil {
		var none T
		return none, err
	}
	result, err := read(l.db)
	return result, errors.Join(damage(err), m.giveBack(l))
}

// Watch gives a function that tells whether what is read after Watch still holds. It
// does no longer before a commit, or another file, can be seen by anybody.
func (m *Model) Watch() (holds func() bool) {
	return m.watch(func(c *changes) *atomic.Uint64 { return &c.all })
}

// WatchOrder is Watch for what is read of one order, but for its timeline.
func (m *Model) WatchOrder(source, key string) (holds func() bool) {
	return m.watch(func(c *changes) *atomic.Uint64 { return c.of(source, key) })
}

func (m *Model) watch(counter func(*changes) *atomic.Uint64) (holds func() bool) {
	m.mu.Lock()
	changes := m.current.db.changes
	m.mu.Unlock()
	return changes.watch(counter(changes))
}

// Path gives the path of the file in use.
func (m *Model) Path() string {
	path, _ := using(m, func(db *DB) (string, error) { return db.path, nil })
	return path
}

// Check is [DB.Check] of the file in use.
func (m *Model) Check(ctx context.Context) error {
	_, err := using(m, func(db *DB) (struct{}, error) { return struct{}{}, db.Check(ctx) })
	return err
}

// Checkpoint is [DB.Checkpoint] of the file in use.
func (m *Model) Checkpoint(ctx context.Context) (domain.Checkpoint, error) {
	return using(m, func(db *DB) (domain.Checkpoint, error) { return db.Checkpoint(ctx) })
}

// Order is [DB.Order] of the file in use.
func (m *Model) Order(ctx context.Context, source, key string) (*domain.Order, error) {
	return using(m, func(db *DB) (*domain.Order, error) { return db.Order(ctx, source, key) })
}

// TakeOrder is [DB.TakeOrder] of the file in use.
func (m *Model) TakeOrder(ctx context.Context, source, key string) (*domain.Order, error) {
	return using(m, func(db *DB) (*domain.Order, error) { return db.TakeOrder(ctx, source, key) })
}

// Orders is [DB.Orders] of the file in use.
func (m *Model) Orders(ctx context.Context, q domain.OrderQuery) ([]*domain.Order, error) {
	return using(m, func(db *DB) ([]*domain.Order, error) { return db.Orders(ctx, q) })
}

// Timeline is [DB.Timeline] of the file in use.
func (m *Model) Timeline(ctx context.Context, source, key string, after domain.TimelinePosition, limit int) ([]domain.TimelineEntry, error) {
	return using(m, func(db *DB) ([]domain.TimelineEntry, error) { return db.Timeline(ctx, source, key, after, limit) })
}

// Proof is [DB.Proof] of the file in use.
func (m *Model) Proof(ctx context.Context, source, key, id string) (*domain.Proof, error) {
	return using(m, func(db *DB) (*domain.Proof, error) { return db.Proof(ctx, source, key, id) })
}

// Quarantined is [DB.Quarantined] of the file in use.
func (m *Model) Quarantined(ctx context.Context, after uint64, limit int) ([]domain.QuarantinedWebhook, error) {
	return using(m, func(db *DB) ([]domain.QuarantinedWebhook, error) { return db.Quarantined(ctx, after, limit) })
}

// Stats is [DB.Stats] of the file in use.
func (m *Model) Stats(ctx context.Context, since time.Time) (domain.Stats, error) {
	return using(m, func(db *DB) (domain.Stats, error) { return db.Stats(ctx, since) })
}

// Minutes is [DB.Minutes] of the file in use.
func (m *Model) Minutes(ctx context.Context, q domain.MinuteQuery) ([]domain.MinuteCount, error) {
	return using(m, func(db *DB) ([]domain.MinuteCount, error) { return db.Minutes(ctx, q) })
}

// Stays is [DB.Stays] of the file in use.
func (m *Model) Stays(ctx context.Context, q domain.StayQuery) ([]domain.Stays, error) {
	return using(m, func(db *DB) ([]domain.Stays, error) { return db.Stays(ctx, q) })
}

// Late is [DB.Late] of the file in use.
func (m *Model) Late(ctx context.Context, l *domain.Lateness, before time.Time) (domain.Late, error) {
	return using(m, func(db *DB) (domain.Late, error) { return db.Late(ctx, l, before) })
}

// Heard is [DB.Heard] of the file in use.
func (m *Model) Heard(ctx context.Context, since time.Time) ([]domain.Heard, error) {
	return using(m, func(db *DB) ([]domain.Heard, error) { return db.Heard(ctx, since) })
}

// BegunIn is [DB.BegunIn] of the file in use.
func (m *Model) BegunIn(ctx context.Context, stretches []domain.Stretch) ([]uint64, error) {
	return using(m, func(db *DB) ([]uint64, error) { return db.BegunIn(ctx, stretches) })
}

// SeenWebhookID is [DB.SeenWebhookID] of the file in use.
func (m *Model) SeenWebhookID(ctx context.Context, id domain.WebhookID) (first uint64, otherBody bool, err error) {
	_, err = using(m, func(db *DB) (_ struct{}, err error) {
		first, otherBody, err = db.SeenWebhookID(ctx, id)
		return struct{}{}, err
	})
	return first, otherBody, err
}

// Commit is [DB.Commit] to the file in use.
func (m *Model) Commit(ctx context.Context, b *domain.Batch) error {
	_, err := using(m, func(db *DB) (struct{}, error) { return struct{}{}, db.Commit(ctx, b) })
	return err
}

// ReplaceOrder is [DB.ReplaceOrder] of the file in use. What it replaces is a revision.
func (m *Model) ReplaceOrder(ctx context.Context, rows *domain.OrderRows, plan bool) (*domain.OrderRebuild, error) {
	rebuild, err := using(m, func(db *DB) (*domain.OrderRebuild, error) { return db.ReplaceOrder(ctx, rows, plan) })
	if err != nil || !rebuild.Replaced {
		return rebuild, err
	}
	checkpoint, err := m.Checkpoint(ctx)
	m.Revise(checkpoint.StreamSequence)
	return rebuild, err
}

// WaitFor returns when the checkpoint of the file in use has reached the stream
// sequence, or with the context's error.
func (m *Model) WaitFor(ctx context.Context, streamSequence uint64) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		var committed <-chan struct{}
		checkpoint, err := using(m, func(db *DB) (domain.Checkpoint, error) {
			committed = db.nextCommit()
			return db.Checkpoint(ctx)
		})
		if err != nil {
			return fmt.Errorf("wait for stream sequence %d: %w", streamSequence, err)
		}
		if checkpoint.StreamSequence >= streamSequence {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-committed:
		case <-poll.C:
		}
	}
}
