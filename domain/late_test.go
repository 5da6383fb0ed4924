package domain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

var limits = &domain.Limits{
	All:     map[domain.State]time.Duration{domain.StateAccepted: 15 * time.Minute, domain.StateCompleted: time.Minute},
	Sources: map[string]map[domain.State]time.Duration{"slow": {domain.StateAccepted: time.Hour}, "free": {domain.StateAccepted: 0}},
}

func orderAt(source string, axes domain.Axes, since time.Time) *domain.Order {
	o := domain.NewOrder(source, "ordatic", "o-1")
	o.Apply(&domain.Event{Key: "o-1", Standing: domain.Standing{Axes: axes}}, 1, domain.InstantOf(since), domain.InstantOf(since))
	return o
}

// An order is late when it has been in its state for the limit of its source; one that
// waits for nothing more, or has no limit, never is.
func TestLateAt(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 3, 1, 12, 0, 0, 1, time.UTC)
	accepted := domain.Axes{Fulfillment: domain.FulfillmentAccepted}
	require.Equal(t, since.Add(15*time.Minute), limits.LateAt(orderAt("any", accepted, since)))
	require.Equal(t, since.Add(time.Hour), limits.LateAt(orderAt("slow", accepted, since)))
	require.Zero(t, limits.LateAt(orderAt("free", accepted, since)))
	require.Zero(t, limits.LateAt(orderAt("any", domain.Axes{Fulfillment: domain.FulfillmentReady}, since)), "it has no limit")
	require.Zero(t, limits.LateAt(orderAt("any", domain.Axes{Outcome: domain.OutcomeCompleted}, since)), "it has ended")
	erased := orderAt("any", accepted, since)
	erased.Apply(&domain.Event{Kind: domain.Tombstone}, 2, domain.InstantOf(since), domain.InstantOf(since))
	require.Zero(t, limits.LateAt(erased), "it takes no more webhooks")
}

// What is expected next follows from where the order stands and what its provider tells.
func TestExpectedNext(t *testing.T) {
	t.Parallel()
	told := map[string][]domain.State{
		"all": domain.States(),
		"shop": {
			domain.StatePlaced, domain.StateAccepted, domain.StateInKitchen, domain.StateReady, domain.StateRiderDelivering,
			domain.StateCompleted, domain.StateCanceled,
		},
		"till": {domain.StatePlaced, domain.StateFailed, domain.StateClosed},
	}
	for _, test := range []struct {
		provider string
		axes     domain.Axes
		want     []domain.State
	}{
		{"shop", domain.Axes{}, []domain.State{domain.StateAccepted, domain.StateCanceled}},
		{"shop", domain.Axes{Fulfillment: domain.FulfillmentInKitchen}, []domain.State{domain.StateReady, domain.StateRiderDelivering, domain.StateCanceled}},
		{"shop", domain.Axes{Delivery: domain.DeliveryAssigned}, []domain.State{domain.StateInKitchen, domain.StateRiderDelivering, domain.StateCanceled}},
		{"shop", domain.Axes{Fulfillment: domain.FulfillmentReady}, []domain.State{domain.StateRiderDelivering, domain.StateCompleted, domain.StateCanceled}},
		{"shop", domain.Axes{Delivery: domain.DeliveryDelivering}, []domain.State{domain.StateCompleted, domain.StateCanceled}},
		{"shop", domain.Axes{Outcome: domain.OutcomeCompleted}, nil},
		{"till", domain.Axes{}, []domain.State{domain.StateFailed, domain.StateClosed}},
		{"till", domain.Axes{Outcome: domain.OutcomeClosed}, nil},
		{"all", domain.Axes{}, []domain.State{domain.StateAccepted, domain.StateFailed, domain.StateCanceled}},
	} {
		require.Equal(t, test.want, orderAt("any", test.axes, time.Unix(0, 0)).ExpectedNext(told[test.provider]), "%s %+v", test.provider, test.axes)
	}
}

// What is expected next is further along, and an order that waits expects something.
func TestExpectedNextIsAhead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := orderAt("any", domain.Axes{
			Fulfillment: domain.Fulfillment(rapid.IntRange(0, 4).Draw(t, "fulfillment")),
			Delivery:    domain.Delivery(rapid.IntRange(0, 4).Draw(t, "delivery")),
			Outcome:     domain.Outcome(rapid.IntRange(0, 4).Draw(t, "outcome")),
		}, time.Unix(0, 0))
		expected := o.ExpectedNext(domain.States())
		require.Equal(t, o.State().Ended(), len(expected) == 0)
		for i, state := range expected {
			require.Greater(t, state, o.State())
			require.True(t, i == 0 || expected[i-1] < state, "in rising order")
		}
	})
}
