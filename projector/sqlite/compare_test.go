package sqlite_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// pair gives two read models at one stream sequence, made by two writers.
func pair(t *testing.T, inUse, rebuilt func(*writer)) *domain.Difference {
	t.Helper()
	dir := t.TempDir()
	paths := [2]string{filepath.Join(dir, "in use.db"), filepath.Join(dir, "rebuilt.db")}
	for i, fill := range []func(*writer){inUse, rebuilt} {
		w := newWriter(t, openAt(t, paths[i]))
		fill(w)
		w.commit()
	}
	comparison, err := sqlite.Compare(t.Context(), paths[0], paths[1])
	require.NoError(t, err)
	defer func() { require.NoError(t, comparison.Close()) }()
	difference, err := comparison.Difference(t.Context(), 10)
	require.NoError(t, err)
	return difference
}

func two(w *writer) {
	w.apply(step("a", domain.FulfillmentAccepted))
	w.apply(step("b/~", domain.FulfillmentReady))
}

// Equal read models differ in no row of any table.
func TestEqualReadModelsDoNotDiffer(t *testing.T) {
	t.Parallel()
	difference := pair(t, two, two)
	require.True(t, difference.None())
	require.EqualValues(t, 2, difference.StreamSequence)
	require.Empty(t, difference.Examples)
	tables := map[string]uint64{}
	for _, table := range difference.Tables {
		require.Equal(t, table.InUse, table.Rebuilt)
		tables[table.Table] = table.InUse
	}
	require.Len(t, tables, 11)
	require.EqualValues(t, 2, tables["orders"])
	require.EqualValues(t, 2, tables["timeline"])
}

// An order that differs is found by its key and told field by field.
func TestDifferingOrderIsToldFieldByField(t *testing.T) {
	t.Parallel()
	difference := pair(t, two, func(w *writer) {
		w.apply(step("a", domain.FulfillmentAccepted))
		w.apply(step("b/~", domain.FulfillmentInKitchen))
	})
	require.False(t, difference.None())
	require.Equal(t, domain.OrdersDifference{Changed: 1}, difference.Orders)
	require.Equal(t, []domain.OrderDifference{{Source: "shop", Key: "b/~", Fields: []domain.FieldDifference{
		{Pointer: "/steps/fulfillment", InUse: `"ready"`, Rebuilt: `"in-kitchen"`},
	}}}, difference.Examples)
}

// An order whose folded state is the same on both sides differs by the rows beside
// it as well: it is counted and named, with the place where a line or a column differs.
func TestOrderThatDiffersInItsRowsAlone(t *testing.T) {
	t.Parallel()
	proof := &domain.Proof{ProofInfo: domain.ProofInfo{ID: "p", Type: "image/png"}, Content: []byte("one")}
	other := &domain.Proof{ProofInfo: domain.ProofInfo{ID: "p", Type: "image/png"}, Content: []byte("two")}
	for name, test := range map[string]struct {
		inUse, rebuilt func(*domain.Batch)
		fields         []domain.FieldDifference
	}{
		"a line of the timeline": {
			func(b *domain.Batch) { b.Timeline[1].Effect = domain.EffectLate },
			func(*domain.Batch) {},
			[]domain.FieldDifference{{Pointer: "/timeline/2/effect", InUse: `"late"`, Rebuilt: `"advanced"`}},
		},
		"a proof of delivery": {
			func(b *domain.Batch) { b.Proofs = []domain.OrderProof{{Order: b.Orders[1], Proof: proof}} },
			func(b *domain.Batch) { b.Proofs = []domain.OrderProof{{Order: b.Orders[1], Proof: other}} },
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			difference := pair(t,
				func(w *writer) { two(w); test.inUse(&w.batch) },
				func(w *writer) { two(w); test.rebuilt(&w.batch) })
			require.Equal(t, domain.OrdersDifference{Changed: 1}, difference.Orders)
			require.Equal(t, []domain.OrderDifference{{Source: "shop", Key: "b/~", Fields: test.fields}}, difference.Examples)
		})
	}
}

// Orders that only one side has are told apart, whatever their numbers are.
func TestMissingAndAddedOrders(t *testing.T) {
	t.Parallel()
	difference := pair(t, two, func(w *writer) {
		w.apply(step("new", domain.FulfillmentAccepted))
		w.apply(step("b/~", domain.FulfillmentReady))
	})
	require.Equal(t, domain.OrdersDifference{Missing: 1, Added: 1}, difference.Orders)
}

