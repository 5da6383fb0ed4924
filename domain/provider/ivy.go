package provider

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
)

// Ivy is the payment service Ivy, now Augustus (getivy.io), in the API version
// that has orders. Its webhooks carry the whole order with its history.
type Ivy struct{}

const ivySignatureHeader = "X-Ivy-Signature"

// ivyEvents are the subscribable events of Ivy's API, those it has withdrawn
// included.
var ivyEvents = vocabulary{
	"test",
	"order_created", "order_updated",
	"merchant_updated", "merchant_app_updated",
	"refund_succeeded", "refund_failed",
	"refund.initiated", "refund.succeeded", "refund.failed",
	"user_payout.initiated", "user_payout.paid", "user_payout.failed",
	"payout_report_requested", "data_session_completed",
	"checkout_session_created", "checkout_session_updated",
	"checkout_session_expired", "checkout_session_completed",
	"payout_created", "payout_updated",
	"mandate_setup_started", "mandate_setup_succeeded", "mandate_setup_failed", "mandate_revoked",
	"payout.initiated", "payout.paid", "payout.failed",
	"deposit.received",
	"return.initiated", "return.succeeded", "return.failed", "return.returned",
	"fx.initiated", "fx.succeeded", "fx.failed",
}

// Name gives "ivy".
func (Ivy) Name() string { return "ivy" }

// Events gives the tokens of Ivy's events; those with a dot and those with an
// underscore in their names are different events.
func (Ivy) Events() []string { return ivyEvents.tokens() }

// Verify checks the lower-case hex HMAC-SHA256 of the raw body. The key is the
// secret as plain text.
func (Ivy) Verify(r *Request, secrets []string) error {
	signature, err := ivySignature(r)
	if err != nil {
		return err
	}
	return tryAll(secrets, func(secret string) bool {
		return hmac.Equal(signature, authenticate([]byte(secret), r.Body))
	})
}

// VerifyHead checks the form of the signature.
func (Ivy) VerifyHead(r *Request, _ []string) error {
	_, err := ivySignature(r)
	return err
}

func ivySignature(r *Request) ([]byte, error) {
	text, err := single(r.Header[ivySignatureHeader])
	if err != nil {
		return nil, err
	}
	signature, err := hex.DecodeString(text)
	if err != nil || strings.ToLower(text) != text || len(signature) != sha256.Size {
		return nil, ErrCredentialUnfit
	}
	return signature, nil
}

// SignsBody gives true.
func (Ivy) SignsBody() bool { return true }

// Scheme says that the body is signed.
func (Ivy) Scheme() string { return "the HMAC-SHA256 of the raw body in the header X-Ivy-Signature" }

// Identify finds the event and the webhook id in the envelope.
func (Ivy) Identify(r *Request) (Identity, error) {
	top, err := topLevel(r.Body, "type", "id")
	if err != nil {
		return Identity{}, err
	}
	return Identity{Event: ivyEvents.identify(top[0]), WebhookID: usableWebhookID(top[1])}, nil
}

// NewSecret gives 48 hex digits.
func (Ivy) NewSecret(random [24]byte) string { return hex.EncodeToString(random[:]) }

// CheckSecret takes any text without control characters or surrounding space.
func (Ivy) CheckSecret(secret string) error { return checkPlain(secret) }

// Sign sets X-Ivy-Signature. Ivy's webhook id is in the body, so id is not used.
func (Ivy) Sign(r *Request, secret, _ string) {
	r.setHeader(ivySignatureHeader, hex.EncodeToString(authenticate([]byte(secret), r.Body)))
}

// Translate reads the four events that carry an order as snapshots, and the three
// that carry a refund as steps.
func (Ivy) Translate(w *domain.Webhook) (*domain.Event, error) { return translate(w, ivyEvent) }

// ivyStatuses are the statuses of an order, in the order of a life: asking for the
// money, its coming, its going back, the quarrel about it, and the ends. The rank
// decides only between two snapshots of one moment with histories of one length.
//
// Three of them (in_handshake, waiting_for_bank_confirmation, refused) are named
// in Ivy's enumeration and explained nowhere; they mean what their neighbours do.
var ivyStatuses = lifecycle{
	{name: "in_handshake", axes: domain.Axes{Payment: domain.PaymentPending}},
	{name: "processing", axes: domain.Axes{Payment: domain.PaymentPending}},
	{name: "waiting_for_payment", axes: ivyAuthorized},
	{name: "waiting_for_bank_confirmation", axes: ivyAuthorized},
	{name: "finalizing", axes: domain.Axes{Payment: domain.PaymentSettling, Fulfillment: domain.FulfillmentAccepted}},
	{name: "paid", axes: ivyCompleted(domain.PaymentPaid)},
	{name: "in_refund", axes: ivyCompleted(domain.PaymentRefunding)},
	{name: "refund_failed", axes: ivyCompleted(domain.PaymentRefundFailed)},
	{name: "partially_refunded", axes: ivyCompleted(domain.PaymentPartiallyRefunded)},
	{name: "refunded", axes: ivyCompleted(domain.PaymentRefunded)},
	{name: "in_dispute", axes: ivyCompleted(domain.PaymentDisputed), problem: "in-dispute"},
	{name: "disputed", axes: ivyCompleted(domain.PaymentDisputed), problem: "disputed"},
	{name: "refused", axes: domain.Axes{Payment: domain.PaymentFailed, Outcome: domain.OutcomeFailed}},
	{name: "failed", axes: domain.Axes{Payment: domain.PaymentFailed, Outcome: domain.OutcomeFailed}},
	{name: "canceled", axes: domain.Axes{Payment: domain.PaymentCanceled, Outcome: domain.OutcomeCanceled}},
}

