package domain_test

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// TestMain raises rapid's hundred checks of each property; -rapid.checks on the
// command line still has the last word.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "3500"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// Any permutation and any repetition of an order's steps ends in the same order.
func TestStepsInAnyOrderEndTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, anyOrderEndsTheSame(domain.Step))
}

// Any permutation and any repetition of an order's snapshots ends in the same order.
func TestSnapshotsInAnyOrderEndTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, anyOrderEndsTheSame(domain.Snapshot))
}

// The same holds for steps and snapshots of one order, mixed.
func TestStepsAndSnapshotsInAnyOrderEndTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, anyOrderEndsTheSame(domain.Step, domain.Snapshot))
}

// anyOrderEndsTheSame is the property that all of this stands on.
func anyOrderEndsTheSame(kinds ...domain.Kind) func(*rapid.T) {
	return func(t *rapid.T) {
		events := rapid.SliceOfN(eventOf(kinds...), 1, 10).Draw(t, "events")
		repeats := rapid.SliceOfN(rapid.SampledFrom(events), 0, 5).Draw(t, "repeats")
		arrivals := rapid.Permutation(append(slices.Clone(events), repeats...)).Draw(t, "arrivals")
		require.Equal(t, blanked(fold(events...)), blanked(fold(arrivals...)))
	}
}

// An order that was stored and read back is the same order, and every further
// event does to it what it does to the one that was never stored.
func TestStoredOrderFoldsOn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		anyEvent := eventOf(domain.Step, domain.Snapshot)
		order := fold(rapid.SliceOfN(anyEvent, 0, 6).Draw(t, "before")...)

		text, err := json.Marshal(order)
		require.NoError(t, err)
		var stored domain.Order
		require.NoError(t, json.Unmarshal(text, &stored))
		require.Equal(t, order, &stored)

		for _, event := range rapid.SliceOfN(anyEvent, 1, 4).Draw(t, "after") {
			require.Equal(t, apply(order, event), apply(&stored, event))
			require.Equal(t, order, &stored)
		}
	})
}

// Every effect but a new order's tells the truth about the axes: only an advance
// and a contradiction may move them, and an update always leaves a trace.
func TestEffectTellsWhatChanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		anyEvent := eventOf(domain.Step, domain.Snapshot)
		order := fold(rapid.SliceOfN(anyEvent, 1, 6).Draw(t, "before")...)
		before, standing := blanked(order), order.Standing()
		change := apply(order, anyEvent.Draw(t, "event"))
		switch change.Effect {
		case domain.EffectAdvanced:
			require.NotEqual(t, standing.Axes, order.Standing().Axes)
		case domain.EffectUpdated:
			require.Equal(t, standing.Axes, order.Standing().Axes)
			require.NotEqual(t, before, blanked(order))
		case domain.EffectNoChange, domain.EffectLate:
			require.Equal(t, standing.Axes, order.Standing().Axes)
		default:
			require.Equal(t, domain.EffectContradiction, change.Effect)
		}
	})
}

// blanked gives a copy of the order, as it is now, without what is about arrival.
func blanked(order *domain.Order) domain.Order {
	o := *order
	o.FirstSeenAt, o.LastSeenAt, o.StoredAt = domain.Instant{}, domain.Instant{}, domain.Instant{}
	o.ProblemSince, o.StateSince = domain.Instant{}, domain.Instant{}
	o.Version, o.StreamSequence = 0, 0
	o.Refunds, o.Payments = slices.Clone(o.Refunds), slices.Clone(o.Payments)
	o.Anomalies = slices.Clone(o.Anomalies)
	for i := range o.Anomalies {
		o.Anomalies[i].StreamSequence = 0
	}
	return o
}

