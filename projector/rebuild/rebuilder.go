package rebuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

var (
	// ErrBusy is returned while another rebuild, or a rollback, goes on.
	ErrBusy = errors.New("a rebuild is going on")
	// ErrNoPrevious is returned where there is no read model to go back to.
	ErrNoPrevious = errors.New("there is no previous read model")
	// ErrOtherVersion is returned where another version of the projection, or another
	// mapping, built the previous read model: it alone can go on with it.
	ErrOtherVersion = errors.New("the previous read model was built by other rules")
)

// Config is what a Rebuilder is given. Log, Folder, Model and Live are required.
type Config struct {
	Log    projector.Log
	Folder *sqlite.Folder // whose files are the Rebuilder's alone from then on
	Model  *sqlite.Model  // the read model in use, of the folder's current file
	Live   *projector.Projector
	// Version and Providers are those of the projection, as for the projector.
	Version   int
	Providers []provider.Provider
	// Memory is what a rebuild takes of the machine's memory, in bytes; sqlite.LoadMemory by
	// default.
	Memory int
	Logger *slog.Logger
	// Tracer gets one span for each rebuild, and none for what it projects; nil: none.
	Tracer trace.Tracer
	Now    func() time.Time
}

// Rebuilder rebuilds read models and keeps the records of it.
type Rebuilder struct {
	config  Config
	records *records

	mu       sync.Mutex
	current  *job // nil while none goes on
	closed   bool
	switched chan struct{} // closed and replaced at every switch
	work     sync.WaitGroup
}

// job is the rebuild, or the rollback, that goes on.
type job struct {
	id     int // 0 for a rollback
	cancel context.CancelFunc
	done   chan struct{}
	shadow atomic.Pointer[projector.Projector] // makes the new read model
}

// reached gives how far the new read model is, where it was at a stream sequence before:
// a projector that has just been put on it does not tell yet.
func (j *job) reached(before uint64) uint64 {
	if shadow := j.shadow.Load(); shadow != nil {
		return max(before, shadow.Status().Checkpoint)
	}
	return before
}

// New gives a Rebuilder, with the records of earlier rebuilds from the folder.
func New(c Config) (*Rebuilder, error) {
	if c.Version == 0 {
		c.Version = projector.Version
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := clearTemporary(SnapshotFolder(c.Folder.Dir())); err != nil {
		return nil, fmt.Errorf("clear the snapshots: %w", err)
	}
	records, err := loadRecords(filepath.Join(c.Folder.Dir(), "rebuilds"), c.Folder.CurrentNumber(), c.Now)
	if err != nil {
		return nil, fmt.Errorf("load the records of rebuilds: %w", err)
	}
	return &Rebuilder{config: c, records: records, switched: make(chan struct{})}, nil
}

// Start begins a rebuild and returns at once, or returns ErrBusy.
func (r *Rebuilder) Start(o domain.RebuildOptions) (domain.Rebuild, error) {
	return r.start(o, o.Accept)
}

// Update is Start for a read model that older rules built: whatever difference the new
// ones make is accepted. But nobody has looked at
// it, so a read model that cannot be compared is left in use.
func (r *Rebuilder) Update() (domain.Rebuild, error) {
	return r.start(domain.RebuildOptions{Accept: true}, false)
}

func (r *Rebuilder) start(o domain.RebuildOptions, unseenToo bool) (domain.Rebuild, error) {
	r.afterTheLast()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil || r.closed {
		return domain.Rebuild{}, ErrBusy
	}
	path, number, err := r.config.Folder.Next()
	if err != nil {
		return domain.Rebuild{}, fmt.Errorf("begin a rebuild: %w", err)
	}
	record := domain.Rebuild{
		ID: number, Options: o, State: domain.RebuildBuilding, ToVersion: r.config.Version, StartedAt: r.config.Now(),
	}
	if err := errors.Join(r.records.put(record), r.records.prune(r.isSnapshot)); err != nil {
		return domain.Rebuild{}, fmt.Errorf("begin a rebuild: %w", err)
	}
	r.begin(number, func(ctx context.Context, j *job) {
		b := &build{Rebuilder: r, job: j, path: path, record: record, unseenToo: unseenToo}
		b.run(ctx)
	})
	return record, nil
}

// StartedOver records that the program began the read model in use anew, to come to a
// stream sequence, and why. Nothing but the record comes of it. It has a number that no
// record had, also where the folder had lost count.
func (r *Rebuilder) StartedOver(reason string, target uint64) (err error) {
	id := r.config.Folder.CurrentNumber()
	for all := r.records.all(); len(all) > 0 && id <= all[0].ID && err == nil; {
		_, id, err = r.config.Folder.Next()
	}
	if err != nil {
		return err
	}
	now := r.config.Now()
	record := domain.Rebuild{
		ID: id, State: domain.RebuildSwitched, StartedOver: reason, ToVersion: r.config.Version, Target: target, StartedAt: now, EndedAt: now,
	}
	return errors.Join(r.records.put(record), r.records.prune(r.isSnapshot))
}

// afterTheLast waits for a rebuild that has told its end and only clears away
// behind itself: who has seen that end may begin the next one.
func (r *Rebuilder) afterTheLast() {
	r.mu.Lock()
	j := r.current
	r.mu.Unlock()
	if j == nil {
		return
	}
	if record, err := r.records.get(j.id); err == nil && record.State.Ended() {
		<-j.done
	}
}

// begin runs what goes on, one at a time; it is called with the lock held.
func (r *Rebuilder) begin(id int, run func(context.Context, *job)) *job {
	ctx, cancel := context.WithCancel(context.Background())
	j := &job{id: id, cancel: cancel, done: make(chan struct{})}
	r.current = j
	r.work.Go(func() {
		defer cancel()
		run(ctx, j)
		r.mu.Lock()
		r.current = nil
		r.mu.Unlock()
		close(j.done)
	})
	return j
}

// Rebuild tells of one rebuild, or returns domain.ErrNotFound.
func (r *Rebuilder) Rebuild(id int) (domain.Rebuild, error) {
	record, err := r.records.get(id)
	r.addProgress(&record)
	return record, err
}

// Rebuilds tells of every rebuild, the newest first.
func (r *Rebuilder) Rebuilds() []domain.Rebuild {
	all := r.records.all()
	for i := range all {
		r.addProgress(&all[i])
	}
	return all
}

// addProgress puts in how far a rebuild that goes on is now, and what it tries again.
func (r *Rebuilder) addProgress(record *domain.Rebuild) {
	j := r.going(record.ID)
	if j == nil || record.State.Ended() {
		return
	}
	record.StreamSequence = j.reached(record.StreamSequence)
	if shadow := j.shadow.Load(); shadow != nil {
		if status := shadow.Status(); !status.FailingSince.IsZero() {
			record.Error, record.Hint = status.Reason, status.Hint
		}
	}
}

// Switched gives a channel that is closed when another read model is in use.
func (r *Rebuilder) Switched() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.switched
}

