package domain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// second gives the instant n seconds into the tests' day.
func second(n int) domain.Instant {
	return domain.InstantOf(time.Date(2026, 5, 1, 12, 0, n, 0, time.UTC))
}

// fold gives an order of the events, received one a second in stream order from 1.
func fold(events ...*domain.Event) *domain.Order {
	order := domain.NewOrder("shop", "ordatic", "store-1:o-1")
	for _, event := range events {
		apply(order, event)
	}
	return order
}

// apply folds the event as the next one in the stream.
func apply(order *domain.Order, event *domain.Event) domain.Change {
	n := order.StreamSequence + 1
	return order.Apply(event, n, second(int(n)), second(int(n)))
}

func step(axes domain.Axes) *domain.Event {
	return &domain.Event{Kind: domain.Step, Standing: domain.Standing{Axes: axes}}
}

// Every step on every standing raises each axis to the higher value, gives the
// headline of the result, and is judged by one rule: a contradiction first, else
// an advance, else late where it names an axis that is further already.
func TestEveryStepOnEveryStanding(t *testing.T) {
	t.Parallel()
	for _, before := range everyAxes() {
		if before.Payment != domain.PaymentNone {
			continue
		}
		for _, said := range everyAxes() {
			if said.Payment == domain.PaymentNone {
				requireStep(t, before, said)
			}
		}
	}
}

// The payment axis follows the same rule as the others.
func TestEveryPaymentOnEveryPayment(t *testing.T) {
	t.Parallel()
	for before := domain.PaymentNone; before <= domain.PaymentDisputed; before++ {
		for said := domain.PaymentNone; said <= domain.PaymentDisputed; said++ {
			requireStep(t, domain.Axes{Payment: before}, domain.Axes{Payment: said})
		}
	}
}

func requireStep(t *testing.T, before, said domain.Axes) {
	t.Helper()
	order := fold(step(before))
	change := apply(order, step(said))
	want := higherOfEach(before, said)
	effect := effectOfStep(before, said, want)
	if order.Standing().Axes != want || order.State().String() != headline(want) ||
		change.Before.String() != headline(before) || change.After != order.State() || change.Effect != effect {
		require.Fail(t, "wrong step", "%+v after %+v: want %+v and %s, have %+v and %+v",
			said, before, want, effect, order.Standing(), change)
	}
}

func higherOfEach(a, b domain.Axes) domain.Axes {
	if b.Fulfillment > a.Fulfillment {
		a.Fulfillment = b.Fulfillment
	}
	if b.Delivery > a.Delivery {
		a.Delivery = b.Delivery
	}
	if b.Payment > a.Payment {
		a.Payment = b.Payment
	}
	if b.Outcome > a.Outcome {
		a.Outcome = b.Outcome
	}
	return a
}

func effectOfStep(before, said, after domain.Axes) domain.Effect {
	atOdds := map[[2]string]bool{
		{"failed", "completed"}: true, {"completed", "failed"}: true,
		{"failed", "closed"}: true, {"closed", "failed"}: true,
		{"canceled", "completed"}: true, {"completed", "canceled"}: true,
		{"canceled", "closed"}: true, {"closed", "canceled"}: true,
	}
	isBelow := func(said, after uint8) bool { return said != 0 && said < after }
	switch {
	case atOdds[[2]string{before.Outcome.String(), said.Outcome.String()}]:
		return domain.EffectContradiction
	case after != before:
		return domain.EffectAdvanced
	case isBelow(uint8(said.Fulfillment), uint8(after.Fulfillment)),
		isBelow(uint8(said.Delivery), uint8(after.Delivery)),
		isBelow(uint8(said.Payment), uint8(after.Payment)),
		isBelow(uint8(said.Outcome), uint8(after.Outcome)):
		return domain.EffectLate
	}
	return domain.EffectNoChange
}

// A new order's first event advances it whatever it says, and its life starts
// when that event's webhook came.
func TestFirstEventAdvances(t *testing.T) {
	t.Parallel()
	order := fold()
	change := order.Apply(step(domain.Axes{}), 7, second(3), second(3))
	require.Equal(t, domain.Change{Effect: domain.EffectAdvanced, First: true}, change)
	require.Equal(t, second(3), order.FirstSeenAt)
	require.Equal(t, second(3), order.StateSince)
	require.EqualValues(t, 7, order.StreamSequence)
	require.EqualValues(t, 1, order.Version)
}

// A change of headline tells how long the order was in the one it left, by the
// times of receipt, and that clock starts anew; other events leave it running.
func TestChangeTellsHowLongTheHeadlineLasted(t *testing.T) {
	t.Parallel()
	order := fold()
	order.Apply(step(domain.Axes{Fulfillment: domain.FulfillmentAccepted}), 1, second(0), second(0))
	order.Apply(step(domain.Axes{Delivery: domain.DeliveryAssigned}), 2, second(10), second(10))
	change := order.Apply(step(domain.Axes{Fulfillment: domain.FulfillmentInKitchen}), 3, second(25), second(25))
	require.Equal(t, domain.StateAccepted, change.Before)
	require.Equal(t, domain.StateInKitchen, change.After)
	require.Equal(t, 25*time.Second, change.InBefore)
	require.Equal(t, second(25), order.StateSince)
	require.Equal(t, second(0), order.FirstSeenAt)
	require.Equal(t, second(25), order.LastSeenAt)
}

