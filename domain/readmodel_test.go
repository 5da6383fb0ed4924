package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// Each webhook is counted once, so the counts add up to the checkpoint.
func TestCountsAddUp(t *testing.T) {
	t.Parallel()
	counts := domain.Counts{Applied: 1, Duplicate: 20, NotAboutOrder: 300, Quarantined: 4000}
	require.EqualValues(t, 4321, counts.Sum())
}

// A page continues from the order's number in the sorts by first appearance, and
// from its last stream sequence in the others.
func TestPositionInASort(t *testing.T) {
	t.Parallel()
	order := &domain.Order{ID: 3, StreamSequence: 70}
	require.EqualValues(t, 3, domain.SortCreatedAscending.Position(order).Number)
	require.EqualValues(t, 3, domain.SortCreatedDescending.Position(order).Number)
	require.EqualValues(t, 70, domain.SortUpdatedAscending.Position(order).Number)
	require.EqualValues(t, 70, domain.SortUpdatedDescending.Position(order).Number)
}

// An untranslatable webhook says why, and where, if there is a place.
func TestUntranslatableTellsCauseAndPlace(t *testing.T) {
	t.Parallel()
	require.EqualError(t, &domain.Untranslatable{Cause: domain.CauseMalformed}, "malformed-json")
	require.EqualError(t, &domain.Untranslatable{Cause: domain.CauseKeyMissing, Where: "/data/orderId"},
		"order-key-missing at /data/orderId")
}