func (r *Rebuilder) announceSwitch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.switched)
	r.switched = make(chan struct{})
}

// Wait waits for the end of a rebuild and tells of it.
func (r *Rebuilder) Wait(ctx context.Context, id int) (domain.Rebuild, error) {
	if j := r.going(id); j != nil {
		select {
		case <-j.done:
		case <-ctx.Done():
			return domain.Rebuild{}, ctx.Err()
		}
	}
	return r.records.get(id)
}

// Delete forgets a rebuild that has ended, and removes the file of its snapshot
// where it made one and no other that is kept made the same. It returns ErrBusy for
// one that goes on, and for a snapshot that is being made again.
func (r *Rebuilder) Delete(id int) error {
	r.afterTheLast()
	r.mu.Lock()
	defer r.mu.Unlock()
	record, err := r.records.get(id)
	if err != nil {
		return err
	}
	return r.forget(record)
}

// forget removes a record, and the snapshot that it alone has. It is called with the
// lock held.
func (r *Rebuilder) forget(record domain.Rebuild) error {
	alone := record.State == domain.RebuildKept
	for _, other := range r.records.all() {
		switch {
		case other.ID != record.ID && (record.State != domain.RebuildKept || other.Options.Until != record.Options.Until):
		case !other.State.Ended():
			return ErrBusy
		case other.ID != record.ID && other.State == domain.RebuildKept:
			alone = false
		}
	}
	if alone {
		if err := os.Remove(r.SnapshotPath(record.Options.Until)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete rebuild %d: %w", record.ID, err)
		}
	}
	return r.records.remove(record.ID)
}

// Previous gives the checkpoint of the read model that a rollback goes back to, or
// returns ErrBusy or ErrNoPrevious.
func (r *Rebuilder) Previous(ctx context.Context) (domain.Checkpoint, error) {
	r.afterTheLast()
	r.mu.Lock()
	path, err := r.previous()
	r.mu.Unlock()
	if err != nil {
		return domain.Checkpoint{}, err
	}
	return sqlite.CheckpointOf(ctx, path)
}

// previous gives the path of the read model that a rollback goes back to. It is
// called with the lock held: what goes on has the folder for itself.
func (r *Rebuilder) previous() (string, error) {
	if r.current != nil || r.closed {
		return "", ErrBusy
	}
	path, ok := r.config.Folder.Previous()
	if !ok {
		return "", ErrNoPrevious
	}
	return path, nil
}

// Cancel ends a rebuild, and returns when it has ended. On one that has ended
// already it does nothing.
func (r *Rebuilder) Cancel(id int) error {
	if j := r.going(id); j != nil {
		j.cancel()
		<-j.done
	}
	_, err := r.records.get(id)
	return err
}

func (r *Rebuilder) going(id int) *job {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil && r.current.id == id {
		return r.current
	}
	return nil
}

// Close cancels what goes on and waits for its end.
func (r *Rebuilder) Close() error {
	r.mu.Lock()
	r.closed = true
	if r.current != nil {
		r.current.cancel()
	}
	r.mu.Unlock()
	r.work.Wait()
	return nil
}