// Orders are paired by source and key where the two sides number them otherwise.
func TestOrdersWithOtherNumbersArePaired(t *testing.T) {
	t.Parallel()
	difference := pair(t, two, func(w *writer) {
		w.apply(step("b/~", domain.FulfillmentReady))
		w.apply(step("a", domain.FulfillmentAccepted))
	})
	require.Equal(t, domain.OrdersDifference{Changed: 2}, difference.Orders, "they were seen at other stream sequences")
	require.Equal(t, "a", difference.Examples[0].Key)
	require.Equal(t, "b/~", difference.Examples[1].Key)
}

// Where the two sides number their orders otherwise, the orders themselves are told
// to have other rows, and nothing that belongs to them.
func TestOtherNumbersAloneMakeNoOrderDiffer(t *testing.T) {
	t.Parallel()
	inUse, rebuilt := filepath.Join(t.TempDir(), "in use.db"), filepath.Join(t.TempDir(), "rebuilt.db")
	for _, path := range []string{inUse, rebuilt} {
		w := newWriter(t, openAt(t, path))
		two(w)
		proof := &domain.Proof{ProofInfo: domain.ProofInfo{ID: "p", Type: "image/png"}, Content: []byte("one")}
		w.batch.Proofs = []domain.OrderProof{{Order: w.batch.Orders[1], Proof: proof}}
		w.commit()
	}
	for _, statement := range []string{
		"UPDATE orders SET id = 3 - id + 100", "UPDATE orders SET id = id - 100",
		"UPDATE timeline SET order_id = 3 - order_id", "UPDATE proofs SET order_id = 3 - order_id",
	} {
		execute(t, rebuilt, statement)
	}
	comparison, err := sqlite.Compare(t.Context(), inUse, rebuilt)
	require.NoError(t, err)
	defer func() { require.NoError(t, comparison.Close()) }()
	difference, err := comparison.Difference(t.Context(), 10)
	require.NoError(t, err)
	require.False(t, difference.None())
	require.Zero(t, difference.Orders)
	require.Empty(t, difference.Examples)
	for _, table := range difference.Tables {
		changed := map[string]uint64{"orders": 2}[table.Table]
		require.Equal(t, domain.TableDifference{
			Table: table.Table, InUse: table.InUse, Rebuilt: table.InUse, Changed: changed,
		}, table)
	}
}

// A comparison that is called off says so, and not that a file is damaged.
func TestComparisonEndsWithItsContext(t *testing.T) {
	t.Parallel()
	paths := [2]string{filepath.Join(t.TempDir(), "in use.db"), filepath.Join(t.TempDir(), "rebuilt.db")}
	for _, path := range paths {
		w := newWriter(t, openAt(t, path))
		two(w)
		w.commit()
	}
	comparison, err := sqlite.Compare(t.Context(), paths[0], paths[1])
	require.NoError(t, err)
	defer func() { require.NoError(t, comparison.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = comparison.Difference(ctx, 1)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, domain.ErrDamaged)
}

// The read model in use moves on while it is compared, and is seen as it was.
func TestComparisonHoldsTheReadModelInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inUse, rebuilt := filepath.Join(dir, "1.db"), filepath.Join(dir, "2.db")
	live, fresh := newWriter(t, openAt(t, inUse)), newWriter(t, openAt(t, rebuilt))
	two(live)
	live.commit()
	comparison, err := sqlite.Compare(t.Context(), inUse, rebuilt)
	require.NoError(t, err)
	defer func() { require.NoError(t, comparison.Close()) }()
	live.apply(step("c", domain.FulfillmentReady))
	live.commit()
	require.EqualValues(t, 2, comparison.StreamSequence())

	_, err = comparison.Difference(t.Context(), 1)
	require.ErrorContains(t, err, "at stream sequence 2, the rebuilt one at 0")
	two(fresh)
	fresh.commit()
}

// A comparison reads all there is of both files: a flipped bit on any page of either
// makes it fail, and never passes for equal.
func TestComparisonReadsEveryPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	paths := [2]string{filepath.Join(dir, "in use.db"), filepath.Join(dir, "rebuilt.db")}
	for _, path := range paths {
		db, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		w := newWriter(t, db)
		for i := range 40 {
			event := step(fmt.Sprintf("order-%d", i), domain.FulfillmentReady)
			event.StoreID = "store"
			order := w.apply(event)
			if i < 2 {
				proof := &domain.Proof{ProofInfo: domain.ProofInfo{ID: "p", Type: "image/png"}, Content: make([]byte, 5000)}
				w.batch.Proofs = append(w.batch.Proofs, domain.OrderProof{Order: order, Proof: proof})
			}
		}
		w.commit()
		require.NoError(t, db.Close())
	}
	for _, path := range paths {
		sound, err := os.ReadFile(path)
		require.NoError(t, err)
		for page := 0; page < len(sound); page += 4096 {
			spoilt := slices.Clone(sound)
			spoilt[page+2000] ^= 4
			require.NoError(t, os.WriteFile(path, spoilt, 0o600))
			comparison, err := sqlite.Compare(t.Context(), paths[0], paths[1])
			if err == nil {
				_, err = comparison.Difference(t.Context(), 10)
				require.NoError(t, comparison.Close())
			}
			require.ErrorIs(t, err, domain.ErrDamaged, "page %d of %s", 1+page/4096, filepath.Base(path))
		}
		require.NoError(t, os.WriteFile(path, sound, 0o600))
	}
}

