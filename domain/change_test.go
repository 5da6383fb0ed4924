package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// Each effect has its reason in words: the rule that applied, with what it was
// applied to.
func TestReasonOfEachEffect(t *testing.T) {
	t.Parallel()
	accepted := step(domain.Axes{Fulfillment: domain.FulfillmentAccepted})
	kitchen := step(domain.Axes{Fulfillment: domain.FulfillmentInKitchen, Delivery: domain.DeliveryAssigned})
	priced := step(domain.Axes{})
	priced.Total, priced.Currency = "32.00", "SEK"
	completed := step(domain.Axes{Outcome: domain.OutcomeCompleted})
	canceled := step(domain.Axes{Outcome: domain.OutcomeCanceled})
	older := snapshot(1, "processing", pending)
	older.Reference = "order-7"
	unknown := snapshot(3, "on_the_moon", domain.Axes{})
	unknown.StandingUnknown = true

	for _, test := range []struct {
		name   string
		before []*domain.Event
		event  *domain.Event
		effect domain.Effect
		reason string
	}{
		{
			"first", nil, accepted, domain.EffectAdvanced,
			"it is the first webhook of the order, and moves fulfillment from none to accepted",
		},
		{
			"first that says nothing of the axes", nil, priced, domain.EffectAdvanced,
			"it is the first webhook of the order",
		},
		{
			"step", []*domain.Event{accepted}, kitchen, domain.EffectAdvanced,
			"a step raises what it names, and this one moves fulfillment from accepted to in-kitchen, delivery from none to assigned",
		},
		{
			"snapshot", []*domain.Event{snapshot(1, "processing", pending)}, snapshot(2, "paid", paid), domain.EffectAdvanced,
			"it is the newest snapshot that tells where the order stands, and moves payment from pending to paid, outcome from open to completed",
		},
		{
			"update", []*domain.Event{accepted}, priced, domain.EffectUpdated,
			"no axis moves, and new are: currency, total",
		},
		{
			"unknown status", []*domain.Event{snapshot(1, "paid", paid)}, unknown, domain.EffectUpdated,
			"its status is not known: no axis moves, and new are: provider status",
		},
		{
			"no change", []*domain.Event{accepted}, accepted, domain.EffectNoChange,
			"all that it says was known already",
		},
		{
			"late step", []*domain.Event{kitchen}, accepted, domain.EffectLate,
			"fulfillment is in-kitchen already, accepted ranks below",
		},
		{
			"late snapshot", []*domain.Event{snapshot(2, "paid", paid)}, older, domain.EffectLate,
			"a snapshot with a later clock, 2026-05-01T12:00:02Z, is known; it still fills in: reference",
		},
		{
			"contradiction", []*domain.Event{canceled}, completed, domain.EffectContradiction,
			"completed and canceled cannot both be: the highest outcome stands, canceled",
		},
	} {
		change := apply(fold(test.before...), test.event)
		require.Equal(t, test.effect, change.Effect, test.name)
		require.Equal(t, test.reason, change.Reason(test.event), test.name)
	}
}

// A late snapshot is told by what it is behind: the clock, else the history, else
// the rank, else the body.
func TestLateSnapshotSaysByWhat(t *testing.T) {
	t.Parallel()
	low, high := domain.Digest{0: 1}, domain.Digest{0: 2}
	newest := domain.NewStamp(second(2), 2, 2, high)
	for note, stamp := range map[string]domain.Stamp{
		"a snapshot with a later clock, 2026-05-01T12:00:02Z, is known":       domain.NewStamp(second(1), 9, 9, high),
		"a snapshot of the same moment with a longer history is known":        domain.NewStamp(second(2), 1, 9, high),
		"a snapshot of the same moment with a status of higher rank is known": domain.NewStamp(second(2), 2, 1, high),
		"a snapshot that nothing but its body tells apart is known":           domain.NewStamp(second(2), 2, 2, low),
	} {
		order := fold(&domain.Event{Kind: domain.Snapshot, Stamp: newest, Standing: domain.Standing{Axes: paid}})
		change := apply(order, &domain.Event{Kind: domain.Snapshot, Stamp: stamp, Standing: domain.Standing{Axes: pending}})
		require.Equal(t, domain.EffectLate, change.Effect)
		require.Equal(t, note, change.Note)
	}
}

// A duplicate names the webhook that it repeats, and changes nothing.
func TestDuplicateNamesItsFirst(t *testing.T) {
	t.Parallel()
	order := fold(step(domain.Axes{Fulfillment: domain.FulfillmentReady}))
	before := *order
	change := order.Duplicate(7)
	require.Equal(t, domain.EffectDuplicate, change.Effect)
	require.Equal(t, "the webhook of stream sequence 7 again", change.Note)
	require.Equal(t, "the webhook of stream sequence 7 again: the same webhook id with the same body, which is applied once",
		change.Reason(&domain.Event{}))
	require.Equal(t, domain.StateReady, change.After)
	require.Equal(t, change.Before, change.After)
	require.Equal(t, before, *order)
}
