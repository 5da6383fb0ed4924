package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// Orders are told, alone and in pages, byte for byte as encoding/json tells them, with
// all that is in them, whatever providers have sent.
func TestOrdersAreToldAsEncodingJSONTellsThem(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	handler := l.handler()
	number := 0
	rapid.Check(t, func(r *rapid.T) {
		number++
		e := drawEvent(r, fmt.Sprint("k-", number))
		l.apply("ordatic", "ordatic", e)
		requireAsEncodingJSON[api.Order](t, ask(t, handler, api.PathOfOrder("ordatic", e.Key)))
		requireAsEncodingJSON[api.OrderList](t, ask(t, handler, "/v1/orders?limit=3"))
	})
}

// requireAsEncodingJSON requires that an answer is what encoding/json makes of it.
func requireAsEncodingJSON[T any](t *testing.T, told reply) {
	t.Helper()
	require.Equal(t, 200, told.Status, told.Body)
	var value T
	decoder := json.NewDecoder(bytes.NewBufferString(told.Body))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&value))
	var again bytes.Buffer
	encoder := json.NewEncoder(&again)
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(value))
	require.Equal(t, again.String(), told.Body)
}

// drawEvent gives an event that has any part of all that an event may have.
func drawEvent(r *rapid.T, key string) domain.Event {
	text := rapid.OneOf(rapid.Just(""), rapid.SampledFrom([]string{"plain", "\"\\/", "<&>", "\x00\x1f\x7f", "\u2028\u2029", "\b\f\n\r\t", "ä€𝄞"}), rapid.String())
	amount := rapid.SampledFrom([]domain.Amount{"", "0", "-1.50", "32.00"})
	instant := rapid.Map(rapid.Int64Range(0, 1<<40), func(n int64) domain.Instant {
		if n == 0 {
			return domain.Instant{}
		}
		return domain.InstantOf(opening.Add(time.Duration(n)))
	})
	e := accepted(key)
	e.Standing.Problem = rapid.SampledFrom([]string{"", "rider-error"}).Draw(r, "problem")
	e.Facts = domain.Facts{
		ProviderStatus: text.Draw(r, "status"), StoreID: text.Draw(r, "store"), Reference: text.Draw(r, "reference"),
		Description: text.Draw(r, "description"), FulfillmentKind: text.Draw(r, "kind"), Currency: text.Draw(r, "currency"),
		Total: amount.Draw(r, "total"), Discount: amount.Draw(r, "discount"), Refunded: amount.Draw(r, "refunded"),
		CreatedAt: instant.Draw(r, "created"), CompletedAt: instant.Draw(r, "completed"),
		Receipt: domain.Receipt{ID: text.Draw(r, "id"), Total: amount.Draw(r, "sum"), Method: text.Draw(r, "method"), PaidAt: instant.Draw(r, "paid")},
	}
	for n := range rapid.IntRange(0, 2).Draw(r, "elements") {
		id := fmt.Sprint("\"", n)
		e.Refunds = append(e.Refunds, domain.Refund{
			ID: id, Amount: amount.Draw(r, "amount"), Currency: text.Draw(r, "currency"), Status: text.Draw(r, "status"), Reason: text.Draw(r, "reason"), At: instant.Draw(r, "at"),
		})
		e.Payments = append(e.Payments, domain.PaymentRecord{
			ID: id, Type: text.Draw(r, "type"), Status: text.Draw(r, "status"), Amount: amount.Draw(r, "amount"), At: instant.Draw(r, "at"),
		})
		e.Anomalies = append(e.Anomalies, domain.Anomaly{Code: id, Detail: text.Draw(r, "detail")})
		e.Proof = &domain.Proof{ProofInfo: domain.ProofInfo{ID: proofID, Type: "image/png", Size: len(picture)}, Content: []byte(picture)}
	}
	return e
}
