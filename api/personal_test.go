package api_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/ingest/quarantine"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/lookback"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

const giftPath = "/v1/orders/ivy/i-1"

// gift is an order of which every text that is personal names Alva.
func (l *ledger) gift() {
	l.t.Helper()
	e := withHistory("i-1")
	e.Reference, e.Description = "Alva 7", "for Alva"
	e.Refunds = []domain.Refund{{ID: "r-1", Amount: "11.50", Reason: "Alva was out"}}
	e.History[0].Reason = "Alva paid"
	l.apply("ivy", "ivy", e)
}

// bearing is a question with a token, by the name of its scope.
func bearing(scope string) string { return "Authorization: Bearer " + scope }

// What is personal of an order needs the scope raw, wherever it is: no operation that
// needs less answers with it, and each says that it withholds it. Where no token is
// needed all is shown.
func TestWhatIsPersonalNeedsRaw(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.gift()
	w := newWorkshop(l)
	w.all[0].Difference.Examples[0].Fields = []domain.FieldDifference{
		{Pointer: "/reference/value", InUse: `"Alva 7"`, Rebuilt: `"Alva 8"`}, {Pointer: "/steps/fulfillment", InUse: `"ready"`},
	}
	c := l.serve(guardedBy(newKeyring()), func(c *api.Config) { c.Rebuilds, c.Snapshots = w, w })
	open := l.serve(func(c *api.Config) { c.Rebuilds, c.Snapshots = w, w })
	told := 0
	for path, operations := range readDocument(t).Paths {
		at := strings.NewReplacer("{source}", "ivy", "{key}", "i-1", "{id}", "1", "{code}", "forbidden").Replace(path)
		if op, reads := operations["get"]; reads && op.needed(t) == "read" {
			withheld := c.get(at, bearing("read"))
			require.NotContains(t, withheld.Body, "Alva", path)
			if shown := c.get(at, bearing("raw")).Body; strings.Contains(shown, "Alva") {
				told++
				require.Contains(t, withheld.Body, `"redacted":true`, path)
				require.NotContains(t, shown, `"redacted":true`, path)
				require.Equal(t, shown, open.get(at).Body, path)
			}
		}
	}
	require.Equal(t, 5, told, "the orders, the order, its timeline, the rebuilds and one of them")
	require.NotContains(t, c.get(giftPath+"?at=1", bearing("read")).Body, "Alva")
	require.Contains(t, c.get(giftPath+"?at=1", bearing("raw")).Body, "Alva")

	var found api.Rebuild
	c.get("/v1/rebuilds/1", bearing("read")).into(&found)
	require.Equal(t, []api.FieldDifference{
		{Pointer: "/reference/value", Redacted: true}, {Pointer: "/steps/fulfillment", InUse: new(`"ready"`)},
	}, found.Difference.Examples[0].Fields)
}

// An order with what is personal and one without are two answers: neither stands for
// the other in a cache.
func TestRedactedOrderHasAnETagOfItsOwn(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.gift()
	l.pizza()
	c := l.serve(guardedBy(newKeyring()))
	for _, path := range []string{giftPath, pizzaPath} {
		whole, redacted := c.get(path, bearing("raw")), c.get(path, bearing("read"))
		require.NotEqual(t, whole.Header.Get("ETag"), redacted.Header.Get("ETag"))
		require.Equal(t, http.StatusOK, c.get(path, bearing("raw"), "If-None-Match: "+redacted.Header.Get("ETag")).Status)
		require.Equal(t, http.StatusNotModified, c.get(path, bearing("read"), "If-None-Match: "+redacted.Header.Get("ETag")).Status)
	}
}

// Who may not see a reference cannot find out about it by looking for it, nor with a
// cursor of somebody who may.
func TestTextOfAReferenceIsNotFound(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.gift()
	second := withHistory("i-2")
	second.Reference = "Alva 8"
	l.apply("ivy", "ivy", second)
	c := l.serve(guardedBy(newKeyring()))
	for query, want := range map[string][2][]string{
		"alva": {nil, {"i-2", "i-1"}}, "I-1": {{"i-1"}, {"i-1"}},
	} {
		for i, scope := range []string{"read", "raw"} {
			var page api.OrderList
			c.get("/v1/orders?q="+url.QueryEscape(query), bearing(scope)).into(&page)
			require.Equal(t, want[i], keysOf(page), query)
		}
	}
	var page api.OrderList
	c.get("/v1/orders?q=alva&limit=1", bearing("raw")).into(&page)
	c.get("/v1/orders?q=alva&limit=1&cursor="+*page.NextCursor, bearing("read")).refused(http.StatusBadRequest, "invalid-cursor")
}

const tooLate = `{"eventType":"order-accepted","storeId":"store-7","data":{"orderId":"o-1","note":"Alva again"}}`

