package sqlite_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

func keys(orders []*domain.Order) (keys []string) {
	for _, order := range orders {
		keys = append(keys, order.Key)
	}
	return keys
}

func instant(t *testing.T, text string) (at domain.Instant) {
	t.Helper()
	require.NoError(t, at.UnmarshalText([]byte(text)))
	return at
}

// Each filter selects what it names, and a text is looked for literally.
func TestOrderFilters(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	w.apply(domain.Event{Key: "plain", Facts: domain.Facts{StoreID: "s-1", Reference: "Table 4"}})
	w.apply(domain.Event{Key: "100%", Facts: domain.Facts{StoreID: "s-2"}})
	w.apply(domain.Event{Key: `a_b\c`})
	w.apply(domain.Event{Key: "troubled", Standing: domain.Standing{Problem: "rider-error"}})
	w.apply(step("cooking", domain.FulfillmentInKitchen))
	w.apply(step("ready", domain.FulfillmentReady))
	w.commit()

	yes, no := true, false
	for _, test := range []struct {
		name  string
		query domain.OrderQuery
		want  []string
	}{
		{"nothing asked", domain.OrderQuery{}, []string{"plain", "100%", `a_b\c`, "troubled", "cooking", "ready"}},
		{"one state", domain.OrderQuery{States: []domain.State{domain.StateReady}}, []string{"ready"}},
		{"two states", domain.OrderQuery{States: []domain.State{domain.StateReady, domain.StateInKitchen}}, []string{"cooking", "ready"}},
		{"source", domain.OrderQuery{Source: "elsewhere"}, nil},
		{"store", domain.OrderQuery{Store: "s-2"}, []string{"100%"}},
		{"with a problem", domain.OrderQuery{Problem: &yes}, []string{"troubled"}},
		{"without a problem", domain.OrderQuery{Problem: &no}, []string{"plain", "100%", `a_b\c`, "cooking", "ready"}},
		{"text in the key", domain.OrderQuery{Text: "OOK"}, []string{"cooking"}},
		{"text in the reference", domain.OrderQuery{Text: "table"}, []string{"plain"}},
		{"a percent sign", domain.OrderQuery{Text: "%"}, []string{"100%"}},
		{"an underscore", domain.OrderQuery{Text: "_"}, []string{`a_b\c`}},
		{"a backslash", domain.OrderQuery{Text: `\`}, []string{`a_b\c`}},
		{"SQL", domain.OrderQuery{Text: `' OR 1=1 --`}, nil},
		{"updated since", domain.OrderQuery{UpdatedSince: domain.InstantOf(start.Add(5 * time.Second))}, []string{"cooking", "ready"}},
		{"updated since before all times", domain.OrderQuery{UpdatedSince: instant(t, "0001-01-01T00:00:01Z")}, []string{"plain", "100%", `a_b\c`, "troubled", "cooking", "ready"}},
		{"updated since after all times", domain.OrderQuery{UpdatedSince: instant(t, "9999-01-01T00:00:00Z")}, nil},
		{"all together", domain.OrderQuery{Source: "shop", Problem: &no, States: []domain.State{domain.StatePlaced}, Text: "a", Store: "s-1"}, []string{"plain"}},
	} {
		test.query.Sort, test.query.Limit = domain.SortCreatedAscending, 100
		orders, err := db.Orders(t.Context(), test.query)
		require.NoError(t, err, test.name)
		require.Equal(t, test.want, keys(orders), test.name)
	}
}

// A page has the orders asked for in the sort asked for, whether many orders or few are
// in those states: it is found in other ways.
func TestPagesOfManyAndOfFew(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	all := []domain.Fulfillment{domain.FulfillmentNone, domain.FulfillmentAccepted, domain.FulfillmentInKitchen, domain.FulfillmentReady}
	var created []*domain.Order
	for i := range 300 {
		created = append(created, w.apply(step(fmt.Sprint(i), all[min(i%40, len(all)-1)])))
	}
	w.commit()
	for i := range 100 {
		w.apply(step(fmt.Sprint(i*7%300), all[i%len(all)]))
	}
	w.commit()
	rapid.Check(t, func(t *rapid.T) {
		q := domain.OrderQuery{
			States: rapid.SliceOfNDistinct(rapid.SampledFrom([]domain.State{domain.StatePlaced, domain.StateAccepted, domain.StateInKitchen, domain.StateReady}), 0, 3, rapid.ID).Draw(t, "states"),
			Source: rapid.SampledFrom([]string{"", "shop", "elsewhere"}).Draw(t, "source"),
			Sort:   rapid.SampledFrom([]domain.OrderSort{domain.SortUpdatedAscending, domain.SortUpdatedDescending, domain.SortCreatedAscending, domain.SortCreatedDescending}).Draw(t, "sort"),
			Limit:  rapid.IntRange(1, 60).Draw(t, "limit"),
		}
		var want []*domain.Order
		for _, o := range created {
			if (len(q.States) == 0 || slices.Contains(q.States, o.State())) && q.Source != "elsewhere" {
				want = append(want, o)
			}
		}
		slices.SortFunc(want, func(a, b *domain.Order) int {
			order := cmp.Compare(q.Sort.Position(a).Number, q.Sort.Position(b).Number)
			if strings.HasPrefix(string(q.Sort), "-") {
				return -order
			}
			return order
		})
		got, err := db.Orders(context.Background(), q)
		require.NoError(t, err)
		require.Equal(t, keys(want[:min(q.Limit, len(want))]), keys(got))
	})
}

// A timeline is read in pages, and an unknown order has none.
func TestTimelinePages(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	order := w.apply(step("a", domain.FulfillmentAccepted))
	w.apply(step("other", domain.FulfillmentAccepted))
	w.apply(step("a", domain.FulfillmentReady))
	w.batch.Timeline = append(w.batch.Timeline, domain.OrderEntry{Order: order, TimelineEntry: domain.TimelineEntry{
		StreamSequence: 3, Ordinal: 1, Effect: domain.EffectBackfilled, Status: "in-kitchen", State: domain.StateReady,
		OccurredAt: domain.InstantOf(start), ReceivedAt: domain.InstantOf(start),
	}})
	w.commit()

	first, err := db.Timeline(t.Context(), "shop", "a", domain.TimelinePosition{}, 2)
	require.NoError(t, err)
	require.Len(t, first, 2)
	require.EqualValues(t, 1, first[0].StreamSequence)
	require.Equal(t, domain.EffectAdvanced, first[1].Effect)
	rest, err := db.Timeline(t.Context(), "shop", "a", domain.TimelinePosition{StreamSequence: 3}, 2)
	require.NoError(t, err)
	require.Len(t, rest, 1)
	require.Equal(t, domain.EffectBackfilled, rest[0].Effect)
	require.Equal(t, domain.InstantOf(start), rest[0].OccurredAt)

	_, err = db.Timeline(t.Context(), "shop", "nobody", domain.TimelinePosition{}, 2)
	require.ErrorIs(t, err, domain.ErrNotFound)
}

// A proof is stored once, however often it came, and served with its bytes.
func TestProofIsStoredOnce(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	proof := &domain.Proof{ProofInfo: domain.ProofInfo{ID: "p-1", Type: "image/png", Size: 3}, Content: []byte{1, 0, 2}}
	for range 2 {
		order := w.apply(domain.Event{Key: "a", Proof: proof})
		w.batch.Proofs = append(w.batch.Proofs, domain.OrderProof{Order: order, Proof: proof})
		w.commit()
	}
	have, err := db.Proof(t.Context(), "shop", "a", "p-1")
	require.NoError(t, err)
	require.Equal(t, proof, have)
	_, err = db.Proof(t.Context(), "shop", "a", "p-2")
	require.ErrorIs(t, err, domain.ErrNotFound)
}

// A webhook id is remembered for ever, apart for each source, with its bodies and
// where each first came; what came later is not known before.
func TestWebhookIDs(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	first := domain.WebhookID{Source: "shop", ID: "msg_1", Body: domain.DigestBody([]byte("one")), StreamSequence: 1}
	second := first
	second.Body, second.StreamSequence = domain.DigestBody([]byte("two")), 9
	again := first
	again.StreamSequence = 9
	elsewhere := first
	elsewhere.Source = "elsewhere"
	elsewhere.StreamSequence = 9
	w.apply(step("a", domain.FulfillmentAccepted))
	w.batch.WebhookIDs = []domain.WebhookID{first}
	w.commit()

	for _, test := range []struct {
		id    domain.WebhookID
		first uint64
		other bool
	}{{again, 1, false}, {second, 0, true}, {elsewhere, 0, false}, {first, 0, false}} {
		first, other, err := db.SeenWebhookID(t.Context(), test.id)
		require.NoError(t, err)
		require.Equal(t, test.first, first)
		require.Equal(t, test.other, other)
	}
}

// The tallies say what counting would, and one that fell to nothing is gone.
func TestStats(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	w.apply(step("a", domain.FulfillmentAccepted))
	w.apply(step("b", domain.FulfillmentAccepted))
	w.commit()
	w.apply(step("a", domain.FulfillmentReady))
	w.apply(step("b", domain.FulfillmentReady))
	minute := start.Unix() / 60
	counted := domain.MinuteCounts{Counts: domain.Counts{Applied: 3, Duplicate: 1}, Orders: 2}
	w.batch.Tallies.Minutes[domain.MinuteTally{Source: "shop", Minute: minute}] = counted
	w.batch.Tallies.Minutes[domain.MinuteTally{Source: "shop", Minute: minute - 10}] = domain.MinuteCounts{Counts: domain.Counts{Applied: 9}}
	for _, c := range []domain.ClassCount{{Class: 1, Orders: 50}, {Class: 5, Orders: 40}, {Class: 20, Orders: 9}, {Class: 30, Orders: 1}} {
		for range c.Orders {
			w.batch.Stays = append(w.batch.Stays, domain.Stay{
				StreamSequence: uint64(len(w.batch.Stays) + 1), Source: "shop", State: domain.StateAccepted, EndedAt: start.Unix(), Class: c.Class,
			})
		}
	}
	w.commit()

	stats, err := db.Stats(t.Context(), start.Add(-5*time.Minute))
	require.NoError(t, err)
	require.Equal(t, []domain.OrderCount{{OrderTally: domain.OrderTally{Source: "shop", State: domain.StateReady}, Orders: 2}}, stats.Orders)
	require.Equal(t, []domain.MinuteCount{{
		Source: "shop", Minute: domain.InstantOf(start.Truncate(time.Minute)), MinuteCounts: counted,
	}}, stats.PerMinute)
	require.Len(t, stats.Durations, 1)
	stays := stats.Durations[0]
	require.Equal(t, "shop", stays.Source)
	require.Equal(t, domain.StateAccepted, stays.State)
	require.EqualValues(t, 100, stays.Orders())
	for percent, class := range map[uint64]int{50: 1, 90: 5, 99: 20} {
		require.Equal(t, domain.ClassDuration(class), stays.Percentile(percent))
	}
}

// What was quarantined is listed in the order of the stream, page by page.
func TestQuarantinePages(t *testing.T) {
	t.Parallel()
	db := open(t)
	w := newWriter(t, db)
	for range 3 {
		w.batch.Checkpoint.StreamSequence++
		w.batch.Checkpoint.Counts.Quarantined++
		w.batch.Quarantined = append(w.batch.Quarantined, domain.QuarantinedWebhook{
			StreamSequence: w.batch.Checkpoint.StreamSequence, Source: "shop", Event: "other",
			Cause: domain.CauseKeyMissing, Where: "/data/orderId", ReceivedAt: domain.InstantOf(start),
		})
	}
	want := w.batch.Quarantined
	w.commit()
	first, err := db.Quarantined(t.Context(), 0, 2)
	require.NoError(t, err)
	require.Equal(t, want[:2], first)
	rest, err := db.Quarantined(t.Context(), 2, 2)
	require.NoError(t, err)
	require.Equal(t, want[2:], rest)
}
