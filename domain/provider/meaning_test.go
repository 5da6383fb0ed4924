package provider_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// translated gives the event of a body that must have one.
func translated(t testing.TB, p provider.Provider, body string) *domain.Event {
	event, err := p.Translate(webhook(p, body))
	require.NoError(t, err, "%.200s", body)
	return event
}

// at gives the instant of a text that is one.
func at(t testing.TB, text string) domain.Instant {
	instant, err := domain.ParseInstant(text)
	require.NoError(t, err)
	return instant
}

// anomaly gives an anomaly as an event holds it, before it has a place.
func anomaly(code, detail string) domain.Anomaly {
	return domain.Anomaly{Code: code, Detail: detail}
}

// Each Ordatic event raises the axes that it is about and says of the way to the
// customer what only it can say.
func TestMeaningOfOrdatic(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]struct {
		axes                domain.Axes
		rank                uint8
		status, kind, worry string
	}{
		"order-accepted":         {domain.Axes{Fulfillment: domain.FulfillmentAccepted}, 1, "order-accepted", "", ""},
		"order-in-kitchen":       {domain.Axes{Fulfillment: domain.FulfillmentInKitchen}, 2, "order-in-kitchen", "", ""},
		"rider-created":          {domain.Axes{Delivery: domain.DeliveryAssigned}, 3, "rider-created", "delivery", ""},
		"rider-picking":          {domain.Axes{Delivery: domain.DeliveryPicking}, 4, "rider-picking", "delivery", ""},
		"order-ready-to-pick-up": {domain.Axes{Fulfillment: domain.FulfillmentReady}, 5, "order-ready-to-pick-up", "", ""},
		"rider-delivering":       {domain.Axes{Delivery: domain.DeliveryDelivering}, 6, "rider-delivering", "delivery", ""},
		"order-picked-up":        {domain.Axes{Fulfillment: domain.FulfillmentHandedOver, Outcome: domain.OutcomeCompleted}, 7, "order-picked-up", "takeaway", ""},
		"order-served":           {domain.Axes{Fulfillment: domain.FulfillmentHandedOver, Outcome: domain.OutcomeCompleted}, 8, "order-served", "at-table", ""},
		"rider-completed":        {domain.Axes{Delivery: domain.DeliveryDelivered, Outcome: domain.OutcomeCompleted}, 9, "rider-completed", "delivery", ""},
		"order-canceled":         {domain.Axes{Outcome: domain.OutcomeCanceled}, 10, "order-canceled", "", ""},
		"rider-error":            {domain.Axes{}, 0, "", "", "rider-error"},
	} {
		body := fmt.Sprintf(`{"eventType":%q,"storeId":"s7","data":{"orderId":"o1"}}`, event)
		require.Equal(t, &domain.Event{
			Kind:     domain.Step,
			Key:      "s7:o1",
			Name:     event,
			Stamp:    domain.NewStamp(domain.Instant{}, 0, want.rank, domain.DigestBody([]byte(body))),
			Standing: domain.Standing{Axes: want.axes, Problem: want.worry},
			Facts:    domain.Facts{ProviderStatus: want.status, StoreID: "s7", FulfillmentKind: want.kind},
		}, translated(t, provider.Ordatic{}, body))
	}
}

// A rider's refund is a record in cents without a currency. It moves no axis.
func TestMeaningOfOrdaticRefund(t *testing.T) {
	t.Parallel()
	refund := func(text string) *domain.Event {
		return translated(t, provider.Ordatic{},
			`{"eventType":"rider-refund","storeId":"s7","data":{"orderId":"o1","refund":`+text+`}}`)
	}
	event := refund(`{"id":"r1","date":"2023-07-06T05:09:07.173Z","totalRiderRefund":11500,"totalPartnerRefund":4000,"reason":"LATE"}`)
	require.Zero(t, event.Standing)
	require.Empty(t, event.ProviderStatus)
	require.Len(t, event.Refunds, 1)
	require.Equal(t, at(t, "2023-07-06T05:09:07.173Z"), event.Refunds[0].Stamp.Clock)
	event.Refunds[0].Stamp = domain.Stamp{}
	require.Equal(t, []domain.Refund{{
		ID: "r1", Amount: "115.00", Reason: "LATE", At: at(t, "2023-07-06T05:09:07.173Z"),
	}}, event.Refunds)

	partner := refund(`{"id":"r1","totalPartnerRefund":"4000"}`)
	require.Equal(t, domain.Amount("40.00"), partner.Refunds[0].Amount)

	// Without an id the content is the id: the same refund again is the same one.
	nameless := refund(`{"totalRiderRefund":5}`).Refunds[0]
	require.Len(t, nameless.ID, 32)
	require.Equal(t, nameless.ID, refund(`{"totalRiderRefund":5}`).Refunds[0].ID)
	require.NotEqual(t, nameless.ID, refund(`{"totalRiderRefund":6}`).Refunds[0].ID)

	empty := refund(`{}`)
	require.Empty(t, empty.Refunds)
	require.Equal(t, []domain.Anomaly{anomaly("unreadable-value", "/data/refund")}, empty.Anomalies)
}

