package domain_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// What is no news leaves all that readers see of an order as it was, but for what is about
// having been heard; what is news may not.
func TestNoNewsIsNothingThatReadersSee(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		anyEvent := eventOf(domain.Step, domain.Snapshot)
		order := fold(rapid.SliceOfN(anyEvent, 1, 6).Draw(t, "before")...)
		before := seen(order)
		change := apply(order, anyEvent.Draw(t, "event"))
		if !change.IsNews() {
			require.Equal(t, before, seen(order))
		}
	})
}

// seen gives what readers see of an order, without what is about arrival.
func seen(o *domain.Order) []any {
	refunds, payments, anomalies := slices.Clone(o.Refunds), slices.Clone(o.Payments), slices.Clone(o.Anomalies)
	for i := range refunds {
		refunds[i].Stamp = domain.Stamp{}
	}
	for i := range payments {
		payments[i].Stamp = domain.Stamp{}
	}
	for i := range anomalies {
		anomalies[i].StreamSequence = 0
	}
	return []any{
		o.Standing(), o.ProviderStatus.Value, o.StoreID.Value, o.Reference.Value, o.Description.Value, o.FulfillmentKind.Value,
		o.Currency.Value, o.Total.Value, o.Discount.Value, o.Refunded.Value, o.CreatedAt.Value, o.CompletedAt.Value, o.Receipt.Value,
		o.ErasedAt, refunds, payments, anomalies, slices.Clone(o.Proofs),
	}
}

// Each effect tells by itself whether it is news, but a late one: that is news where it
// filled something in.
func TestEffectsThatAreNews(t *testing.T) {
	t.Parallel()
	for effect, isNews := range map[domain.Effect]bool{
		domain.EffectAdvanced: true, domain.EffectUpdated: true, domain.EffectContradiction: true, domain.EffectErased: true,
		domain.EffectNoChange: false, domain.EffectDuplicate: false, domain.EffectLate: false, domain.EffectBackfilled: false,
	} {
		change := domain.Change{Effect: effect}
		require.Equal(t, isNews, change.IsNews(), effect)
	}
	filled := domain.Change{Effect: domain.EffectLate, News: 1}
	require.True(t, filled.IsNews())
}
