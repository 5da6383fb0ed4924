package provider

import (
	"crypto/hmac"
	"encoding/hex"

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
	text, err := single(r.Header[ivySignatureHeader])
	if err != nil {
		return err
	}
	signature, err := hex.DecodeString(text)
	if err != nil || hex.EncodeToString(signature) != text || len(signature) != 32 {
		return ErrCredentialUnfit
	}
	return tryAll(secrets, func(secret string) bool {
		return hmac.Equal(signature, authenticate([]byte(secret), r.Body))
	})
}

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

func ivyEvent(body object) *domain.Event { return nil }
