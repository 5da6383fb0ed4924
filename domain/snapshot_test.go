package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// snapshot gives a snapshot of clock n seconds, whose body is the status.
func snapshot(n int, status string, axes domain.Axes) *domain.Event {
	return &domain.Event{
		Kind:     domain.Snapshot,
		Stamp:    domain.NewStamp(second(n), 0, 0, domain.DigestBody([]byte(status))),
		Standing: domain.Standing{Axes: axes},
		Facts:    domain.Facts{ProviderStatus: status},
	}
}

var (
	pending  = domain.Axes{Payment: domain.PaymentPending}
	paid     = domain.Axes{Payment: domain.PaymentPaid, Outcome: domain.OutcomeCompleted}
	disputed = domain.Axes{Payment: domain.PaymentDisputed, Outcome: domain.OutcomeCompleted}
	failed   = domain.Axes{Payment: domain.PaymentFailed, Outcome: domain.OutcomeFailed}
)

// The newer snapshot wins as a whole, though its axes be lower: an order can be
// opened again.
func TestNewerSnapshotWinsAsAWhole(t *testing.T) {
	t.Parallel()
	order := fold(snapshot(1, "failed", failed))
	change := apply(order, snapshot(2, "processing", pending))
	require.Equal(t, domain.EffectAdvanced, change.Effect)
	require.Equal(t, pending, order.Standing().Axes)
	require.Equal(t, domain.StatePlaced, change.After)
	require.Empty(t, order.Anomalies, "snapshots that follow one another contradict nothing")
}

// An older snapshot never overwrites a newer one, and still fills what the newer
// one lacks.
func TestOlderSnapshotFillsGapsOnly(t *testing.T) {
	t.Parallel()
	newer := snapshot(2, "paid", paid)
	newer.Total = "32.00"
	older := snapshot(1, "processing", pending)
	older.Total, older.Reference = "31.00", "order-7"

	order := fold(newer)
	change := apply(order, older)
	require.Equal(t, domain.EffectLate, change.Effect)
	require.Equal(t, "a snapshot with a later clock, 2026-05-01T12:00:02Z, is known", change.Note)
	require.Equal(t, paid, order.Standing().Axes)
	require.Equal(t, domain.Amount("32.00"), order.Total.Value)
	require.Equal(t, "order-7", order.Reference.Value)
	require.Equal(t, blanked(order), blanked(fold(older, newer)))
}

// A newer snapshot that lacks a fact takes nothing away.
func TestAbsenceTakesNothingAway(t *testing.T) {
	t.Parallel()
	full := snapshot(1, "paid", paid)
	full.Currency, full.CreatedAt = "SEK", second(0)
	order := fold(full, snapshot(2, "paid", paid))
	require.Equal(t, "SEK", order.Currency.Value)
	require.Equal(t, second(0), order.CreatedAt.Value)
}

// The same snapshot again says nothing new.
func TestSameSnapshotAgainChangesNothing(t *testing.T) {
	t.Parallel()
	order := fold(snapshot(1, "paid", paid))
	require.Equal(t, domain.EffectNoChange, apply(order, snapshot(1, "paid", paid)).Effect)
	require.EqualValues(t, 2, order.Version)
}

// Of two snapshots of one clock the longer history wins, then the higher status,
// then the body: each decides only where those before it are equal.
func TestSnapshotsOfOneClock(t *testing.T) {
	t.Parallel()
	low, high := domain.Digest{0: 1}, domain.Digest{0: 2}
	rising := []domain.Stamp{
		domain.NewStamp(domain.Instant{}, 9, 9, high),
		domain.NewStamp(second(1), 1, 1, low),
		domain.NewStamp(second(1), 1, 1, high),
		domain.NewStamp(second(1), 1, 2, low),
		domain.NewStamp(second(1), 2, 0, low),
		domain.NewStamp(second(2), 0, 0, low),
	}
	for i, winner := range rising {
		for _, loser := range rising[:i] {
			won := &domain.Event{Kind: domain.Snapshot, Stamp: winner, Standing: domain.Standing{Axes: paid}}
			lost := &domain.Event{Kind: domain.Snapshot, Stamp: loser, Standing: domain.Standing{Axes: failed}}
			require.Equal(t, paid, fold(won, lost).Standing().Axes, "%v against %v", winner, loser)
			require.Equal(t, paid, fold(lost, won).Standing().Axes, "%v against %v", winner, loser)
		}
	}
}

