package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// An order in JSON has the fields of the contract, in its order, with null for
// what is absent and [] for what is empty.
func TestOrderInJSON(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	body := l.serve().get("/v1/orders/ordatic/store-7:o-1").Body
	require.Equal(t, strings.Join([]string{
		`{"source":"ordatic","key":"store-7:o-1","state":"rider-delivering","fulfillment":"ready","delivery":"delivering",`,
		`"payment":"none","outcome":"open","problem":{"reason":"rider-error","since":"2026-03-01T12:03:00Z"},"provider":"ordatic","provider_status":"rider-delivering",`,
		`"store_id":"store-7","reference":null,"description":null,"fulfillment_kind":"delivery",`,
		`"currency":"SEK","total":null,"discount":null,"refunded":null,`,
		`"refunds":[{"id":"r-1","amount":"11.50","currency":"SEK","status":null,"reason":"late","at":null}],`,
		`"proofs":[{"id":"4bf5122f344554c53bde2ebb8cd2b7e3","type":"image/png","size":33,"url":"/v1/orders/ordatic/store-7:o-1/proofs/4bf5122f344554c53bde2ebb8cd2b7e3"}],`,
		`"anomalies":[{"code":"unknown-status","detail":"lost","stream_sequence":4}],`,
		`"created_at":null,"completed_at":null,"first_seen_at":"2026-03-01T12:00:00Z","last_seen_at":"2026-03-01T12:03:00Z","updated_at":"2026-03-01T12:03:00Z","version":4,"stream_sequence":4,`,
		`"state_since":"2026-03-01T12:02:00Z","late":null,"expected_next":["completed","canceled"],"payments":[],"receipt":null,"erased_at":null,"redacted":false}`,
		"\n",
	}, ""), body)
}

// Money is text in the provider's scale, and a currency that the order names
// comes before the configured one.
func TestMoneyOfAnOrder(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	paid := accepted("p-1")
	paid.Facts = domain.Facts{
		Currency: "JPY", Total: "500", Discount: "0.10", Refunded: "10.239",
		Receipt: domain.Receipt{ID: "rc-1", Total: "500", PaidAt: at(0)},
	}
	paid.Payments = []domain.PaymentRecord{{ID: "pay-1", Type: "card", Amount: "500.000"}}
	paid.Refunds = []domain.Refund{{ID: "r-1", Amount: "1", Currency: "EUR"}}
	l.apply("ordatic", "ordatic", paid)
	var order api.Order
	l.serve().get("/v1/orders/ordatic/p-1").into(&order)
	require.Equal(t, "JPY", *order.Currency)
	require.Equal(t, domain.Amount("500"), *order.Total)
	require.Equal(t, domain.Amount("0.10"), *order.Discount)
	require.Equal(t, domain.Amount("10.239"), *order.Refunded)
	require.Equal(t, "EUR", *order.Refunds[0].Currency)
	require.Equal(t, domain.Amount("500.000"), *order.Payments[0].Amount)
	require.Nil(t, order.Payments[0].Status)
	require.Equal(t, "rc-1", *order.Receipt.ID)
	require.Nil(t, order.Receipt.Method)
}

// A source without a configured currency leaves it null.
func TestNoCurrencyIsNull(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.apply("ivy", "ivy", accepted("i-1"))
	require.Contains(t, l.serve().get("/v1/orders/ivy/i-1").Body, `"currency":null`)
}

// The ETag stands for the whole answer: it answers 304 while nothing changed, and
// changes with the next webhook and with the configuration.
func TestETagOfAnOrder(t *testing.T) {
	t.Parallel()
	const path = "/v1/orders/ordatic/store-7:o-1"
	l := newLedger(t)
	l.pizza()
	c := l.serve()
	first := c.get(path)
	etag := first.Header.Get("ETag")
	require.Regexp(t, `^"[0-9a-f]{32}"$`, etag)
	require.Equal(t, "no-cache", first.Header.Get("Cache-Control"))

	for _, held := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
		unchanged := c.get(path, "If-None-Match: "+held)
		require.Equal(t, http.StatusNotModified, unchanged.Status, held)
		require.Empty(t, unchanged.Body)
		require.Equal(t, etag, unchanged.Header.Get("ETag"))
	}
	require.Equal(t, http.StatusOK, c.get(path, `If-None-Match: "other"`).Status)

	elsewhere := l.serve(func(c *api.Config) { c.Sources = nil })
	require.NotEqual(t, etag, elsewhere.get(path).Header.Get("ETag"))
	l.apply("ordatic", "ordatic", accepted("store-7:o-1"))
	require.Equal(t, http.StatusOK, c.get(path, "If-None-Match: "+etag).Status)
}

// A key is only ever data: whatever it holds, percent-escaped it finds its order,
// its timeline and its proofs, and no other order's.
func TestHostileKeys(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	keys := []string{
		"a/b", "a:b", "..", ".", "../../healthz", "%2e%2e", "100%", "a b", "a+b", "a?b#c", "//", "a\x00b", "timeline",
		"<script>alert(1)</script>", "\u202Egnirts", "'; DROP TABLE orders; --", `"quoted\`, strings.Repeat("k", 2000),
	}
	for _, key := range keys {
		e := accepted(key)
		e.Proof = &domain.Proof{ProofInfo: domain.ProofInfo{ID: proofID, Type: "text/plain"}, Content: []byte(key)}
		l.apply("ordatic", "ordatic", e)
	}
	c := l.serve()
	for _, key := range keys {
		// PathEscape leaves dots alone, and a client drops a segment of them.
		path := "/v1/orders/ordatic/" + strings.ReplaceAll(url.PathEscape(key), ".", "%2E")
		var order api.Order
		c.get(path).into(&order)
		require.Equal(t, key, order.Key)
		var timeline api.Timeline
		c.get(path + "/timeline").into(&timeline)
		require.Len(t, timeline.Entries, 1)
		require.Equal(t, order.StreamSequence, timeline.Entries[0].StreamSequence)
		require.Equal(t, key, c.get(path+"/proofs/"+proofID).Body)
		require.Equal(t, key, c.get(order.Proofs[0].URL).Body, "the link to a proof leads to it")
	}
}

// An order that is not there is a problem of its own, wherever it is asked for.
func TestUnknownOrder(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve()
	c.get("/v1/orders/ordatic/none").refused(http.StatusNotFound, "order-not-found")
	c.get("/v1/orders/ordatic/none/timeline").refused(http.StatusNotFound, "order-not-found")
	c.get("/v1/orders/nobody/none").refused(http.StatusNotFound, "source-not-found")
	c.get("/v1/orders/nobody/none/timeline").refused(http.StatusNotFound, "source-not-found")
	c.get("/v1/orders/ordatic/none/proofs/1").refused(http.StatusNotFound, "proof-not-found")
}
