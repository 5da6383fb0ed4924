package simulate_test

import (
	"encoding/json"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

// fields are the members that an object may have, each with its possible values;
// gone stands for a member that is not there. A value that is fields itself, or
// some, is drawn in turn.
type fields map[string][]any

// some is an array of up to three such objects.
type some fields

// absence is the type of gone.
type absence struct{}

var gone = absence{}

// The pools that values are drawn from: small, so that ties and contradictions
// are the rule, and with what providers send where there is no value.
var (
	clocks = []any{
		"2026-05-01T12:00:00Z", "2026-05-01T12:00:01Z", "2026-05-01T14:00:01.000+02:00", 1777636801, "soon", "", nil, gone,
	}
	amounts    = []any{"32.00", "32.0", 32, "0", "much", "", gone}
	currencies = []any{"SEK", "EUR", "kr", gone}
	texts      = []any{"a", "b", "", nil, gone}
	ids        = []any{"1", "2", "", gone}
)

// bodies has what each provider's webhooks of one order may hold. Two of the proofs
// are the same bytes, once as they are and once in base64.
var bodies = map[string]fields{
	"ordatic": {
		"eventType": names(append(provider.Ordatic{}.Events(), "rider-lost")...),
		"storeId":   {"store-1"},
		"data": {fields{
			"orderId":       {"o-1"},
			"proofDelivery": {"hello! not base64", "aGVsbG8hIG5vdCBiYXNlNjQ=", "d29ybGQ=", "iVBORw0KGgo=", gone},
			"refund": {gone, fields{
				"id": ids, "date": clocks, "reason": texts,
				"totalRiderRefund": {11500, 4000, "11500", gone}, "totalPartnerRefund": {4000, gone},
			}},
		}},
	},
	"runa": {
		"id":             {"O-1"},
		"status":         {"COMPLETED", "FAILED", "PROCESSING", "LOST"},
		"created_at":     clocks,
		"completed_at":   clocks,
		"description":    texts,
		"currency":       currencies,
		"total_price":    amounts,
		"total_discount": amounts,
	},
	"ivy": {
		"id":   {"w-1", "w-2"},
		"type": names("order_created", "order_updated", "refund_succeeded", "refund.initiated", "refund.succeeded", "refund.failed"),
		"date": clocks,
		"payload": {fields{
			"id": {"1"}, "orderId": {"1"},
			"status": names("processing", "in_handshake", "waiting_for_payment", "waiting_for_bank_confirmation", "finalizing",
				"paid", "in_refund", "partially_refunded", "refunded", "refund_failed", "in_dispute", "disputed", "failed",
				"refused", "canceled", "on_the_moon", "initiated", "succeeded"),
			"updatedAt":         clocks,
			"createdAt":         clocks,
			"referenceId":       texts,
			"paymentMode":       {"direct", "settlement", gone},
			"amount":            amounts,
			"currency":          currencies,
			"price":             {gone, fields{"total": amounts, "currency": currencies}},
			"refundAmount":      amounts,
			"refunds":           {gone, some{"id": ids, "amount": amounts, "status": texts, "createdAt": clocks, "updatedAt": clocks}},
			"statusHistoryList": {gone, some{"currentStatus": texts, "reason": texts, "createdAt": clocks}},
		}},
	},
	"payway": {
		"event":     {"order_closed", "changed_subscription_renewal_date", "payment_success"},
		"timestamp": clocks,
		"payload": {fields{
			"order": {fields{
				"id":             {"1"},
				"order_id":       texts,
				"state":          {"created", "closed", "failed", "lost"},
				"total_price":    amounts,
				"total_discount": amounts,
				"created":        clocks,
				"updated":        clocks,
				"payments":       {gone, some{"id": ids, "type": texts, "state": texts, "amount": amounts, "created": clocks, "updated": clocks}},
			}},
			"receipt": {gone, fields{"id": ids, "sum": amounts, "payment_method": texts, "paid_at": clocks}},
		}},
	},
}

func names(choices ...string) []any {
	all := make([]any, len(choices))
	for i, choice := range choices {
		all[i] = choice
	}
	return all
}

// adversarial draws webhooks of one order of the provider.
func adversarial(providerName string) *rapid.Generator[simulate.Webhook] {
	return rapid.Custom(func(t *rapid.T) simulate.Webhook {
		body, err := json.Marshal(bodies[providerName].draw(t))
		if err != nil {
			panic(err)
		}
		return simulate.Webhook{Provider: providerName, Body: body}
	})
}

// draw gives an object of the fields.
func (f fields) draw(t *rapid.T) map[string]any {
	object := make(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		switch choice := rapid.SampledFrom(f[name]).Draw(t, name).(type) {
		case absence:
		case fields:
			object[name] = choice.draw(t)
		case some:
			object[name] = choice.draw(t)
		default:
			object[name] = choice
		}
	}
	return object
}

// draw gives an array of the objects.
func (s some) draw(t *rapid.T) []map[string]any {
	array := make([]map[string]any, rapid.IntRange(0, 3).Draw(t, "length"))
	for i := range array {
		array[i] = fields(s).draw(t)
	}
	return array
}
