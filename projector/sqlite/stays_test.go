package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// leave has an order leave a state after so many webhooks that are about none.
func (w *writer) leave(random *rand.Rand) domain.Stay {
	silent := random.Uint64N(200)
	w.batch.Checkpoint.StreamSequence += silent
	w.batch.Checkpoint.Counts.NotAboutOrder += silent
	w.apply(step("o-1", domain.FulfillmentReady))
	stay := domain.Stay{
		StreamSequence: w.batch.Checkpoint.StreamSequence,
		Source:         fmt.Sprint("shop-", random.IntN(2)),
		State:          domain.State(random.IntN(5)),
		EndedAt:        start.Add(time.Duration(random.IntN(72*60)) * time.Minute).Unix(),
		Class:          100 + random.IntN(4),
	}
	if n := random.IntN(4); n > 0 {
		stay.Store = fmt.Sprint("s-", n)
	}
	w.batch.Stays = append(w.batch.Stays, stay)
	return stay
}

// Stays are counted together after a fixed number of webhooks, so the rows are the same
// however the stream was cut into commits, and whether they were loaded.
func TestStaysAreCountedByTheStreamAlone(t *testing.T) {
	t.Parallel()
	fill := func(w *writer, most int) {
		random, cuts := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(uint64(most), 3))
		for range 300 { // of some 30,000 webhooks
			w.leave(random)
			if cuts.IntN(most) == 0 {
				w.commit()
				w.recallAll()
			}
		}
		w.commit()
	}
	dir := t.TempDir()
	first := filepath.Join(dir, "1.db")
	fill(newWriter(t, openAt(t, first)), 1)
	for _, most := range []int{3, 40, 1000} {
		other := filepath.Join(dir, fmt.Sprint(most, ".db"))
		fill(newWriter(t, openAt(t, other)), most)
		requireSameRows(t, first, other)
	}
	loader, loaded := newLoader(t, 1)
	w := newWriter(t, loader)
	w.recallAll = func() { w.recall(loader, "o-1") }
	fill(w, 20)
	require.NoError(t, loader.Finish(t.Context()))
	requireSameRows(t, first, loaded)
	require.Contains(t, query(t, first, "SELECT count(*) > 200 AND max(stream_sequence) > 4096, (SELECT count(*) FROM stays) < 80 FROM timeline"), "1|1")
}

// What is asked about stays is answered as counting them one by one would, those that are
// not counted yet included.
func TestStaysAreCounted(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	random := rand.New(rand.NewPCG(1, 2))
	var all []domain.Stay
	for range 200 {
		all = append(all, w.leave(random))
		w.commit()
	}
	rapid.Check(t, func(t *rapid.T) {
		q := domain.StayQuery{
			Source:  rapid.SampledFrom([]string{"", "shop-0", "elsewhere"}).Draw(t, "source"),
			Store:   rapid.SampledFrom([]string{"", "s-1", "s-9"}).Draw(t, "store"),
			From:    start.Add(time.Duration(rapid.IntRange(-10, 70).Draw(t, "from")) * time.Hour),
			To:      start.Add(time.Duration(rapid.IntRange(0, 80).Draw(t, "to")) * time.Hour),
			Step:    time.Duration(rapid.SampledFrom([]int{0, 24, 48}).Draw(t, "step")) * time.Hour,
			ByStore: rapid.Bool().Draw(t, "by store"),
			Most:    1000,
		}
		if rapid.Bool().Draw(t, "of a state") {
			q.State = new(domain.StateReady)
		}
		want := map[string]uint64{}
		span := q.Span()
		for _, s := range all {
			start := span.Start(s.EndedAt)
			if (q.Source != "" && s.Source != q.Source) || (q.Store != "" && s.Store != q.Store) || (span == domain.SpanDay && s.Store == "") ||
				(q.State != nil && s.State != *q.State) || start < span.Start(q.From.Unix()) || start >= q.To.Unix() {
				continue
			}
			counted := domain.Stays{Source: s.Source, Store: q.Store, State: s.State}
			if q.ByStore {
				counted.Store = s.Store
			}
			if q.Step > 0 {
				counted.Start = start - start%int64(q.Step/time.Second)
			}
			want[fmt.Sprint(counted, s.Class)]++
		}
		got, err := db.Stays(context.Background(), q)
		require.NoError(t, err)
		found := map[string]uint64{}
		for _, s := range got {
			classes := s.Classes
			s.Classes = nil
			for _, c := range classes {
				found[fmt.Sprint(s, c.Class)] = c.Orders
			}
		}
		require.Equal(t, want, found)
	})
	some, err := db.Stays(t.Context(), domain.StayQuery{From: start, Step: time.Hour, Most: 3})
	require.NoError(t, err)
	require.Len(t, some, 4, "one more tells that there are more")
}

// The counts of all time are those of all hours.
func TestStaysOfAllTime(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	random := rand.New(rand.NewPCG(3, 2))
	for range 200 {
		w.leave(random)
	}
	w.commit()
	stats, err := db.Stats(t.Context(), start)
	require.NoError(t, err)
	hours, err := db.Stays(t.Context(), domain.StayQuery{From: start.AddDate(-1, 0, 0), Most: 1000})
	require.NoError(t, err)
	require.Equal(t, hours, stats.Durations)
}

// Webhooks are counted in steps from the Unix epoch on, in a range of whole minutes.
func TestMinutesAreCountedInSteps(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	w.apply(step("a", domain.FulfillmentAccepted))
	for minute, applied := range map[int64]uint64{9: 1, 10: 2, 14: 4, 15: 8, 20: 16} {
		w.batch.Tallies.Minutes[domain.MinuteTally{Source: "shop", Minute: minute}] = domain.MinuteCounts{Counts: domain.Counts{Applied: applied}, Orders: 1}
		w.batch.Tallies.Minutes[domain.MinuteTally{Source: "till", Minute: minute}] = domain.MinuteCounts{Counts: domain.Counts{Duplicate: 1}}
	}
	w.commit()
	counts, err := db.Minutes(t.Context(), domain.MinuteQuery{Source: "shop", From: time.Unix(10*60+59, 0), To: time.Unix(15*60+1, 0), Step: 5 * time.Minute})
	require.NoError(t, err)
	require.Equal(t, []domain.MinuteCount{
		{Source: "shop", Minute: domain.InstantOf(time.Unix(600, 0)), MinuteCounts: domain.MinuteCounts{Counts: domain.Counts{Applied: 6}, Orders: 2}},
		{Source: "shop", Minute: domain.InstantOf(time.Unix(900, 0)), MinuteCounts: domain.MinuteCounts{Counts: domain.Counts{Applied: 8}, Orders: 1}},
	}, counts)
	counts, err = db.Minutes(t.Context(), domain.MinuteQuery{From: time.Unix(0, 0), Step: time.Minute, Most: 3})
	require.NoError(t, err)
	require.Len(t, counts, 4, "one more tells that there are more")
}