// A status that nobody knows leaves the axes where the newest known one put them,
// and is kept verbatim.
func TestUnknownStandingKeepsTheAxes(t *testing.T) {
	t.Parallel()
	unknown := snapshot(3, "on_the_moon", domain.Axes{})
	unknown.StandingUnknown = true

	order := fold(snapshot(1, "processing", pending))
	require.Equal(t, domain.EffectUpdated, apply(order, unknown).Effect)
	require.Equal(t, pending, order.Standing().Axes)
	require.Equal(t, "on_the_moon", order.ProviderStatus.Value)

	late := apply(order, snapshot(1, "processing", pending))
	require.Equal(t, domain.EffectLate, late.Effect, "older than the unknown one")
	late = apply(order, snapshot(2, "paid", paid))
	require.Equal(t, domain.EffectAdvanced, late.Effect, "and yet newer than the known ones")
	require.Equal(t, paid, order.Standing().Axes)
	require.Equal(t, "on_the_moon", order.ProviderStatus.Value)
}

// What steps said and what the newest snapshot says are joined, whichever came first.
func TestStepsAndSnapshotsJoin(t *testing.T) {
	t.Parallel()
	kitchen := step(domain.Axes{Fulfillment: domain.FulfillmentInKitchen})
	want := domain.Axes{Fulfillment: domain.FulfillmentInKitchen, Payment: domain.PaymentPending}
	require.Equal(t, want, fold(kitchen, snapshot(1, "processing", pending)).Standing().Axes)
	require.Equal(t, want, fold(snapshot(1, "processing", pending), kitchen).Standing().Axes)
}

// A dispute that the newest snapshot no longer tells of is over, and so is since
// when it was.
func TestProblemEndsWithItsSnapshot(t *testing.T) {
	t.Parallel()
	dispute := snapshot(1, "in_dispute", disputed)
	dispute.Standing.Problem = "in-dispute"
	order := fold(dispute)
	require.Equal(t, second(1), order.ProblemSince)
	apply(order, snapshot(2, "paid", paid))
	require.Empty(t, order.Standing().Problem)
	require.True(t, order.ProblemSince.IsZero())
}

// The history of a snapshot is a set; what no webhook delivered is back-filled
// once, and never the status of the webhook that tells.
func TestHistoryBackfillsWhatWasNeverDelivered(t *testing.T) {
	t.Parallel()
	created := domain.HistoryEntry{Status: "processing", At: second(1)}
	waiting := domain.HistoryEntry{Status: "waiting_for_payment", At: second(2)}
	settled := domain.HistoryEntry{Status: "paid", At: second(3)}
	first, last := snapshot(1, "processing", pending), snapshot(3, "paid", paid)
	first.History = []domain.HistoryEntry{created}
	last.History = []domain.HistoryEntry{settled, waiting, created}

	order := fold(first)
	require.Equal(t, []domain.HistoryEntry{waiting}, apply(order, last).Backfilled)
	require.Equal(t, []domain.HistoryEntry{created, waiting, settled}, order.History)
	require.Empty(t, apply(order, last).Backfilled)
}

// A late webhook delivers its own status, and back-fills neither that nor the
// status that the order has from a newer one.
func TestLateHistoryBackfillsOnlyWhatIsBetween(t *testing.T) {
	t.Parallel()
	late := snapshot(2, "waiting_for_payment", pending)
	late.History = []domain.HistoryEntry{
		{Status: "processing", At: second(1)},
		{Status: "waiting_for_payment", At: second(2)},
		{Status: "paid", At: second(3)},
	}
	order := fold(snapshot(3, "paid", paid))
	require.Equal(t, late.History[:1], apply(order, late).Backfilled)
	require.Equal(t, late.History, order.History)
}

