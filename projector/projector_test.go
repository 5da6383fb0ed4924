package projector_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

func openModel(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// run runs a projector until the checkpoint has reached a stream sequence, and
// then stops it.
func run(t *testing.T, log projector.Log, store projector.Store, until uint64, config projector.Config) {
	t.Helper()
	p := projector.New(log, store, config)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	require.Eventually(t, func() bool { return p.Status().Checkpoint >= until }, projectortest.Patience, time.Millisecond,
		"checkpoint %d", until)
	cancel()
	require.NoError(t, <-done)
}

// stopped runs a projector that must stop by itself, and gives the reason.
func stopped(t *testing.T, log projector.Log, store projector.Store, by ...provider.Provider) *projector.StopError {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), projectortest.Patience)
	defer cancel()
	p := projector.New(log, store, projector.Config{Providers: by})
	err := p.Run(ctx)
	var stop *projector.StopError
	require.ErrorAs(t, err, &stop)
	status := p.Status()
	require.False(t, status.Running)
	require.Equal(t, stop.Error(), status.Reason)
	require.NotEmpty(t, status.Hint)
	return stop
}

// Every stream sequence ends in exactly one count, the counts sum to the
// checkpoint, and a webhook that cannot be translated blocks nothing.
func TestEveryWebhookEndsInOneCount(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	runa := func(id, body string) *domain.Webhook {
		return &domain.Webhook{Provider: "runa", Source: "cards", Event: "order-completion", ID: id, Body: []byte(body)}
	}
	log.Accept(projectortest.Ordatic("order-accepted", "o-1"))
	log.Accept(`{"eventType":"order-accepted","storeId":"s","data":{}}`)           // no order key
	log.Accept(`{"eventType":"order-accepted","eventType":"order-canceled"}`)      // read in two ways
	log.AcceptAs(runa("", `{"product_code":"X","old_state":"a","new_state":"b"}`)) // not about an order
	log.AcceptAs(&domain.Webhook{Provider: "gone", Source: "old", Event: "other", Body: []byte(`{}`)})
	last := log.Accept(projectortest.Ordatic("order-in-kitchen", "o-1"))
	run(t, log, model, last, projector.Config{})

	checkpoint, err := model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, domain.Counts{Applied: 2, NotAboutOrder: 1, Quarantined: 3}, checkpoint.Counts)
	require.Equal(t, checkpoint.StreamSequence, checkpoint.Counts.Sum())

	parked, err := model.Quarantined(t.Context(), 0, 10)
	require.NoError(t, err)
	var causes []string
	for _, q := range parked {
		causes = append(causes, q.Cause)
	}
	require.Equal(t, []string{domain.CauseKeyMissing, domain.CauseMalformed, domain.CauseUnknownProvider}, causes)

	order, err := model.Order(t.Context(), "shop", "s:o-1")
	require.NoError(t, err)
	require.Equal(t, domain.StateInKitchen, order.State())
	stats, err := model.Stats(t.Context(), time.Unix(0, 0))
	require.NoError(t, err)
	var sum uint64
	for _, minute := range stats.PerMinute {
		sum += minute.Sum()
	}
	require.Equal(t, checkpoint.StreamSequence, sum)
}

// The same id with the same body is a duplicate for ever: within a batch, after
// a commit and after a restart. Another body under a used id is applied and flagged.
func TestDuplicatesAndReusedIDs(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	path := filepath.Join(t.TempDir(), "1.db")
	model, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	completed := &domain.Webhook{Provider: "runa", Source: "a", Event: "order-completion", ID: "msg_1", Body: []byte(
		`{"id":"O-1","status":"COMPLETED","created_at":"2026-01-01T00:00:00Z","currency":"EUR","total_price":"10","total_discount":"0"}`)}
	log.AcceptAs(completed)
	run(t, log, model, log.AcceptAgain(completed), projector.Config{})
	require.NoError(t, model.Close())
	model = openModel(t, path)
	log.AcceptAgain(completed)
	failed := *completed
	failed.Body = []byte(`{"id":"O-1","status":"FAILED"}`)
	run(t, log, model, log.AcceptAs(&failed), projector.Config{})

	checkpoint, err := model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, domain.Counts{Applied: 2, Duplicate: 2}, checkpoint.Counts)
	order, err := model.Order(t.Context(), "a", "O-1")
	require.NoError(t, err)
	codes := map[string]string{}
	for _, anomaly := range order.Anomalies {
		codes[anomaly.Code] = anomaly.Detail
	}
	require.EqualValues(t, 2, order.Version, "a duplicate is not applied")
	require.Equal(t, map[string]string{
		domain.AnomalyWebhookIDReused:       "msg_1",
		domain.AnomalyContradictingOutcomes: "failed and completed",
	}, codes)
}