// A page on which an older state of it was left, as by a disk that lost a write, has a
// sum that fits; it is found by what it says, in a table as in an index.
func TestComparisonFindsLostWrites(t *testing.T) {
	t.Parallel()
	inUse, rebuilt := filepath.Join(t.TempDir(), "in use.db"), filepath.Join(t.TempDir(), "rebuilt.db")
	w := newWriter(t, openAt(t, inUse))
	content := func(fulfillment domain.Fulfillment, first, end int) []byte {
		for i := first; i < end; i++ {
			event := step(fmt.Sprintf("order-%d", i), fulfillment)
			event.StoreID = fmt.Sprint("store-", i%3)
			w.apply(event)
		}
		w.commit()
		execute(t, inUse, "PRAGMA wal_checkpoint(TRUNCATE)")
		all, err := os.ReadFile(inUse)
		require.NoError(t, err)
		return all
	}
	before := content(domain.FulfillmentAccepted, 0, 300)
	after := content(domain.FulfillmentReady, 100, 103)
	require.NoError(t, os.WriteFile(rebuilt, after, 0o600))
	_, sound, err := dump(t.Context(), sqlite.DSN(rebuilt))
	require.NoError(t, err)
	lost := 0
	for at := 0; at < len(before); at += 4096 {
		path := filepath.Join(t.TempDir(), "lost.db")
		require.NoError(t, os.WriteFile(path, slices.Concat(after[:at], before[at:at+4096], after[at+4096:]), 0o600))
		if _, text, err := dump(t.Context(), sqlite.DSN(path)); err == nil && text == sound {
			continue // it says the same
		}
		lost++
		comparison, err := sqlite.Compare(t.Context(), path, rebuilt)
		require.NoError(t, err)
		difference, err := comparison.Difference(t.Context(), 10)
		require.True(t, err != nil || !difference.None(), "page %d", 1+at/4096)
		require.NoError(t, comparison.Close())
	}
	require.Greater(t, lost, 5)
}

var benchOrders = flag.Int("orders", 2000, "how many orders the benchmark of a comparison has")

// What a comparison costs does not depend on how much differs.
func BenchmarkCompare(b *testing.B) {
	dir := b.TempDir()
	model := func(name, statement string) string {
		path := filepath.Join(dir, name)
		if statement == "" {
			fillOrders(b, path, *benchOrders)
			return path
		}
		content, err := os.ReadFile(filepath.Join(dir, "in use.db"))
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(path, content, 0o600))
		db, err := sql.Open("sqlite3", sqlite.DSN(path))
		require.NoError(b, err)
		_, err = db.ExecContext(b.Context(), statement)
		require.NoError(b, err)
		require.NoError(b, db.Close())
		return path
	}
	inUse := model("in use.db", "")
	for _, c := range []struct{ name, statement string }{
		{"equal", "SELECT 1"},
		{"one differs", "UPDATE orders SET state = 'closed' WHERE id = 7"},
		{"all differ", "UPDATE orders SET state = 'closed'"},
	} {
		rebuilt := model(c.name+".db", c.statement)
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				comparison, err := sqlite.Compare(b.Context(), inUse, rebuilt)
				require.NoError(b, err)
				_, err = comparison.Difference(b.Context(), 20)
				require.NoError(b, err)
				require.NoError(b, comparison.Close())
			}
		})
		require.NoError(b, os.Remove(rebuilt))
	}
}

// fillOrders makes a read model of orders with three lines of timeline each.
func fillOrders(b *testing.B, path string, orders int) {
	db, err := sqlite.Open(b.Context(), path)
	require.NoError(b, err)
	var t testing.T
	w := newWriter(&t, db)
	const batch = 5000
	for first := 0; first < orders; first += batch {
		for _, fulfillment := range []domain.Fulfillment{domain.FulfillmentAccepted, domain.FulfillmentInKitchen, domain.FulfillmentReady} {
			for i := first; i < min(first+batch, orders); i++ {
				w.apply(step(fmt.Sprintf("order-%x", i*7919), fulfillment))
			}
		}
		require.NoError(b, db.Commit(b.Context(), &w.batch))
		w.begin()
		clear(w.orders)
	}
	require.NoError(b, db.Close())
}