// Two orders never share a key, whatever their store and order ids hold.
func TestOrdaticKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ store, order, key string }{
		{"s7", "o1", "s7:o1"},
		{"s:7", "o1", "s%3A7:o1"},
		{"s", "7:o1", "s:7:o1"},
		{"s%3A7", "o1", "s%253A7:o1"},
		{" s ", `../* > "o"`, ` s :../* > "o"`},
	} {
		body := fmt.Sprintf(`{"eventType":"rider-created","storeId":%q,"data":{"orderId":%q}}`, c.store, c.order)
		event := translated(t, provider.Ordatic{}, body)
		require.Equal(t, c.key, event.Key)
		require.Equal(t, c.store, event.StoreID)
	}
}

// An event that Ordatic has not published yet is an order's if it names one.
func TestOrdaticUnknownEvent(t *testing.T) {
	t.Parallel()
	event := translated(t, provider.Ordatic{}, `{"eventType":"rider-teleported","storeId":"s7","data":{"orderId":"o1"}}`)
	require.Zero(t, event.Standing)
	require.Empty(t, event.ProviderStatus)
	require.Equal(t, "rider-teleported", event.Name)
	require.Equal(t, []domain.Anomaly{anomaly("unknown-event", "rider-teleported")}, event.Anomalies)

	_, err := provider.Ordatic{}.Translate(webhook(provider.Ordatic{}, `{"eventType":"store-closed","storeId":"s7","data":{}}`))
	require.ErrorIs(t, err, domain.ErrNotAboutOrder)
}

// Runa's completed order has money, times and a description that is also its
// reference.
func TestMeaningOfRunaCompleted(t *testing.T) {
	t.Parallel()
	body := `{"id":"O-1","status":"COMPLETED","created_at":"2024-01-04T14:19:07.882052+00:00",
		"completed_at":"2024-01-04T15:19:08Z","description":"team day","currency":"JPY",
		"total_price":"19.030","total_discount":"1"}`
	require.Equal(t, &domain.Event{
		Kind:       domain.Step,
		Key:        "O-1",
		Name:       "order.completion",
		Stamp:      domain.NewStamp(domain.Instant{}, 0, 3, domain.DigestBody([]byte(body))),
		OccurredAt: at(t, "2024-01-04T15:19:08Z"),
		Standing:   domain.Standing{Axes: domain.Axes{Outcome: domain.OutcomeCompleted, Payment: domain.PaymentPaid}},
		Facts: domain.Facts{
			ProviderStatus: "COMPLETED",
			Reference:      "team day",
			Description:    "team day",
			Currency:       "JPY",
			Total:          "19.030",
			Discount:       "1",
			CreatedAt:      at(t, "2024-01-04T14:19:07.882052Z"),
			CompletedAt:    at(t, "2024-01-04T15:19:08Z"),
		},
	}, translated(t, provider.Runa{}, body))
}

// Runa's other statuses say less: a failure only that it failed, the example of
// the documentation only that the order exists, and an unknown one nothing.
func TestMeaningOfRunaStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]struct {
		rank      uint8
		outcome   domain.Outcome
		anomalies []domain.Anomaly
	}{
		"PROCESSING": {1, domain.OutcomeOpen, []domain.Anomaly{anomaly("status-outside-contract", "PROCESSING")}},
		"FAILED":     {2, domain.OutcomeFailed, nil},
		"EXPIRED":    {0, domain.OutcomeOpen, []domain.Anomaly{anomaly("unknown-status", "EXPIRED")}},
		"completed":  {0, domain.OutcomeOpen, []domain.Anomaly{anomaly("unknown-status", "completed")}},
		"":           {0, domain.OutcomeOpen, []domain.Anomaly{anomaly("unknown-status", "")}},
	} {
		body := fmt.Sprintf(`{"id":"O-1","status":%q}`, status)
		require.Equal(t, &domain.Event{
			Kind:      domain.Step,
			Key:       "O-1",
			Name:      "order.completion",
			Stamp:     domain.NewStamp(domain.Instant{}, 0, want.rank, domain.DigestBody([]byte(body))),
			Standing:  domain.Standing{Axes: domain.Axes{Outcome: want.outcome}},
			Facts:     domain.Facts{ProviderStatus: status},
			Anomalies: want.anomalies,
		}, translated(t, provider.Runa{}, body), status)
	}
}