// A translation with a bug costs its webhook, not the stream.
func TestPanickingTranslationIsQuarantined(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	log.Accept(projectortest.Ordatic("order-accepted", "panic"))
	last := log.Accept(projectortest.Ordatic("order-accepted", "o-2"))
	run(t, log, model, last, projector.Config{Providers: providersWithDefect()})

	parked, err := model.Quarantined(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, parked, 1)
	require.Equal(t, domain.CauseInternalDefect, parked[0].Cause)
	_, err = model.Order(t.Context(), "shop", "s:o-2")
	require.NoError(t, err)
}

// faultyStore fails its first commits, as a full disk would.
type faultyStore struct {
	*sqlite.DB
	failures atomic.Int32
}

var errDiskFull = errors.New("disk full")

func (s *faultyStore) Commit(ctx context.Context, b *domain.Batch) error {
	if s.failures.Add(-1) >= 0 {
		return errDiskFull
	}
	return s.DB.Commit(ctx, b)
}

// A commit that fails is tried again, and each webhook is still applied once.
func TestFailedCommitIsTriedAgain(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	store := &faultyStore{DB: openModel(t, filepath.Join(t.TempDir(), "1.db"))}
	store.failures.Store(3)
	var last uint64
	for i := range 20 {
		last = log.Accept(projectortest.Ordatic("order-accepted", fmt.Sprint(i)))
	}
	run(t, log, store, last, projector.Config{MaxBatch: 7})
	checkpoint, err := store.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, domain.Counts{Applied: 20}, checkpoint.Counts)
	orders, err := store.Orders(t.Context(), domain.OrderQuery{Limit: 100})
	require.NoError(t, err)
	require.Len(t, orders, 20)
	for _, order := range orders {
		require.EqualValues(t, 1, order.Version)
	}
}

// What fails three times in a row is no accident: the status tells since when, and
// that the projector runs all the same, until it has succeeded.
func TestStatusTellsOfLastingFailure(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	store := &faultyStore{DB: openModel(t, filepath.Join(t.TempDir(), "1.db"))}
	store.failures.Store(math.MaxInt32)
	log.Accept(projectortest.Ordatic("order-accepted", "o-1"))
	began := time.Now()
	p := projector.New(log, store, projector.Config{})
	projectortest.Follow(t, p)
	require.Eventually(t, func() bool { return !p.Status().FailingSince.IsZero() }, projectortest.Patience, time.Millisecond)
	status := p.Status()
	require.WithinRange(t, status.FailingSince, began, time.Now())
	require.True(t, status.Running)
	require.Contains(t, status.Reason, errDiskFull.Error())
	require.LessOrEqual(t, store.failures.Load(), int32(math.MaxInt32-3))

	store.failures.Store(0)
	require.Eventually(t, func() bool { return p.Status().Checkpoint == 1 }, projectortest.Patience, time.Millisecond)
	require.Zero(t, p.Status().FailingSince)
	require.Empty(t, p.Status().Reason)
}

