package provider

import (
	"encoding/base64"

	"github.com/ticketrail/ticketrail/domain"
)

// Runa is the gift card and payout platform Runa, formerly WeGift. It sends
// through Svix, one webhook for each order, when the order has been processed.
type Runa struct{}

const (
	runaOrderCompletion = "order.completion"
	runaProductUpdate   = "product.update"
)

// runaEvents is all that Runa documents. The body does not name its event.
var runaEvents = vocabulary{runaOrderCompletion, runaProductUpdate}

// Name gives "runa".
func (Runa) Name() string { return "runa" }

// Events gives order-completion and product-update.
func (Runa) Events() []string { return runaEvents.tokens() }

// Verify checks the Standard Webhooks signature, with svix-* or webhook-* headers.
func (Runa) Verify(r *Request, secrets []string) error { return verifyStandard(r, secrets) }

// Identify tells the event by the fields that only it has, and finds the webhook
// id in the headers: it is the same for each attempt to deliver one webhook.
func (Runa) Identify(r *Request) (Identity, error) {
	top, err := topLevel(r.Body, "product_code", "id", "status")
	if err != nil {
		return Identity{}, err
	}
	headers, err := readStandardHeaders(r.Header)
	if err != nil {
		headers.id = "" // only where nobody verified the request
	}
	return Identity{
		Event:     runaEvents.identify(runaName(top[0], top[1], top[2])),
		WebhookID: usableWebhookID(headers.id),
	}, nil
}

// runaName gives the event of a body with these values; empty for another body.
func runaName(productCode, id, status string) string {
	switch {
	case productCode != "":
		return runaProductUpdate
	case id != "" && status != "":
		return runaOrderCompletion
	}
	return ""
}

// NewSecret gives a secret as Svix makes them.
func (Runa) NewSecret(random [24]byte) string {
	return standardSecretPrefix + base64.StdEncoding.EncodeToString(random[:])
}

// CheckSecret takes "whsec_" and the base64 of 24 to 64 bytes.
func (Runa) CheckSecret(secret string) error {
	_, err := standardKey(secret)
	return err
}

// Sign sets the three svix-* headers.
func (Runa) Sign(r *Request, secret, id string) { signStandard(r, secret, id) }

// Translate makes a step of every body that has an order's id or status.
func (Runa) Translate(w *domain.Webhook) (*domain.Event, error) { return translate(w, runaEvent) }

func runaEvent(body object) *domain.Event { return nil }