// eventOf draws events of one order from pools so small that ties, gaps and
// contradictions abound. As in life, no two of different content have one body.
func eventOf(kinds ...domain.Kind) *rapid.Generator[*domain.Event] {
	return rapid.Custom(func(t *rapid.T) *domain.Event {
		event := &domain.Event{
			Kind:            rapid.SampledFrom(kinds).Draw(t, "kind"),
			Standing:        standing(t),
			StandingUnknown: rapid.IntRange(0, 9).Draw(t, "unknown") == 0,
			Facts:           facts(t),
			Refunds:         rapid.SliceOfN(rapid.Custom(refund), 0, 2).Draw(t, "refunds"),
			Payments:        rapid.SliceOfN(rapid.Custom(payment), 0, 2).Draw(t, "payments"),
			History:         rapid.SliceOfN(rapid.Custom(historyEntry), 0, 3).Draw(t, "history"),
			Anomalies:       rapid.SliceOfN(rapid.Custom(anomaly), 0, 1).Draw(t, "anomalies"),
			Proof:           proof(t),
		}
		seal(event, instants.Draw(t, "clock"), rapid.Uint8Max(2).Draw(t, "rank"))
		return event
	})
}

// seal stamps the event and its elements with the digest of what they say.
func seal(event *domain.Event, clock domain.Instant, rank uint8) {
	body, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	digest := domain.DigestBody(body)
	event.Stamp = domain.NewStamp(clock, len(event.History), rank, digest)
	for i := range event.Refunds {
		event.Refunds[i].Stamp = domain.NewStamp(event.Refunds[i].At, 0, rank, digest)
	}
	for i := range event.Payments {
		event.Payments[i].Stamp = domain.NewStamp(event.Payments[i].At, 0, rank, digest)
	}
}

var (
	axes     = rapid.SampledFrom(everyAxes())
	words    = rapid.SampledFrom([]string{"", "a", "b", "ü"})
	ids      = rapid.SampledFrom([]string{"1", "2"})
	amounts  = rapid.SampledFrom([]domain.Amount{"", "1", "1.00"})
	instants = rapid.SampledFrom([]domain.Instant{{}, second(1), second(2), domain.UnixInstant(second(1).Time().UnixMilli())})
)

func standing(t *rapid.T) domain.Standing {
	return domain.Standing{Axes: axes.Draw(t, "axes"), Problem: words.Draw(t, "problem")}
}

func facts(t *rapid.T) domain.Facts {
	return domain.Facts{
		ProviderStatus:  words.Draw(t, "status"),
		StoreID:         words.Draw(t, "store"),
		Reference:       words.Draw(t, "reference"),
		Description:     words.Draw(t, "description"),
		FulfillmentKind: words.Draw(t, "fulfillment kind"),
		Currency:        words.Draw(t, "currency"),
		Total:           amounts.Draw(t, "total"),
		Discount:        amounts.Draw(t, "discount"),
		Refunded:        amounts.Draw(t, "refunded"),
		CreatedAt:       instants.Draw(t, "created"),
		CompletedAt:     instants.Draw(t, "completed"),
		Receipt:         domain.Receipt{ID: words.Draw(t, "receipt"), PaidAt: instants.Draw(t, "receipt paid")},
	}
}

func refund(t *rapid.T) domain.Refund {
	return domain.Refund{
		ID:     ids.Draw(t, "id"),
		Amount: amounts.Draw(t, "amount"),
		Status: words.Draw(t, "status"),
		At:     instants.Draw(t, "at"),
	}
}

func payment(t *rapid.T) domain.PaymentRecord {
	return domain.PaymentRecord{
		ID:     ids.Draw(t, "id"),
		Amount: amounts.Draw(t, "amount"),
		Status: words.Draw(t, "status"),
		At:     instants.Draw(t, "at"),
	}
}

func historyEntry(t *rapid.T) domain.HistoryEntry {
	return domain.HistoryEntry{
		Status: words.Draw(t, "status"),
		Reason: words.Draw(t, "reason"),
		At:     instants.Draw(t, "at"),
	}
}

func anomaly(t *rapid.T) domain.Anomaly {
	return domain.Anomaly{Code: ids.Draw(t, "code"), Detail: words.Draw(t, "detail")}
}

func proof(t *rapid.T) *domain.Proof {
	content := []byte(words.Draw(t, "proof"))
	if len(content) == 0 {
		return nil
	}
	return &domain.Proof{ProofInfo: domain.ProofInfo{ID: string(content), Size: len(content)}, Content: content}
}
