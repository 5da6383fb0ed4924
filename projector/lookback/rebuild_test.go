package lookback_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/lookback"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

// What is damaged in the rows of one order is told by a plan, which changes
// nothing, and mended by a rebuild of the order: the read model is again the one
// that it was, and the projector goes on with it.
func TestRebuildOrderMendsIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		statement string
		tables    []domain.TableDifference
		fields    []domain.FieldDifference
	}{
		"the folded order": {
			`UPDATE orders SET document = json_set(document, '$.steps.fulfillment', 'accepted') WHERE key = 's:o'`,
			[]domain.TableDifference{{Table: "orders", InUse: 1, Rebuilt: 1, Changed: 1}, {Table: "timeline", InUse: 2, Rebuilt: 2}, {Table: "changes", InUse: 2, Rebuilt: 2}},
			[]domain.FieldDifference{{Pointer: "/steps/fulfillment", InUse: `"accepted"`, Rebuilt: `"in-kitchen"`}},
		},
		"a column": {
			`UPDATE orders SET state = 'closed' WHERE key = 's:o'`,
			[]domain.TableDifference{{Table: "orders", InUse: 1, Rebuilt: 1, Changed: 1}, {Table: "timeline", InUse: 2, Rebuilt: 2}, {Table: "changes", InUse: 2, Rebuilt: 2}},
			nil,
		},
		"the timeline": {
			`UPDATE timeline SET effect = 'late' WHERE stream_sequence = 2`,
			[]domain.TableDifference{{Table: "orders", InUse: 1, Rebuilt: 1}, {Table: "timeline", InUse: 2, Rebuilt: 2, Changed: 1}, {Table: "changes", InUse: 2, Rebuilt: 2}},
			nil,
		},
		"a change too few": {
			`DELETE FROM changes WHERE stream_sequence = 2`,
			[]domain.TableDifference{{Table: "orders", InUse: 1, Rebuilt: 1}, {Table: "timeline", InUse: 2, Rebuilt: 2}, {Table: "changes", InUse: 1, Rebuilt: 2, Added: 1}},
			nil,
		},
		"a line too many": {
			`INSERT INTO timeline SELECT order_id, stream_sequence, 1, event, status, 'back-filled', note, state, occurred_at, received_at
			 FROM timeline WHERE stream_sequence = 2`,
			[]domain.TableDifference{{Table: "orders", InUse: 1, Rebuilt: 1}, {Table: "timeline", InUse: 3, Rebuilt: 2, Missing: 1}, {Table: "changes", InUse: 2, Rebuilt: 2}},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			r.accept("order-accepted", "order-in-kitchen")
			r.project(r.log.Accept(projectortest.Ordatic("order-accepted", "other")))
			before := r.contentHash()
			r.damage(test.statement)
			damaged := r.contentHash()

			plan, err := r.RebuildOrder(t.Context(), "shop", "s:o", true)
			require.NoError(t, err)
			require.True(t, plan.Differs())
			require.False(t, plan.Replaced)
			require.Equal(t, test.tables, plan.Tables)
			require.Equal(t, test.fields, plan.Fields)
			require.Equal(t, damaged, r.contentHash())

			done, err := r.RebuildOrder(t.Context(), "shop", "s:o", false)
			require.NoError(t, err)
			require.True(t, done.Replaced)
			require.Equal(t, domain.StateInKitchen, done.Order.State())
			require.Equal(t, before, r.contentHash())

			again, err := r.RebuildOrder(t.Context(), "shop", "s:o", false)
			require.NoError(t, err)
			require.False(t, again.Differs())
			require.False(t, again.Replaced)
			r.accept("order-ready-to-pick-up")
			order, err := r.model.Order(t.Context(), "shop", "s:o")
			require.NoError(t, err)
			require.EqualValues(t, 3, order.Version)
		})
	}
}

// An order that is damaged beyond reading is mended like any other.
func TestRebuildOrderThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept("order-accepted", "order-in-kitchen")
	before := r.contentHash()
	r.damage(`UPDATE orders SET document = '{"key":' WHERE key = 's:o'`)
	_, err := r.model.Order(t.Context(), "shop", "s:o")
	require.Error(t, err)
	done, err := r.RebuildOrder(t.Context(), "shop", "s:o", false)
	require.NoError(t, err)
	require.True(t, done.Replaced)
	require.Contains(t, done.Fields, domain.FieldDifference{Pointer: "/key", Rebuilt: `"s:o"`})
	require.Equal(t, before, r.contentHash())
}

