package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// start is when the first webhook of every test here was received.
var start = time.Date(2026, 3, 14, 12, 0, 30, 0, time.UTC)

func open(t *testing.T) *sqlite.DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "models", "1.db"))
}

func openAt(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// writer makes batches as a projector would, one stream sequence after another.
type writer struct {
	t      testing.TB
	db     store
	batch  domain.Batch
	orders map[string]*domain.Order
	// recallAll has the writer go on with the orders that the store gives after a commit.
	recallAll func()
}

// store is a DB or a Loader.
type store interface {
	Commit(context.Context, *domain.Batch) error
}

func newWriter(t testing.TB, db store) *writer {
	w := &writer{t: t, db: db, orders: map[string]*domain.Order{}, recallAll: func() {}}
	w.batch.Checkpoint = domain.Checkpoint{
		Version: 1,
		Stream:  domain.StreamIdentity{Name: "WEBHOOKS", CreatedAt: domain.InstantOf(start)},
	}
	w.begin()
	return w
}

func (w *writer) begin() {
	w.batch = domain.Batch{Checkpoint: w.batch.Checkpoint, Tallies: domain.NewTallies()}
}

// apply folds an event into the order of its key, as the next webhook.
func (w *writer) apply(event domain.Event) *domain.Order {
	w.batch.Checkpoint.StreamSequence++
	w.batch.Checkpoint.Counts.Applied++
	sequence := w.batch.Checkpoint.StreamSequence
	receivedAt := domain.InstantOf(start.Add(time.Duration(sequence) * time.Second))
	order := w.orders[event.Key]
	if order == nil {
		order = domain.NewOrder("shop", "ordatic", event.Key)
		w.orders[event.Key] = order
	}
	isNew := order.Version == 0
	change := order.Apply(&event, sequence, receivedAt, receivedAt)
	if !slices.Contains(w.batch.Orders, order) {
		w.batch.Orders = append(w.batch.Orders, order)
	}
	w.batch.Timeline = append(w.batch.Timeline, domain.OrderEntry{Order: order, TimelineEntry: domain.TimelineEntry{
		StreamSequence: sequence, Event: event.Name, Effect: change.Effect, State: change.After, ReceivedAt: receivedAt,
		IsNews: change.IsNews(),
	}})
	if !isNew && change.Before != change.After {
		w.batch.Tallies.Orders[domain.OrderTally{Source: "shop", State: change.Before}]--
	}
	if isNew || change.Before != change.After {
		w.batch.Tallies.Orders[domain.OrderTally{Source: "shop", State: change.After}]++
	}
	return order
}

func (w *writer) commit() {
	w.t.Helper()
	require.NoError(w.t, w.db.Commit(w.t.Context(), &w.batch))
	w.begin()
}

func step(key string, fulfillment domain.Fulfillment) domain.Event {
	return domain.Event{Key: key, Name: "step", Standing: domain.Standing{Axes: domain.Axes{Fulfillment: fulfillment}}}
}

// What a commit wrote is what a reader gets, the order's hidden parts included.
func TestCommittedOrderIsReadBackWhole(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	event := step("store-7:o-1", domain.FulfillmentReady)
	event.Facts = domain.Facts{ProviderStatus: "ready", StoreID: "store-7", Total: "32.00", Currency: "SEK"}
	event.Stamp = domain.NewStamp(domain.InstantOf(start), 2, 7, domain.DigestBody([]byte("x")))
	event.Refunds = []domain.Refund{{ID: "r-1", Amount: "1.50"}}
	event.Anomalies = []domain.Anomaly{{Code: domain.AnomalyUnknownStatus, Detail: "\u202e<script>"}}
	want := w.apply(event)
	w.commit()

	have, err := db.Order(t.Context(), "shop", "store-7:o-1")
	require.NoError(t, err)
	require.Equal(t, want, have)
	require.EqualValues(t, 1, have.ID)

	_, err = db.Order(t.Context(), "shop", "no such")
	require.ErrorIs(t, err, domain.ErrNotFound)
}

// Effects and checkpoint are committed together or not at all.
func TestFailedCommitLeavesNothing(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	w.apply(step("a", domain.FulfillmentAccepted))
	w.commit()

	w.apply(step("b", domain.FulfillmentAccepted))
	w.batch.Checkpoint.Counts.Quarantined++ // the counts no longer sum to the checkpoint
	require.Error(t, db.Commit(t.Context(), &w.batch))

	_, err := db.Order(t.Context(), "shop", "b")
	require.ErrorIs(t, err, domain.ErrNotFound)
	checkpoint, err := db.Checkpoint(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, checkpoint.StreamSequence)
	require.Equal(t, checkpoint.StreamSequence, checkpoint.Counts.Sum())
}

// The checkpoint survives closing, with the stream's identity and its digests.
func TestCheckpointSurvivesReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	db, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	empty, err := db.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, domain.Checkpoint{}, empty)

	w := newWriter(t, db)
	w.apply(step("a", domain.FulfillmentAccepted))
	w.batch.Checkpoint.Chain = domain.DigestBody([]byte("chain"))
	w.batch.Checkpoint.PreviousChain = domain.DigestBody([]byte("previous"))
	want := w.batch.Checkpoint
	w.commit()
	require.NoError(t, db.Close())

	have, err := openAt(t, path).Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, have)
}

// Nobody but the owner may read a read model: it holds personal data.
func TestFilesAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "models", "1.db")
	db := openAt(t, path)
	w := newWriter(t, db)
	w.apply(step("a", domain.FulfillmentAccepted))
	w.commit()

	folder, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), folder.Mode().Perm())
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.Len(t, files, 3, "the database, its write-ahead log and its shared memory")
	for _, name := range files {
		file, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), file.Mode().Perm(), name)
	}
}

// A path with characters that mean something in a file URL is taken literally.
func TestOddPathIsTakenLiterally(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?mode=memory#%41&c", "1.db")
	openAt(t, path)
	require.FileExists(t, path)
}

// A page follows exactly on the one before, in every sort, and all pages
// together are all orders.
func TestOrderPagesFollowOnEachOther(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	for i := range 23 {
		w.apply(step(fmt.Sprintf("o-%02d", i), domain.FulfillmentAccepted))
	}
	for i := range 7 {
		w.apply(step(fmt.Sprintf("o-%02d", i*3), domain.FulfillmentReady))
	}
	w.commit()
	for _, sort := range []domain.OrderSort{
		domain.SortUpdatedAscending, domain.SortUpdatedDescending, domain.SortCreatedAscending, domain.SortCreatedDescending,
	} {
		var after domain.OrderPosition
		seen := map[string]bool{}
		var numbers []uint64
		for {
			page, err := db.Orders(t.Context(), domain.OrderQuery{Sort: sort, After: after, Limit: 5})
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			for _, order := range page {
				require.False(t, seen[order.Key], "%s twice", order.Key)
				seen[order.Key] = true
				numbers = append(numbers, sort.Position(order).Number)
			}
			after = sort.Position(page[len(page)-1])
		}
		require.Len(t, seen, 23)
		if sort == domain.SortUpdatedAscending || sort == domain.SortCreatedAscending {
			require.IsIncreasing(t, numbers)
		} else {
			require.IsDecreasing(t, numbers)
		}
	}
}