// A Payway order is a snapshot by its state, whichever event carries it. A closed
// order says nothing of the money: it may have been bought on invoice.
func TestMeaningOfPayway(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]struct {
		rank    uint8
		outcome domain.Outcome
		unknown []domain.Anomaly
	}{
		"created": {1, domain.OutcomeOpen, nil},
		"failed":  {2, domain.OutcomeFailed, nil},
		"closed":  {3, domain.OutcomeClosed, nil},
		"frozen":  {0, domain.OutcomeOpen, []domain.Anomaly{anomaly("unknown-status", "frozen")}},
	} {
		for _, name := range []string{"order_closed", "user_product_cancelled", "something_new"} {
			body := fmt.Sprintf(`{"event":%q,"timestamp":"2022-03-14T09:08:42.054Z","payload":{"account":{},"order":{
				"id":"622f","organisation_id":"oid","order_id":"OID-1","state":%q,
				"total_price":"32.00","total_discount":"0.00",
				"created":"2022-03-14T10:08:39+01:00","updated":"2022-03-14T10:08:41+01:00"},"receipt":{}}}`, name, state)
			clock := at(t, "2022-03-14T09:08:42.054Z")
			require.Equal(t, &domain.Event{
				Kind:            domain.Snapshot,
				Key:             "622f",
				Name:            name,
				Stamp:           domain.NewStamp(clock, 0, want.rank, domain.DigestBody([]byte(body))),
				OccurredAt:      clock,
				Standing:        domain.Standing{Axes: domain.Axes{Outcome: want.outcome}},
				StandingUnknown: want.unknown != nil,
				Facts: domain.Facts{
					ProviderStatus: state,
					StoreID:        "oid",
					Reference:      "OID-1",
					Total:          "32.00",
					Discount:       "0.00",
					CreatedAt:      at(t, "2022-03-14T09:08:39Z"),
				},
				Anomalies: want.unknown,
			}, translated(t, provider.Payway{}, body))
		}
	}
}

// A Payway order keeps its payments, each with its own clock, and its receipt.
func TestPaywayPaymentsAndReceipt(t *testing.T) {
	t.Parallel()
	event := translated(t, provider.Payway{}, `{"event":"order_closed","payload":{
		"order":{"id":"622f","state":"closed","updated":"2022-03-14T10:08:41+01:00","payments":[
			{"id":"p1","type":"normal","state":"closed","amount":"32.0","created":"2022-03-14T10:08:39+01:00","updated":"2022-03-14T10:08:40+01:00"},
			{},
			{"id":"p2","state":"pending","amount":"1.811320754716981132075471699","updated":""}]},
		"receipt":{"id":"r1","order_id":"OID-1","sum":"32.0","payment_method":"klarna_payments","paid_at":"2022-03-14T09:08:39+00:00"}}}`)
	require.Equal(t, at(t, "2022-03-14T09:08:41Z"), event.Stamp.Clock, "without a timestamp the order's own time counts")
	require.Equal(t, domain.Receipt{
		ID: "r1", Total: "32.0", Method: "klarna_payments", PaidAt: at(t, "2022-03-14T09:08:39Z"),
	}, event.Receipt)
	digest := event.Stamp.Body
	require.Equal(t, []domain.PaymentRecord{
		{
			ID: "p1", Type: "normal", Status: "closed", Amount: "32.0", At: at(t, "2022-03-14T09:08:39Z"),
			Stamp: domain.Stamp{Clock: at(t, "2022-03-14T09:08:40Z"), Rank: 5, Body: digest},
		},
		{
			ID: "p2", Status: "pending", Amount: "1.811320754716981132075471699",
			Stamp: domain.Stamp{Clock: at(t, "2022-03-14T09:08:41Z"), Rank: 2, Body: digest},
		},
	}, event.Payments)
	require.Empty(t, event.Anomalies)
}

// These are understood and speak of no order.
func TestNotAboutOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		provider provider.Provider
		body     string
	}{
		{provider.Runa{}, `{"product_code":"TEA","old_state":"LIVE","new_state":"GONE"}`},
		{provider.Runa{}, `{"product_code":"TEA","id":"O-1","status":"COMPLETED"}`},
		{provider.Runa{}, `{"id":null,"status":""}`},
		{provider.Runa{}, `{}`},
		{provider.Ivy{}, `{"type":"checkout_session_created","payload":{"id":"cs","referenceId":"r"}}`},
		{provider.Ivy{}, `{"type":"payout.paid","payload":"odd"}`},
		{provider.Ivy{}, `{"type":"order.updated","payload":{"id":"o"}}`},
		{provider.Ivy{}, `{"type":"something_new","payload":{"id":"o","orderId":"o"}}`},
		{provider.Ivy{}, `{}`},
		{provider.Payway{}, `{"event":"account_changed","payload":{"order":{}}}`},
		{provider.Payway{}, `{"event":"account_changed","payload":{"order":""}}`},
		{provider.Payway{}, `{"event":"account_changed","payload":{"order":{"order_id":"OID-1"}}}`},
		{provider.Payway{}, `{"event_name":"order_closed","account_id":"a","subscription":{"id":"s"}}`},
		{provider.Payway{}, `{}`},
		{provider.Ordatic{}, `{"eventType":"store-opened"}`},
		{provider.Ordatic{}, `{}`},
	} {
		event, err := c.provider.Translate(webhook(c.provider, c.body))
		require.ErrorIs(t, err, domain.ErrNotAboutOrder, c.body)
		require.Nil(t, event)
	}
}
