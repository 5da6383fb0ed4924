package sqlite_test

import (
	"path/filepath"
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
	require.Len(t, tables, 9)
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
