package sqlite_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// crowd commits many orders of two sources in all states, and gives them.
func crowd(t *testing.T, w *writer) (all []*domain.Order) {
	t.Helper()
	raise := []domain.Axes{
		{}, {Fulfillment: domain.FulfillmentAccepted}, {Fulfillment: domain.FulfillmentInKitchen}, {Fulfillment: domain.FulfillmentReady},
		{Delivery: domain.DeliveryDelivering}, {Outcome: domain.OutcomeCompleted}, {Outcome: domain.OutcomeCanceled},
	}
	for i := range 400 {
		order := w.apply(domain.Event{Key: fmt.Sprint("o-", i%230), Standing: domain.Standing{Axes: raise[i*i%len(raise)]}, Facts: domain.Facts{StoreID: fmt.Sprint("s-", i%3)}})
		if !slices.Contains(all, order) {
			all = append(all, order)
		}
		if i%50 == 0 {
			w.commit()
		}
	}
	w.erase("o-7")
	w.commit()
	return all
}

// drawLateness draws limits and a time at which some of a crowd are late by them.
func drawLateness(t *rapid.T) *domain.Lateness {
	limits := &domain.Limits{All: map[domain.State]time.Duration{}, Sources: map[string]map[domain.State]time.Duration{}}
	for _, state := range domain.OpenStates() {
		limits.All[state] = time.Duration(rapid.SampledFrom([]int{0, 1, 50, 200, 1000}).Draw(t, "limit")) * time.Second
	}
	if rapid.Bool().Draw(t, "own") {
		limits.Sources["shop"] = map[domain.State]time.Duration{domain.StateAccepted: 30 * time.Second}
	}
	at := start.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "at"))*time.Second + time.Duration(rapid.IntRange(-1, 1).Draw(t, "nanosecond")))
	return &domain.Lateness{Limits: limits, At: at}
}

// lateBy is the rule itself.
func lateBy(l *domain.Lateness, o *domain.Order) bool {
	at := l.Limits.LateAt(o)
	return !at.IsZero() && !l.At.Before(at)
}

// The late orders that are listed are those that are late, to the nanosecond, with any
// other filter and in any sort, and page follows on page.
func TestLateOrdersAreListed(t *testing.T) {
	t.Parallel()
	db := open(t)
	all := crowd(t, newWriter(t, db))
	rapid.Check(t, func(t *rapid.T) {
		l := drawLateness(t)
		q := domain.OrderQuery{
			Late:   l,
			States: rapid.SliceOfNDistinct(rapid.SampledFrom(domain.OpenStates()), 0, 2, rapid.ID).Draw(t, "states"),
			Source: rapid.SampledFrom([]string{"", "shop", "elsewhere"}).Draw(t, "source"),
			Store:  rapid.SampledFrom([]string{"", "s-1"}).Draw(t, "store"),
			Sort:   rapid.SampledFrom([]domain.OrderSort{domain.SortSince, domain.SortUpdatedAscending, domain.SortCreatedDescending}).Draw(t, "sort"),
			Limit:  rapid.IntRange(1, 40).Draw(t, "limit"),
		}
		var want []*domain.Order
		for _, o := range all {
			if lateBy(l, o) && (len(q.States) == 0 || slices.Contains(q.States, o.State())) && q.Source != "elsewhere" && (q.Store == "" || o.StoreID.Value == q.Store) {
				want = append(want, o)
			}
		}
		slices.SortFunc(want, func(a, b *domain.Order) int {
			x, y := q.Sort.Position(a), q.Sort.Position(b)
			order := cmp.Or(cmp.Compare(x.Since, y.Since), cmp.Compare(x.Number, y.Number))
			if q.Sort == domain.SortCreatedDescending {
				return -order
			}
			return order
		})
		var got []*domain.Order
		for {
			page, err := db.Orders(context.Background(), q)
			require.NoError(t, err)
			got = append(got, page...)
			if len(page) < q.Limit {
				break
			}
			q.After = q.Sort.Position(page[len(page)-1])
		}
		require.Equal(t, keys(want), keys(got))
	})
}

// The late orders are counted as the rule says, those that became so since another time
// too, and it is told when the next one is late.
func TestLateOrdersAreCounted(t *testing.T) {
	t.Parallel()
	db := open(t)
	all := crowd(t, newWriter(t, db))
	rapid.Check(t, func(t *rapid.T) {
		l := drawLateness(t)
		before := &domain.Lateness{Limits: l.Limits, At: l.At.Add(-time.Duration(rapid.IntRange(0, 90).Draw(t, "before")) * time.Second)}
		counts := map[domain.OrderTally]domain.LateCount{}
		want := domain.Late{}
		for _, o := range all {
			of := domain.OrderTally{Source: o.Source, State: o.State()}
			count := counts[of]
			count.OrderTally = of
			switch at := l.Limits.LateAt(o); {
			case lateBy(l, o):
				count.Orders++
				if !lateBy(before, o) {
					count.Became++
				}
				counts[of] = count
			case !at.IsZero() && (want.Next.IsZero() || at.Before(want.Next)):
				want.Next = at
			}
		}
		got, err := db.Late(context.Background(), l, before.At)
		require.NoError(t, err)
		require.True(t, want.Next.Equal(got.Next), "%s %s", want.Next, got.Next)
		require.Len(t, got.Counts, len(counts))
		for _, c := range got.Counts {
			require.Equal(t, counts[c.OrderTally], c)
		}
	})
}

// It is told when each source was heard, and how many orders began in a stretch.
func TestSourcesAreHeard(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	w.apply(step("a", domain.FulfillmentAccepted))
	for minute, orders := range map[int64]uint64{100: 2, 101: 0, 130: 5, 200: 1} {
		w.batch.Tallies.Minutes[domain.MinuteTally{Source: "shop", Minute: minute}] = domain.MinuteCounts{Counts: domain.Counts{Applied: 9}, Orders: orders}
	}
	w.batch.Tallies.Minutes[domain.MinuteTally{Source: "till", Minute: 150}] = domain.MinuteCounts{Counts: domain.Counts{Quarantined: 1}}
	w.commit()
	heard, err := db.Heard(t.Context(), time.Unix(101*60+59, 0))
	require.NoError(t, err)
	require.Equal(t, []domain.Heard{{Source: "shop", First: 101, Last: 200}, {Source: "till", First: 150, Last: 150}}, heard)

	begun, err := db.BegunIn(t.Context(), []domain.Stretch{
		{Source: "shop", From: 100, To: 130}, {Source: "till", From: 0, To: 999}, {Source: "shop", From: 131, To: 199}, {Source: "shop", From: 200, To: 200},
	})
	require.NoError(t, err)
	require.Equal(t, []uint64{7, 0, 0, 1}, begun)
	begun, err = db.BegunIn(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, begun)
}
