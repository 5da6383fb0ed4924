package api

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// jsonText is JSON in the making. It makes of an order, of which answers are full, the
// same as encoding/json does, which looks up again for each value how it is written and
// takes four times as long.
type jsonText struct{ bytes []byte }

func (t *jsonText) raw(text string) { t.bytes = append(t.bytes, text...) }

// name begins a member of an object.
func (t *jsonText) name(name string) {
	if t.bytes[len(t.bytes)-1] != '{' {
		t.raw(",")
	}
	t.raw(`"`)
	t.raw(name)
	t.raw(`":`)
}

func (t *jsonText) text(name, value string) {
	t.name(name)
	t.value(value)
}

func (t *jsonText) number(name string, value uint64) {
	t.name(name)
	t.bytes = strconv.AppendUint(t.bytes, value, 10)
}

func (t *jsonText) instant(name string, value domain.Instant) {
	t.name(name)
	t.raw(`"`)
	t.bytes, _ = value.AppendText(t.bytes) // which never fails
	t.raw(`"`)
}

// value writes a text. One that is not plain is left to encoding/json.
func (t *jsonText) value(text string) {
	if isPlain(text) {
		t.raw(`"`)
		t.raw(text)
		t.raw(`"`)
		return
	}
	t.marshal(text)
}

// texts writes a list of texts.
func (t *jsonText) texts(name string, all []string) {
	t.name(name)
	t.raw("[")
	for i, text := range all {
		if i > 0 {
			t.raw(",")
		}
		t.value(text)
	}
	t.raw("]")
}

// marshal leaves a text or a number to encoding/json, which can always write it.
func (t *jsonText) marshal(value any) {
	var written bytes.Buffer
	_ = huma.DefaultJSONFormat.Marshal(&written, value)
	t.raw(strings.TrimSuffix(written.String(), "\n"))
}

// isPlain tells whether a text is ASCII without anything that JSON escapes.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// null writes a member that is absent, and tells so.
func null[T any](t *jsonText, name string, value *T) bool {
	if value == nil {
		t.name(name)
		t.raw("null")
	}
	return value == nil
}

func textOrNull[T ~string](t *jsonText, name string, value *T) {
	if !null(t, name, value) {
		t.text(name, string(*value))
	}
}

func instantOrNull(t *jsonText, name string, value *domain.Instant) {
	if !null(t, name, value) {
		t.instant(name, *value)
	}
}

// objectOrNull writes an object with what members writes of it.
func objectOrNull[T any](t *jsonText, name string, value *T, members func(*jsonText, *T)) {
	if !null(t, name, value) {
		t.name(name)
		t.raw("{")
		members(t, value)
		t.raw("}")
	}
}

func list[T any](t *jsonText, name string, all []T, members func(*jsonText, *T)) {
	t.name(name)
	t.raw("[")
	for i := range all {
		if i > 0 {
			t.raw(",")
		}
		t.raw("{")
		members(t, &all[i])
		t.raw("}")
	}
	t.raw("]")
}

// encodeOrder encodes an order as an answer.
func encodeOrder(o *Order) encoded[Order] {
	t := jsonText{make([]byte, 0, usualOrder)}
	t.raw("{")
	orderMembers(&t, o)
	t.raw("}\n")
	return encoded[Order]{t.bytes}
}

// encodeOrders encodes a page of orders as an answer.
func encodeOrders(l *OrderList) encoded[OrderList] {
	t := jsonText{make([]byte, 0, usualOrder*(len(l.Orders)+1))}
	t.raw("{")
	list(&t, "orders", l.Orders, orderMembers)
	textOrNull(&t, "next_cursor", l.NextCursor)
	t.raw("}\n")
	return encoded[OrderList]{t.bytes}
}

// usualOrder is the room that nearly every order finds enough, in bytes.
const usualOrder = 1 << 10

func orderMembers(t *jsonText, o *Order) {
	t.text("source", o.Source)
	t.text("key", o.Key)
	t.text("state", o.State.String())
	t.text("fulfillment", o.Fulfillment.String())
	t.text("delivery", o.Delivery.String())
	t.text("payment", o.Payment.String())
	t.text("outcome", o.Outcome.String())
	objectOrNull(t, "problem", o.Problem, func(t *jsonText, p *OrderProblem) {
		t.text("reason", p.Reason)
		t.instant("since", p.Since)
	})
	t.text("provider", o.Provider)
	textOrNull(t, "provider_status", o.ProviderStatus)
	textOrNull(t, "store_id", o.StoreID)
	textOrNull(t, "reference", o.Reference)
	textOrNull(t, "description", o.Description)
	textOrNull(t, "fulfillment_kind", o.FulfillmentKind)
	textOrNull(t, "currency", o.Currency)
	textOrNull(t, "total", o.Total)
	textOrNull(t, "discount", o.Discount)
	textOrNull(t, "refunded", o.Refunded)
	list(t, "refunds", o.Refunds, refundMembers)
	list(t, "proofs", o.Proofs, proofMembers)
	list(t, "anomalies", o.Anomalies, anomalyMembers)
	instantOrNull(t, "created_at", o.CreatedAt)
	instantOrNull(t, "completed_at", o.CompletedAt)
	t.instant("first_seen_at", o.FirstSeenAt)
	t.instant("last_seen_at", o.LastSeenAt)
	t.instant("updated_at", o.UpdatedAt)
	t.number("version", o.Version)
	t.number("stream_sequence", o.StreamSequence)
	t.instant("state_since", o.StateSince)
	objectOrNull(t, "late", o.Late, func(t *jsonText, l *Lateness) {
		t.name("limit_seconds")
		t.marshal(l.LimitSeconds)
		t.instant("since", l.Since)
	})
	t.texts("expected_next", o.ExpectedNext)
	list(t, "payments", o.Payments, paymentMembers)
	objectOrNull(t, "receipt", o.Receipt, receiptMembers)
	instantOrNull(t, "erased_at", o.ErasedAt)
	t.name("redacted")
	t.bytes = strconv.AppendBool(t.bytes, o.Redacted)
}

func refundMembers(t *jsonText, r *Refund) {
	t.text("id", r.ID)
	textOrNull(t, "amount", r.Amount)
	textOrNull(t, "currency", r.Currency)
	textOrNull(t, "status", r.Status)
	textOrNull(t, "reason", r.Reason)
	instantOrNull(t, "at", r.At)
}

func proofMembers(t *jsonText, p *Proof) {
	t.text("id", p.ID)
	t.text("type", p.Type)
	t.name("size")
	t.bytes = strconv.AppendInt(t.bytes, int64(p.Size), 10)
	t.text("url", p.URL)
}

func anomalyMembers(t *jsonText, a *Anomaly) {
	t.text("code", a.Code)
	textOrNull(t, "detail", a.Detail)
	t.number("stream_sequence", a.StreamSequence)
}

func paymentMembers(t *jsonText, p *Payment) {
	t.text("id", p.ID)
	textOrNull(t, "type", p.Type)
	textOrNull(t, "status", p.Status)
	textOrNull(t, "amount", p.Amount)
	instantOrNull(t, "at", p.At)
}

func receiptMembers(t *jsonText, r *Receipt) {
	textOrNull(t, "id", r.ID)
	textOrNull(t, "total", r.Total)
	textOrNull(t, "method", r.Method)
	instantOrNull(t, "paid_at", r.PaidAt)
}
