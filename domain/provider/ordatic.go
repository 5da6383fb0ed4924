package provider

import (
	"encoding/base64"

	"github.com/ticketrail/ticketrail/domain"
)

// Ordatic is the restaurant platform Ordatic. Its webhooks are thin: an event, a
// store and an order id, without an id or a time of their own.
type Ordatic struct{}

const authorizationHeader = "Authorization"

// ordaticEvents are in the order of Ordatic's documentation.
var ordaticEvents = vocabulary{
	"order-accepted", "order-in-kitchen", "order-ready-to-pick-up",
	"order-picked-up", "order-served", "order-canceled",
	"rider-created", "rider-picking", "rider-delivering", "rider-completed",
	"rider-error", "rider-proof-delivery", "rider-refund",
}

// Name gives "ordatic".
func (Ordatic) Name() string { return "ordatic" }

// Events gives the tokens of the thirteen events, which are their names.
func (Ordatic) Events() []string { return ordaticEvents.tokens() }

// Verify compares the Authorization header with each secret as a whole: Ordatic
// signs nothing, and sends the value that its customer chose.
func (Ordatic) Verify(r *Request, secrets []string) error {
	authorization, err := single(r.Header[authorizationHeader])
	if err != nil {
		return err
	}
	return tryAll(secrets, func(secret string) bool { return sameText(authorization, secret) })
}

// Identify finds the event. Ordatic gives no webhook id: its retry and a real
// second event are the same bytes.
func (Ordatic) Identify(r *Request) (Identity, error) {
	top, err := topLevel(r.Body, "eventType")
	if err != nil {
		return Identity{}, err
	}
	return Identity{Event: ordaticEvents.identify(top[0])}, nil
}

// NewSecret gives "Bearer " and 32 characters.
func (Ordatic) NewSecret(random [24]byte) string {
	return "Bearer " + base64.RawURLEncoding.EncodeToString(random[:])
}

// CheckSecret takes what can stand in a header as it is.
func (Ordatic) CheckSecret(secret string) error { return checkPlain(secret) }

// Sign sets the Authorization header to the secret.
func (Ordatic) Sign(r *Request, secret, _ string) { r.setHeader(authorizationHeader, secret) }

// Translate makes a step of every event that names an order.
func (Ordatic) Translate(w *domain.Webhook) (*domain.Event, error) {
	return translate(w, ordaticEvent)
}

func ordaticEvent(body object) *domain.Event { return nil }