// A status that a webhook without a history delivered was delivered: a history that
// comes later is news, and back-fills only what is missing between the webhooks.
func TestHistoryBackfillsNoDeliveredStatus(t *testing.T) {
	t.Parallel()
	told := snapshot(9, "paid", paid)
	told.History = []domain.HistoryEntry{
		{Status: "processing", At: second(1)},
		{Status: "waiting_for_payment", At: second(2)},
		{Status: "finalizing", At: second(3)},
		{Status: "paid", At: second(9)},
	}
	order := fold(snapshot(1, "processing", pending), snapshot(3, "finalizing", pending))
	change := apply(order, told)
	require.Equal(t, told.History[1:2], change.Backfilled)
	require.Contains(t, change.News.String(), "history")
	require.Equal(t, []string{"finalizing", "paid", "processing"}, order.Delivered)

	again := fold(snapshot(9, "paid", paid))
	change = apply(again, told)
	require.Equal(t, told.History[:3], change.Backfilled)
	require.Equal(t, domain.EffectUpdated, change.Effect)
}

// The elements of one webhook do to an order what as many webhooks of one element
// each do to it, in whatever order they stand, and those that share an id too.
func TestElementsOfOneWebhookAreFoldedLikeThoseOfMany(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		anyEvent := eventOf(domain.Step)
		together, apart := fold(anyEvent.Draw(t, "before")), fold()
		*apart = *together
		event := &domain.Event{
			Refunds:  rapid.SliceOfN(rapid.Custom(refund), 0, 12).Draw(t, "refunds"),
			Payments: rapid.SliceOfN(rapid.Custom(payment), 0, 12).Draw(t, "payments"),
			History:  rapid.SliceOfN(rapid.Custom(historyEntry), 0, 12).Draw(t, "history"),
		}
		seal(event, domain.Instant{}, 0)
		apply(together, event)
		for _, refund := range event.Refunds {
			apply(apart, &domain.Event{Refunds: []domain.Refund{refund}})
		}
		for _, payment := range event.Payments {
			apply(apart, &domain.Event{Payments: []domain.PaymentRecord{payment}})
		}
		for _, entry := range event.History {
			apply(apart, &domain.Event{History: []domain.HistoryEntry{entry}})
		}
		require.Equal(t, blanked(apart), blanked(together))
	})
}

// Refunds are a set by id: a newer statement replaces, an older one is ignored,
// and a newer one of the same content is no change.
func TestRefundsAreASetOfTheNewest(t *testing.T) {
	t.Parallel()
	refund := func(id, status string, clock int) *domain.Event {
		stamp := domain.NewStamp(second(clock), 0, 0, domain.DigestBody([]byte(id+status)))
		return &domain.Event{Refunds: []domain.Refund{{ID: id, Amount: "5.00", Status: status, Stamp: stamp}}}
	}
	order := fold(refund("r-2", "succeeded", 2), refund("r-1", "pending", 1))
	require.Equal(t, domain.EffectNoChange, apply(order, refund("r-2", "pending", 1)).Effect)
	require.Equal(t, domain.EffectNoChange, apply(order, refund("r-2", "succeeded", 9)).Effect)
	require.Equal(t, domain.EffectUpdated, apply(order, refund("r-1", "failed", 3)).Effect)
	require.Equal(t, "r-1 failed, r-2 succeeded", order.Refunds[0].ID+" "+order.Refunds[0].Status+", "+
		order.Refunds[1].ID+" "+order.Refunds[1].Status)
	require.Len(t, order.Refunds, 2)
}

// Payments are a set of the same kind.
func TestPaymentsAreASetOfTheNewest(t *testing.T) {
	t.Parallel()
	payment := func(status string, clock int) *domain.Event {
		stamp := domain.NewStamp(second(clock), 0, 0, domain.DigestBody([]byte(status)))
		return &domain.Event{Payments: []domain.PaymentRecord{{ID: "p-1", Status: status, Stamp: stamp}}}
	}
	order := fold(payment("closed", 5), payment("created", 1))
	require.Len(t, order.Payments, 1)
	require.Equal(t, "closed", order.Payments[0].Status)
	require.Equal(t, domain.EffectUpdated, apply(order, payment("failed", 6)).Effect)
}
