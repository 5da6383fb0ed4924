package lookback_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// An erased order is folded again like any other, before its webhooks go from the stream
// and after: it is the stored one, nothing of it differs, and what is explained of it is
// what its timeline says.
func TestErasedOrderFoldsAgain(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptHistories(4))
	orders, err := r.model.Orders(t.Context(), domain.OrderQuery{Limit: 1000})
	require.NoError(t, err)
	var last uint64
	for i, order := range orders {
		if i%2 == 0 {
			last = r.log.Erase(order.Source, order.Key)
		}
	}
	r.project(last)
	before := r.contentHash()

	for range 2 {
		for _, order := range orders {
			stored, err := r.model.Order(t.Context(), order.Source, order.Key)
			require.NoError(t, err)
			was, err := r.OrderAt(t.Context(), order.Source, order.Key, last)
			require.NoError(t, err)
			stored.ID = 0
			require.Equal(t, stored, was)
			rebuilt, err := r.RebuildOrder(t.Context(), order.Source, order.Key, false)
			require.NoError(t, err)
			require.False(t, rebuilt.Differs(), "%+v", rebuilt)

			entries, err := r.model.Timeline(t.Context(), order.Source, order.Key, domain.TimelinePosition{}, 1000)
			require.NoError(t, err)
			told := map[uint64]domain.Effect{}
			for _, entry := range entries {
				require.False(t, !stored.ErasedAt.IsZero() && entry.Effect == domain.EffectBackfilled && entry.Note != "")
				if entry.Ordinal == 0 {
					told[entry.StreamSequence] = entry.Effect
				}
			}
			for explained, err := range r.Explain(t.Context(), order.Source, order.Key) {
				require.NoError(t, err)
				require.Equal(t, told[explained.StreamSequence], explained.Change.Effect)
				require.NotEmpty(t, explained.Reason)
				require.Equal(t, explained.Change.Effect == domain.EffectErased, explained.Verified == "", "ticketrail wrote it itself")
				delete(told, explained.StreamSequence)
			}
			require.Empty(t, told)
		}
		r.log.Overwrite()
	}
	require.Equal(t, before, r.contentHash())
}

// As it was before it was erased, an order says that its texts were.
func TestErasedOrderAsItWas(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.log.Accept(`{"eventType":"rider-refund","storeId":"s","data":{"orderId":"o","refund":{"reason":"Alva was out"}}}`)
	r.project(r.log.Erase("shop", "s:o"))
	r.log.Overwrite()
	was, err := r.OrderAt(t.Context(), "shop", "s:o", 1)
	require.NoError(t, err)
	require.Regexp(t, "^erased-[0-9a-f]+$", was.Refunds[0].Reason)
	require.Zero(t, was.ErasedAt)
}
