package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// Changes are the webhooks that are news, in the order of the stream, however they were
// committed and however they are read; each with an order that is not older.
func TestChangesAreTheNews(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		db := open(t)
		w := newWriter(t, db)
		var news []uint64
		for range rapid.IntRange(0, 40).Draw(rt, "webhooks") {
			key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key")
			w.apply(step(key, rapid.SampledFrom([]domain.Fulfillment{domain.FulfillmentAccepted, domain.FulfillmentInKitchen, domain.FulfillmentReady}).Draw(rt, "fulfillment")))
			if entry := w.batch.Timeline[len(w.batch.Timeline)-1]; entry.IsNews {
				news = append(news, entry.StreamSequence)
			}
			if rapid.Bool().Draw(rt, "commit") {
				w.commit()
			}
		}
		w.commit()
		last := w.batch.Checkpoint.StreamSequence

		var read []uint64
		for at := uint64(0); at < last; {
			page, err := db.Changes(t.Context(), at, rapid.IntRange(1, 5).Draw(rt, "limit"), rapid.IntRange(1, 2000).Draw(rt, "bytes"))
			require.NoError(t, err)
			require.Greater(t, page.Through, at)
			for _, change := range page.Changes {
				require.GreaterOrEqual(t, change.Order.StreamSequence, change.StreamSequence)
				require.Positive(t, change.Size)
				read = append(read, change.StreamSequence)
			}
			at = page.Through
		}
		require.Equal(t, news, read)
		n, err := db.ChangesAfter(t.Context(), 0, 7)
		require.NoError(t, err)
		require.Equal(t, min(7, len(news)), n)
	})
}

// A read model that nothing was committed to has no changes, and goes nowhere.
func TestNoChanges(t *testing.T) {
	t.Parallel()
	page, err := open(t).Changes(t.Context(), 3, 10, 1000)
	require.NoError(t, err)
	require.Equal(t, domain.OrderChanges{Through: 3}, page)
}