// serveErased serves a stream and its read model after an order was erased, and again
// with what came too late: an order with a refund, a picture and two tombstones.
func serveErased(t *testing.T, configure ...func(*api.Config)) *client {
	t.Helper()
	log := projectortest.StartBroker(t, t.TempDir())
	log.Accept(`{"eventType":"rider-refund","storeId":"store-7","data":{"orderId":"o-1","refund":{"reason":"Alva was out"}}}`)
	log.Accept(`{"eventType":"rider-proof-delivery","storeId":"store-7","data":{"orderId":"o-1","proofDelivery":"iVBORw0KGgpBbHZh"}}`)
	log.Erase("shop", "store-7:o-1")
	log.Accept(tooLate)
	last := log.Erase("shop", "store-7:o-1")
	model := newLedger(t).Model
	log.Overwrite()
	live := projector.New(log, model, projector.Config{})
	require.NoError(t, live.RunUntil(t.Context(), last))
	config := api.Config{
		Now:        now,
		LookBack:   lookback.New(lookback.Config{Log: log, Model: model, Live: live}),
		Quarantine: quarantine.New(log, model, quarantine.Config{}),
	}
	for _, change := range configure {
		change(&config)
	}
	return serve(t, api.New(model, log, config))
}

// An erased order says so, stands where it stood, and has nothing that is personal in
// any of its answers. What was erased is gone, and not just not found.
func TestErasedOrder(t *testing.T) {
	t.Parallel()
	c := serveErased(t)
	const path = "/v1/orders/shop/store-7:o-1"
	var order api.Order
	c.get(path).into(&order)
	require.Equal(t, order.LastSeenAt, *order.ErasedAt)
	require.False(t, order.Redacted)
	require.Nil(t, order.Refunds[0].Reason)
	require.EqualValues(t, 4, order.Version)

	c.get(order.Proofs[0].URL).refused(http.StatusGone, "proof-erased")
	for _, gone := range []string{"/v1/webhooks/1", "/v1/webhooks/1?raw=true", "/v1/webhooks/4", "/v1/quarantine/w-4?raw=true"} {
		c.get(gone).refused(http.StatusGone, "webhook-erased")
	}
	for _, path := range []string{path, path + "/timeline", path + "/explanation", path + "?at=1", "/v1/orders", "/v1/quarantine/w-4"} {
		require.Equal(t, http.StatusOK, c.get(path).Status, path)
		require.NotContains(t, c.get(path).Body, "Alva", path)
	}
	var was api.Order
	c.get(path + "?at=1").into(&was)
	require.Nil(t, was.Refunds[0].Reason, "a token stands there in the stream")
	require.Equal(t, order.ErasedAt, was.ErasedAt)
	var rebuilt api.OrderRebuild
	c.post(path+"/rebuild", "{}").into(&rebuilt)
	require.False(t, rebuilt.Differs)
}

// A snapshot that was made after an erasure, of a moment before it, has tokens where texts
// were: its orders are told without them too.
func TestErasedOrderInASnapshot(t *testing.T) {
	t.Parallel()
	was := domain.NewOrder("shop", "ordatic", "store-7:o-1")
	was.Reference.Value = domain.Tokens(nil)("Alva 7")
	c := serveErased(t, func(c *api.Config) { c.Snapshots = snapshotOf{was} })
	var page api.OrderList
	c.get("/v1/orders?at=1").into(&page)
	require.Nil(t, page.Orders[0].Reference)
	require.NotNil(t, page.Orders[0].ErasedAt)
}

// snapshotOf is an api.Snapshots of one order, which is in every snapshot.
type snapshotOf struct{ order *domain.Order }

func (s snapshotOf) OrdersAt(context.Context, uint64, domain.OrderQuery) ([]*domain.Order, error) {
	return []*domain.Order{s.order}, nil
}

func (s snapshotOf) OpenSnapshot(context.Context, uint64) (*os.File, error) {
	return nil, domain.ErrNotFound
}

func (s snapshotOf) Copy(context.Context) (*os.File, error) { return nil, domain.ErrNotFound }

// An explanation tells of an erased webhook what it said and did, and that it was
// erased; and of the tombstone that it did so, and that no sender sent it.
func TestExplanationOfAnErasedOrder(t *testing.T) {
	t.Parallel()
	var explanation api.Explanation
	serveErased(t).get("/v1/orders/shop/store-7:o-1/explanation").into(&explanation)
	require.Len(t, explanation.Webhooks, 4)
	refund, tombstone := explanation.Webhooks[0], explanation.Webhooks[2]
	require.True(t, refund.Webhook.Erased)
	require.Nil(t, refund.Webhook.Body)
	require.Nil(t, refund.Webhook.BodyBase64)
	require.Positive(t, refund.Webhook.Size)
	require.Nil(t, refund.Said.Refunds[0].Reason, "it is a token in the stream")
	require.NotNil(t, refund.Verified)

	require.Equal(t, domain.EffectErased, tombstone.Effect)
	require.Equal(t, "tombstone", tombstone.Said.Kind)
	require.Nil(t, tombstone.Verified)
	require.False(t, tombstone.Webhook.Erased)
	require.Contains(t, *tombstone.Webhook.Body, "asked for", "why it was erased is told")
}

// What came of an order after it was erased is set aside; its bytes go with the next
// erasure, and then nothing is left to do.
func TestWebhookOfAnErasedOrder(t *testing.T) {
	t.Parallel()
	var detail api.QuarantineDetail
	serveErased(t).get("/v1/quarantine/w-4").into(&detail)
	require.Equal(t, domain.CauseOrderErased, detail.Cause)
	require.True(t, detail.Erased)
	require.Nil(t, detail.Hint)
	require.Nil(t, detail.Body)
	require.Equal(t, len(tooLate), *detail.Size)
}