// A projector goes on where the last one stopped, while webhooks keep arriving.
func TestRestartGoesOn(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	path := filepath.Join(t.TempDir(), "1.db")
	var last uint64
	for round := range 3 {
		db, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		model := sqlite.NewModel(db)
		p := projector.New(log, model, projector.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		for i := range 50 {
			last = log.Accept(projectortest.Ordatic("order-accepted", fmt.Sprintf("%d-%d", round, i)))
		}
		require.NoError(t, model.WaitFor(ctx, last-25), "it stops in the middle")
		cancel()
		require.NoError(t, <-done)
		require.NoError(t, model.Close())
	}
	model := openModel(t, path)
	run(t, log, model, last, projector.Config{})
	checkpoint, err := model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, domain.Counts{Applied: 150}, checkpoint.Counts)
}

// A stream that was made anew is not the one the read model was made from.
func TestGuardStopsAtAnotherStream(t *testing.T) {
	t.Parallel()
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	first := projectortest.StartBroker(t, t.TempDir())
	run(t, first, model, first.Accept(projectortest.Ordatic("order-accepted", "o-1")), projector.Config{})
	second := projectortest.StartBroker(t, t.TempDir())
	second.Accept(projectortest.Ordatic("order-accepted", "o-1"))
	stop := stopped(t, second, model)
	require.ErrorIs(t, stop, projector.ErrOtherStream)
}

// A stream restored from an older backup ends before the checkpoint; and once it
// has grown again, the webhook at the checkpoint is another one.
func TestGuardStopsAtOlderStream(t *testing.T) {
	t.Parallel()
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	dir := filepath.Join(t.TempDir(), "stream")
	log := projectortest.StartBroker(t, dir)
	log.Accept(projectortest.Ordatic("order-accepted", "o-1"))
	log.Stop()
	backup := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, os.CopyFS(backup, os.DirFS(dir)))
	log.Start()
	run(t, log, model, log.Accept(projectortest.Ordatic("order-accepted", "o-2")), projector.Config{})
	log.Stop()
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.Rename(backup, dir))
	log.Start()

	stop := stopped(t, log, model)
	require.ErrorIs(t, stop, projector.ErrStreamBehind)
	require.EqualValues(t, 2, stop.StreamSequence)

	log.Accept(projectortest.Ordatic("order-accepted", "o-3"))
	require.ErrorIs(t, stopped(t, log, model), projector.ErrChanged)
}

// gappedLog loses one webhook on the way.
type gappedLog struct {
	projector.Log
	missing uint64
}

func (l gappedLog) Batches(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error] {
	return func(yield func(*eventlog.Batch, error) bool) {
		for batch, err := range l.Log.Batches(ctx, from, most) {
			if batch != nil {
				var kept []*domain.Webhook
				for _, w := range batch.Webhooks {
					if w.StreamSequence != l.missing {
						kept = append(kept, w)
					}
				}
				batch.Webhooks = kept
			}
			if !yield(batch, err) {
				return
			}
		}
	}
}

// A missing stream sequence stops the projector right before it: nothing is
// skipped, and nothing that is right is held back.
func TestGuardStopsAtGap(t *testing.T) {
	t.Parallel()
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	log := projectortest.StartBroker(t, t.TempDir())
	for i := range 5 {
		log.Accept(projectortest.Ordatic("order-accepted", fmt.Sprint(i)))
	}
	stop := stopped(t, gappedLog{log, 3}, model)
	require.ErrorIs(t, stop, projector.ErrGap)
	require.EqualValues(t, 3, stop.StreamSequence)
	checkpoint, err := model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, checkpoint.StreamSequence, "what comes before the gap is right")
}

// A read model of another version of the projection is not continued.
func TestGuardStopsAtAnotherVersion(t *testing.T) {
	t.Parallel()
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	log := projectortest.StartBroker(t, t.TempDir())
	run(t, log, model, log.Accept(projectortest.Ordatic("order-accepted", "o-1")), projector.Config{})
	checkpoint, err := model.Checkpoint(t.Context())
	require.NoError(t, err)
	checkpoint.Version++
	require.NoError(t, model.Commit(t.Context(), &domain.Batch{Checkpoint: checkpoint}))
	require.ErrorIs(t, stopped(t, log, model), projector.ErrOtherVersion)
}