// A webhook that was released from quarantine came before others that the stream has
// before it: the order was first seen when it came, and changed for readers when the
// stream took it. What came last stays what came last.
func TestReleasedWebhookCameEarlier(t *testing.T) {
	t.Parallel()
	order := fold()
	order.Apply(step(domain.Axes{Fulfillment: domain.FulfillmentAccepted}), 1, second(50), second(50))
	require.Equal(t, second(50), order.UpdatedAt())
	order.Apply(step(domain.Axes{Fulfillment: domain.FulfillmentReady}), 2, second(10), second(90))
	require.Equal(t, second(10), order.FirstSeenAt)
	require.Equal(t, second(50), order.LastSeenAt)
	require.Equal(t, second(90), order.UpdatedAt())
	require.Equal(t, second(10), order.StateSince)
	order.Apply(step(domain.Axes{Delivery: domain.DeliveryDelivering}), 3, second(95), second(95))
	require.Equal(t, second(10), order.FirstSeenAt)
	require.Equal(t, second(95), order.LastSeenAt)
	require.Equal(t, second(95), order.UpdatedAt())
}

// Contradicting outcomes give the higher one, one anomaly for each pair, at the
// stream sequence where it was first seen, and the same in either order.
func TestContradictingOutcomes(t *testing.T) {
	t.Parallel()
	completed := step(domain.Axes{Outcome: domain.OutcomeCompleted})
	canceled := step(domain.Axes{Outcome: domain.OutcomeCanceled})
	failed := step(domain.Axes{Outcome: domain.OutcomeFailed})

	order := fold(canceled)
	change := apply(order, completed)
	require.Equal(t, domain.EffectContradiction, change.Effect)
	require.Equal(t, "completed and canceled cannot both be", change.Note)
	require.Equal(t, domain.StateCanceled, order.State())
	require.Equal(t, domain.EffectNoChange, apply(order, canceled).Effect, "the same contradiction is told once")

	apply(order, failed)
	require.Equal(t, []domain.Anomaly{
		{Code: domain.AnomalyContradictingOutcomes, Detail: "completed and canceled", StreamSequence: 2},
		{Code: domain.AnomalyContradictingOutcomes, Detail: "failed and completed", StreamSequence: 4},
	}, order.Anomalies)
	require.Equal(t, blanked(order), blanked(fold(failed, completed, canceled, canceled)))
}

// A problem is raised beside the state and never changes it; it stays since when
// it was raised, however often it is told again.
func TestProblemStandsBesideTheState(t *testing.T) {
	t.Parallel()
	order := fold(step(domain.Axes{Delivery: domain.DeliveryPicking}))
	riderError := &domain.Event{Standing: domain.Standing{Problem: "rider-error"}}
	require.Equal(t, domain.EffectUpdated, apply(order, riderError).Effect)
	require.Equal(t, domain.EffectNoChange, apply(order, riderError).Effect)
	require.Equal(t, domain.StateAccepted, order.State())
	require.Equal(t, "rider-error", order.Standing().Problem)
	require.Equal(t, second(2), order.ProblemSince)
}

// An event that brings something new beside an axis long passed is an update; a
// late one is told only where nothing came with it.
func TestLateStepThatBringsNewsIsAnUpdate(t *testing.T) {
	t.Parallel()
	order := fold(step(domain.Axes{Fulfillment: domain.FulfillmentReady}))
	late := step(domain.Axes{Fulfillment: domain.FulfillmentAccepted})
	late.StoreID = "store-1"
	require.Equal(t, domain.EffectUpdated, apply(order, late).Effect)
	change := apply(order, late)
	require.Equal(t, domain.EffectLate, change.Effect)
	require.NotEmpty(t, change.Note)
}

// Anomalies are a set by code and detail, and keep where each was first seen.
func TestAnomaliesAreASet(t *testing.T) {
	t.Parallel()
	odd := &domain.Event{Anomalies: []domain.Anomaly{
		{Code: domain.AnomalyUnknownStatus, Detail: "b"},
		{Code: domain.AnomalyUnknownStatus, Detail: "a"},
		{Code: domain.AnomalyUnknownStatus, Detail: "b"},
	}}
	order := fold(odd)
	require.Equal(t, domain.EffectNoChange, apply(order, odd).Effect)
	require.Equal(t, []domain.Anomaly{
		{Code: domain.AnomalyUnknownStatus, Detail: "a", StreamSequence: 1},
		{Code: domain.AnomalyUnknownStatus, Detail: "b", StreamSequence: 1},
	}, order.Anomalies)
}

// Proofs are a set by the hash of their bytes.
func TestProofsAreASet(t *testing.T) {
	t.Parallel()
	proof := func(id string) *domain.Event {
		return &domain.Event{Proof: &domain.Proof{ProofInfo: domain.ProofInfo{ID: id, Type: "image/png", Size: 9}}}
	}
	order := fold(proof("2"), proof("1"), proof("2"))
	require.Equal(t, []domain.ProofInfo{
		{ID: "1", Type: "image/png", Size: 9},
		{ID: "2", Type: "image/png", Size: 9},
	}, order.Proofs)
	require.Equal(t, domain.EffectNoChange, apply(order, proof("1")).Effect)
}