// Every order of whatever histories is, rebuilt, the one that is stored.
func TestRebuildOrderFindsNothingWhereNothingIs(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptHistories(10))
	before := r.contentHash()
	orders, err := r.model.Orders(t.Context(), domain.OrderQuery{Limit: 1000})
	require.NoError(t, err)
	require.NotEmpty(t, orders)
	for _, order := range orders {
		rebuild, err := r.RebuildOrder(t.Context(), order.Source, order.Key, false)
		require.NoError(t, err)
		require.False(t, rebuild.Differs(), "%+v", rebuild)
	}
	require.Equal(t, before, r.contentHash())
}

// An order whose timeline lost a webhook, and one of a read model of another
// version, are left alone: only a rebuild of everything knows better.
func TestOrderThatCannotBeRebuiltAlone(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept("order-accepted", "order-in-kitchen")
	config := r.config()
	config.Version = projector.Version + 1
	_, err := lookback.New(config).RebuildOrder(t.Context(), "shop", "s:o", false)
	require.ErrorIs(t, err, domain.ErrOrderAlone)

	for _, lost := range []string{"stream_sequence = 1", "true"} {
		r.damage("DELETE FROM timeline WHERE " + lost)
		damaged := r.contentHash()
		_, err = r.RebuildOrder(t.Context(), "shop", "s:o", false)
		require.ErrorIs(t, err, domain.ErrOrderAlone)
		require.Equal(t, damaged, r.contentHash())
	}
	r.damage("UPDATE orders SET document = ''")
	_, err = r.RebuildOrder(t.Context(), "shop", "s:o", false)
	require.ErrorIs(t, err, domain.ErrOrderAlone)
}

// A duplicate does not stand in for a webhook that the timeline lost: an order with
// as many lines as webhooks were applied is left alone where one of those is missing,
// be it the one that came again or another, and be the stored order readable or not.
func TestDuplicateIsNoWebhookThatWasApplied(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string][]string{
		"the first of the duplicate":             {"DELETE FROM timeline WHERE stream_sequence = 1"},
		"the first, and the order is unreadable": {"DELETE FROM timeline WHERE stream_sequence = 1", "UPDATE orders SET document = ''"},
		"another":                                {"DELETE FROM timeline WHERE stream_sequence = 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			completed := &domain.Webhook{Provider: "runa", Source: "cards", Event: "order-completion", ID: "msg_1",
				Body: []byte(`{"id":"O-1","status":"COMPLETED","currency":"EUR","total_price":"10"}`)}
			r.log.AcceptAs(completed)
			r.log.AcceptAgain(completed)
			failed := *completed
			failed.ID, failed.Body = "msg_2", []byte(`{"id":"O-1","status":"FAILED"}`)
			r.project(r.log.AcceptAs(&failed))
			for _, statement := range damage {
				r.damage(statement)
			}
			damaged := r.contentHash()
			_, err := r.RebuildOrder(t.Context(), "cards", "O-1", false)
			require.ErrorIs(t, err, domain.ErrOrderAlone)
			require.Equal(t, damaged, r.contentHash())
		})
	}
}

// While the order's webhooks keep coming, its rebuild finds what the projector has
// made of them, at whatever moment.
func TestRebuildOrderWhileItMoves(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept("order-accepted")
	projectortest.Follow(t, r.live)
	var traffic errgroup.Group
	traffic.Go(func() error {
		for range 300 {
			r.log.Accept(projectortest.Ordatic("order-in-kitchen", "o"))
		}
		return nil
	})
	for range 50 {
		rebuild, err := r.RebuildOrder(t.Context(), "shop", "s:o", false)
		require.NoError(t, err)
		require.False(t, rebuild.Differs(), "%+v", rebuild)
	}
	require.NoError(t, traffic.Wait())
	require.NoError(t, r.model.WaitFor(t.Context(), 301))
	order, err := r.model.Order(t.Context(), "shop", "s:o")
	require.NoError(t, err)
	require.EqualValues(t, 301, order.Version)
}
