package provider_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// ivyMeaning is what an Ivy status says, in the payment mode "settlement".
type ivyMeaning struct {
	rank    uint8
	axes    domain.Axes
	problem string
}

var ivyMeanings = map[string]ivyMeaning{
	"in_handshake":                  {rank: 1, axes: domain.Axes{Payment: domain.PaymentPending}},
	"processing":                    {rank: 2, axes: domain.Axes{Payment: domain.PaymentPending}},
	"waiting_for_payment":           {rank: 3, axes: domain.Axes{Payment: domain.PaymentAuthorized, Fulfillment: domain.FulfillmentAccepted}},
	"waiting_for_bank_confirmation": {rank: 4, axes: domain.Axes{Payment: domain.PaymentAuthorized, Fulfillment: domain.FulfillmentAccepted}},
	"finalizing":                    {rank: 5, axes: domain.Axes{Payment: domain.PaymentSettling, Fulfillment: domain.FulfillmentAccepted}},
	"paid":                          {rank: 6, axes: domain.Axes{Payment: domain.PaymentPaid, Outcome: domain.OutcomeCompleted}},
	"in_refund":                     {rank: 7, axes: domain.Axes{Payment: domain.PaymentRefunding, Outcome: domain.OutcomeCompleted}},
	"refund_failed":                 {rank: 8, axes: domain.Axes{Payment: domain.PaymentRefundFailed, Outcome: domain.OutcomeCompleted}},
	"partially_refunded":            {rank: 9, axes: domain.Axes{Payment: domain.PaymentPartiallyRefunded, Outcome: domain.OutcomeCompleted}},
	"refunded":                      {rank: 10, axes: domain.Axes{Payment: domain.PaymentRefunded, Outcome: domain.OutcomeCompleted}},
	"in_dispute":                    {rank: 11, axes: domain.Axes{Payment: domain.PaymentDisputed, Outcome: domain.OutcomeCompleted}, problem: "in-dispute"},
	"disputed":                      {rank: 12, axes: domain.Axes{Payment: domain.PaymentDisputed, Outcome: domain.OutcomeCompleted}, problem: "disputed"},
	"refused":                       {rank: 13, axes: domain.Axes{Payment: domain.PaymentFailed, Outcome: domain.OutcomeFailed}},
	"failed":                        {rank: 14, axes: domain.Axes{Payment: domain.PaymentFailed, Outcome: domain.OutcomeFailed}},
	"canceled":                      {rank: 15, axes: domain.Axes{Payment: domain.PaymentCanceled, Outcome: domain.OutcomeCanceled}},
}

// Each of the fifteen statuses says the same in each of the four events that carry
// an order.
func TestMeaningOfIvyStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range ivyMeanings {
		for _, event := range []string{"order_created", "order_updated", "refund_succeeded", "refund_failed"} {
			body := fmt.Sprintf(`{"id":"wh1","type":%q,"date":"2026-03-09T10:00:05Z",
				"payload":{"id":"o1","status":%q,"paymentMode":"settlement","updatedAt":"2026-03-09T10:00:00Z"}}`, event, status)
			clock := at(t, "2026-03-09T10:00:00Z")
			require.Equal(t, &domain.Event{
				Kind:       domain.Snapshot,
				Key:        "o1",
				Name:       event,
				Stamp:      domain.NewStamp(clock, 0, want.rank, domain.DigestBody([]byte(body))),
				OccurredAt: clock,
				Standing:   domain.Standing{Axes: want.axes, Problem: want.problem},
				Facts:      domain.Facts{ProviderStatus: status},
			}, translated(t, provider.Ivy{}, body), status)
		}
	}
}

// In the direct mode nothing follows the authorisation, so it completes the order;
// no other status means anything else there.
func TestIvyDirectMode(t *testing.T) {
	t.Parallel()
	for status, want := range ivyMeanings {
		if status == "waiting_for_payment" || status == "waiting_for_bank_confirmation" {
			want.axes.Outcome = domain.OutcomeCompleted
		}
		event := translated(t, provider.Ivy{}, fmt.Sprintf(
			`{"type":"order_updated","payload":{"id":"o1","status":%q,"paymentMode":"direct"}}`, status))
		require.Equal(t, want.axes, event.Standing.Axes, status)
	}
}

// Ivy adds statuses without notice: an unknown one leaves the axes alone and is
// kept as it is, and so is a missing one.
func TestIvyUnknownStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"teleported", "", "PAID"} {
		event := translated(t, provider.Ivy{}, fmt.Sprintf(
			`{"type":"order_updated","payload":{"id":"o1","status":%q}}`, status))
		require.True(t, event.StandingUnknown)
		require.Zero(t, event.Standing)
		require.Zero(t, event.Stamp.Rank)
		require.Equal(t, status, event.ProviderStatus)
		require.Equal(t, []domain.Anomaly{anomaly("unknown-status", status)}, event.Anomalies)
	}
}