var ivyAuthorized = domain.Axes{Payment: domain.PaymentAuthorized, Fulfillment: domain.FulfillmentAccepted}

// ivyCompleted gives the axes of an order that was paid and may be delivered,
// wherever its money has gone since.
func ivyCompleted(payment domain.Payment) domain.Axes {
	return domain.Axes{Payment: payment, Outcome: domain.OutcomeCompleted}
}

// ivyRefundStatuses ranks the statuses of a refund, of both enumerations that Ivy
// has for it.
var ivyRefundStatuses = []string{
	"initiated", "pending", "requires_action", "partially_refunded", "failed", "succeeded",
}

func ivyEvent(body object) *domain.Event {
	switch name := body.word("type"); name {
	case "order_created", "order_updated", "refund_succeeded", "refund_failed":
		return ivySnapshot(body, name)
	case "refund.initiated", "refund.succeeded", "refund.failed":
		return ivyRefundStep(body, name)
	}
	return nil
}

func ivySnapshot(body object, name string) *domain.Event {
	order := body.object("payload")
	statusName := order.word("status")
	status, rank, known := ivyStatuses.find(statusName)
	if !known {
		body.note(domain.AnomalyUnknownStatus, clip(statusName))
	}
	clock := cmp.Or(order.instant("updatedAt"), body.instant("date"))
	history := ivyHistory(order)
	facts := ivyFacts(order)
	facts.ProviderStatus = statusName
	return &domain.Event{
		Kind:            domain.Snapshot,
		Key:             order.key("id"),
		Name:            name,
		Stamp:           body.stamp(clock, len(history), rank),
		OccurredAt:      clock,
		Standing:        ivyStanding(status, order.text("paymentMode")),
		StandingUnknown: !known,
		Facts:           facts,
		Refunds:         ivyRefunds(order, facts.Currency, clock),
		History:         history,
	}
}

// ivyStanding gives what a status says in a payment mode. In the direct mode the
// money goes past Ivy, which then tells nothing after the authorisation.
func ivyStanding(status orderStatus, paymentMode string) domain.Standing {
	standing := status.standing()
	if paymentMode == "direct" && standing.Payment == domain.PaymentAuthorized {
		standing.Outcome = domain.OutcomeCompleted
	}
	return standing
}

func ivyFacts(order object) domain.Facts {
	price := order.object("price")
	return domain.Facts{
		StoreID:   order.text("merchantId"),
		Reference: order.text("referenceId"),
		Currency:  price.currency("currency"),
		Total:     price.amount("total"),
		Refunded:  order.amount("refundAmount"),
		CreatedAt: order.instant("createdAt"),
	}
}

func ivyHistory(order object) (history []domain.HistoryEntry) {
	for entry := range order.each("statusHistoryList") {
		history = append(history, domain.HistoryEntry{
			Status: entry.text("currentStatus"),
			Reason: entry.text("reason"),
			At:     cmp.Or(entry.instant("createdAt"), entry.instant("updatedAt")),
		})
	}
	return history
}

func ivyRefunds(order object, currency string, clock domain.Instant) (refunds []domain.Refund) {
	for refund := range order.each("refunds") {
		status, created := refund.text("status"), refund.instant("createdAt")
		updated := cmp.Or(refund.instant("updatedAt"), created, clock)
		refunds = append(refunds, domain.Refund{
			ID:       refund.id(),
			Amount:   refund.amount("amount"),
			Currency: currency,
			Status:   status,
			Reason:   refund.text("description"),
			At:       created,
			Stamp:    refund.stamp(updated, 0, rankIn(ivyRefundStatuses, status)),
		})
	}
	return refunds
}

// ivyRefundStep reads an event whose payload is a refund and names its order.
func ivyRefundStep(body object, name string) *domain.Event {
	refund, clock := body.object("payload"), body.instant("date")
	status := cmp.Or(refund.text("status"), strings.TrimPrefix(name, "refund."))
	rank := rankIn(ivyRefundStatuses, status)
	return &domain.Event{
		Kind:       domain.Step,
		Key:        refund.key("orderId"),
		Name:       name,
		Stamp:      body.stamp(clock, 0, rank),
		OccurredAt: clock,
		Refunds: []domain.Refund{{
			ID:       refund.id(),
			Amount:   refund.amount("amount"),
			Currency: refund.currency("currency"),
			Status:   status,
			At:       clock,
			Stamp:    refund.stamp(clock, 0, rank),
		}},
	}
}
