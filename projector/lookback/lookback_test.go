package lookback_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/lookback"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// An order as it was at a stream sequence is, byte for byte, what a projector has
// stored that was stopped there: for every stream sequence the order of its
// webhook, and for many of them every order.
func TestOrderAtIsWhatAProjectorHeldThere(t *testing.T) {
	t.Parallel()
	r := start(t)
	last := r.acceptHistories(10)
	r.project(last)
	checkpoint, err := r.model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Greater(t, checkpoint.Counts.Duplicate, uint64(5), "the histories repeat webhooks")

	path := filepath.Join(t.TempDir(), "cut.db")
	cut, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	defer func() { require.NoError(t, cut.Close()) }()
	slow := projector.New(r.log, cut, projector.Config{})
	for at := uint64(1); at <= last; at++ {
		require.NoError(t, slow.RunUntil(t.Context(), at))
		touched := "SELECT document FROM orders WHERE id IN (SELECT order_id FROM timeline WHERE stream_sequence = ?)"
		documents := query(t, path, touched, at)
		if at%25 == 0 || at == last {
			documents = query(t, path, "SELECT document FROM orders")
		}
		for _, document := range documents {
			var stored domain.Order
			require.NoError(t, json.Unmarshal([]byte(document), &stored))
			was, err := r.OrderAt(t.Context(), stored.Source, stored.Key, at)
			require.NoError(t, err)
			have, err := json.Marshal(was)
			require.NoError(t, err)
			require.Equal(t, document, string(have), "at %d", at)
		}
	}
}

// An order was nowhere before its first webhook, and one that nobody has heard of
// is nowhere at all.
func TestNothingBeforeTheFirstWebhook(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.log.Accept(`{"eventType":"order-accepted","storeId":"s","data":{"orderId":"other"}}`)
	r.accept("order-accepted")
	_, err := r.OrderAt(t.Context(), "shop", "s:o", 1)
	require.ErrorIs(t, err, domain.ErrNotFound)
	_, err = r.OrderAt(t.Context(), "shop", "s:nobody", 2)
	require.ErrorIs(t, err, domain.ErrNotFound)
	for _, err := range r.Explain(t.Context(), "shop", "s:nobody") {
		require.ErrorIs(t, err, domain.ErrNotFound)
	}
	_, err = r.RebuildOrder(t.Context(), "shop", "s:nobody", false)
	require.ErrorIs(t, err, domain.ErrNotFound)
}

// Each webhook is explained: how it was verified, its bytes, what it said, what it
// did and why, and where the order stood then.
func TestExplain(t *testing.T) {
	t.Parallel()
	r := start(t)
	completed := &domain.Webhook{Provider: "runa", Source: "cards", Event: "order-completion", ID: "msg_1", Body: []byte(
		`{"id":"O-1","status":"COMPLETED","currency":"EUR","total_price":"10"}`)}
	r.log.AcceptAs(completed)
	r.log.Accept(`{"eventType":"order-accepted","storeId":"s","data":{"orderId":"other"}}`)
	r.log.AcceptAgain(completed)
	failed := *completed
	failed.Body = []byte(`{"id":"O-1","status":"FAILED"}`)
	r.project(r.log.AcceptAs(&failed))

	all := r.explained("cards", "O-1")
	require.Len(t, all, 3)
	for i, want := range []struct {
		streamSequence uint64
		body           []byte
		effect         domain.Effect
		reason         string
	}{
		{
			1, completed.Body, domain.EffectAdvanced,
			"it is the first webhook of the order, and moves payment from none to paid, outcome from open to completed",
		},
		{
			3, completed.Body, domain.EffectDuplicate,
			"the webhook of stream sequence 1 again: the same webhook id with the same body, which is applied once",
		},
		{
			4, failed.Body, domain.EffectContradiction,
			"failed and completed cannot both be: the highest outcome stands, completed",
		},
	} {
		have := all[i]
		require.Equal(t, want.streamSequence, have.StreamSequence)
		require.Equal(t, want.body, have.Body)
		require.Equal(t, "msg_1", have.ID)
		require.Equal(t, provider.Runa{}.Scheme(), have.Verified)
		require.Equal(t, want.effect, have.Change.Effect)
		require.Equal(t, want.reason, have.Reason)
		require.Equal(t, domain.StateCompleted, have.Change.To.State())
	}
	require.Equal(t, domain.Amount("10"), all[0].Event.Total)
	require.Equal(t, []domain.Anomaly{{Code: domain.AnomalyWebhookIDReused, Detail: "msg_1"}}, all[2].Event.Anomalies)
}

// What is explained of an order is what its timeline says, for every order and
// webhook, duplicates included.
func TestExplanationIsTheTimelines(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptHistories(10))
	effects := map[domain.Effect]int{}
	orders, err := r.model.Orders(t.Context(), domain.OrderQuery{Limit: 1000})
	require.NoError(t, err)
	for _, order := range orders {
		var told []domain.TimelineEntry
		entries, err := r.model.Timeline(t.Context(), order.Source, order.Key, domain.TimelinePosition{}, 1000)
		require.NoError(t, err)
		for _, entry := range entries {
			if entry.Ordinal == 0 {
				told = append(told, entry)
			}
		}
		explained := r.explained(order.Source, order.Key)
		require.Len(t, explained, len(told))
		for i, entry := range told {
			have := explained[i]
			require.Equal(t,
				[]any{entry.StreamSequence, entry.Event, entry.Effect, entry.Note, entry.State},
				[]any{have.StreamSequence, have.Event.Name, have.Change.Effect, have.Change.Note, have.Change.To.State()})
			require.NotEmpty(t, have.Reason)
			require.NotEmpty(t, have.Verified)
			effects[entry.Effect]++
		}
	}
	for _, effect := range []domain.Effect{domain.EffectAdvanced, domain.EffectUpdated, domain.EffectLate, domain.EffectDuplicate} {
		require.NotZero(t, effects[effect], effect)
	}
}

// A timeline longer than one page of it is folded whole.
func TestALongTimeline(t *testing.T) {
	t.Parallel()
	r := start(t)
	var last uint64
	for range 1001 {
		last = r.log.Accept(`{"eventType":"rider-error","storeId":"s","data":{"orderId":"o"}}`)
	}
	r.project(last)
	was, err := r.OrderAt(t.Context(), "shop", "s:o", last)
	require.NoError(t, err)
	require.EqualValues(t, 1001, was.Version)
}

// An order cannot be folded from a part of its webhooks: where the stream holds
// only a part, or does not answer, that is said.
func TestWithoutAllWebhooks(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept("order-accepted", "order-in-kitchen", "order-ready-to-pick-up")
	config := r.config()
	config.Log = forgetful{r.log, []uint64{2}}
	forgot := lookback.New(config)
	was, err := forgot.OrderAt(t.Context(), "shop", "s:o", 1)
	require.NoError(t, err)
	require.Equal(t, domain.StateAccepted, was.State())
	_, err = forgot.OrderAt(t.Context(), "shop", "s:o", 2)
	require.ErrorIs(t, err, domain.ErrForgotten)
	require.NotErrorIs(t, err, domain.ErrNotFound)
	_, err = forgot.RebuildOrder(t.Context(), "shop", "s:o", false)
	require.ErrorIs(t, err, domain.ErrForgotten)

	r.log.Stop()
	_, err = r.OrderAt(t.Context(), "shop", "s:o", 1)
	require.ErrorIs(t, err, domain.ErrNoStream)
	require.False(t, strings.Contains(err.Error(), "s:o"), "a key is text of the sender")
}