// The facts of a snapshot keep what Ivy wrote, the scale of its numbers included.
func TestIvyFacts(t *testing.T) {
	t.Parallel()
	event := translated(t, provider.Ivy{}, `{"id":"wh1","type":"order_updated","date":"2026-03-09T10:00:05Z","payload":{
		"id":"o1","referenceId":"L-1","merchantId":"m1","status":"partially_refunded","refundAmount":10.239,
		"price":{"total":1.010,"currency":"EUR","subTotal":123},
		"createdAt":{},"updatedAt":1773050400123,
		"refunds":[
			{"id":"r1","referenceId":"x","amount":10.239,"status":"succeeded","description":"late","createdAt":"2026-03-09T09:00:00Z","updatedAt":"2026-03-09T09:30:00Z"},
			{"id":"r2","amount":"5","status":"requires_action","createdAt":"2026-03-09T09:10:00Z"},
			{"id":"r3","amount":5,"status":"pending"}],
		"statusHistoryList":[
			{"currentStatus":"processing","reason":"ORDER_CREATED","createdAt":"2026-03-09T08:00:00Z"},
			{"previousStatus":"processing","currentStatus":"paid","reason":"PAYMENT_SUCCEEDED","createdAt":{},"updatedAt":"2026-03-09T08:30:00Z"}]}}`)
	clock := at(t, "2026-03-09T10:00:00.123Z")
	require.Equal(t, clock, event.OccurredAt)
	require.Equal(t, clock, event.Stamp.Clock)
	require.Equal(t, uint32(2), event.Stamp.History)
	require.Equal(t, domain.Facts{
		ProviderStatus: "partially_refunded",
		StoreID:        "m1",
		Reference:      "L-1",
		Currency:       "EUR",
		Total:          "1.010",
		Refunded:       "10.239",
	}, event.Facts)
	stamp := func(clock string, rank uint8) domain.Stamp {
		return domain.Stamp{Clock: at(t, clock), Rank: rank, Body: event.Stamp.Body}
	}
	require.Equal(t, []domain.Refund{
		{ID: "r1", Amount: "10.239", Currency: "EUR", Status: "succeeded", Reason: "late", At: at(t, "2026-03-09T09:00:00Z"), Stamp: stamp("2026-03-09T09:30:00Z", 6)},
		{ID: "r2", Amount: "5", Currency: "EUR", Status: "requires_action", At: at(t, "2026-03-09T09:10:00Z"), Stamp: stamp("2026-03-09T09:10:00Z", 3)},
		{ID: "r3", Amount: "5", Currency: "EUR", Status: "pending", Stamp: stamp("2026-03-09T10:00:00.123Z", 2)},
	}, event.Refunds)
	require.Equal(t, []domain.HistoryEntry{
		{Status: "processing", Reason: "ORDER_CREATED", At: at(t, "2026-03-09T08:00:00Z")},
		{Status: "paid", Reason: "PAYMENT_SUCCEEDED", At: at(t, "2026-03-09T08:30:00Z")},
	}, event.History)
	require.Empty(t, event.Anomalies)
}

// Without a time of its own a snapshot has that of its envelope.
func TestIvyClockFromEnvelope(t *testing.T) {
	t.Parallel()
	for _, updatedAt := range []string{`null`, `{}`, `""`} {
		event := translated(t, provider.Ivy{},
			`{"type":"order_created","date":"2026-03-09T10:00:05Z","payload":{"id":"o1","status":"paid","updatedAt":`+updatedAt+`}}`)
		require.Equal(t, at(t, "2026-03-09T10:00:05Z"), event.Stamp.Clock)
		require.Equal(t, at(t, "2026-03-09T10:00:05Z"), event.OccurredAt)
		require.Empty(t, event.Anomalies)
	}
}

// The events with a full stop carry a refund and name its order. They move no axis
// and state no status of the order.
func TestMeaningOfIvyRefunds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event, status, want string
		rank                uint8
	}{
		{"refund.initiated", "initiated", "initiated", 1},
		{"refund.succeeded", "succeeded", "succeeded", 6},
		{"refund.failed", "failed", "failed", 5},
		{"refund.failed", "initiated", "initiated", 1},
		{"refund.failed", "", "failed", 5},
		{"refund.succeeded", "on_its_way", "on_its_way", 0},
	} {
		body := fmt.Sprintf(`{"id":"wh1","type":%q,"date":"2026-03-09T10:00:05Z",
			"payload":{"id":"r1","orderId":"o1","amount":12.50,"currency":"EUR","status":%q}}`, c.event, c.status)
		clock := at(t, "2026-03-09T10:00:05Z")
		stamp := domain.NewStamp(clock, 0, c.rank, domain.DigestBody([]byte(body)))
		require.Equal(t, &domain.Event{
			Kind:       domain.Step,
			Key:        "o1",
			Name:       c.event,
			Stamp:      stamp,
			OccurredAt: clock,
			Refunds:    []domain.Refund{{ID: "r1", Amount: "12.50", Currency: "EUR", Status: c.want, At: clock, Stamp: stamp}},
		}, translated(t, provider.Ivy{}, body))
	}
}
