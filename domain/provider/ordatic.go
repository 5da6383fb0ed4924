package provider

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

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

// VerifyHead is Verify, which needs no body.
func (o Ordatic) VerifyHead(r *Request, secrets []string) error { return o.Verify(r, secrets) }

// SignsBody gives false: the secret itself is sent.
func (Ordatic) SignsBody() bool { return false }

// Scheme says that the header is a shared secret.
func (Ordatic) Scheme() string {
	return "the whole Authorization header, compared with the configured values"
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

// The ways that an order reaches its customer. Ordatic does not send which it is,
// but some of its events exist for one of them only.
const (
	kindDelivery = "delivery"
	kindTakeaway = "takeaway"
	kindAtTable  = "at-table"
)

// The events that state no status.
const (
	ordaticRiderError  = "rider-error"
	ordaticRiderProof  = "rider-proof-delivery"
	ordaticRiderRefund = "rider-refund"
)

// ordaticStatuses are the events that state a status. Kitchen and rider run side
// by side: a rider is booked while the kitchen works, so the rider's first steps
// rank between the kitchen's.
var ordaticStatuses = lifecycle{
	{name: "order-accepted", axes: domain.Axes{Fulfillment: domain.FulfillmentAccepted}},
	{name: "order-in-kitchen", axes: domain.Axes{Fulfillment: domain.FulfillmentInKitchen}},
	{name: "rider-created", axes: domain.Axes{Delivery: domain.DeliveryAssigned}, fulfillmentKind: kindDelivery},
	{name: "rider-picking", axes: domain.Axes{Delivery: domain.DeliveryPicking}, fulfillmentKind: kindDelivery},
	{name: "order-ready-to-pick-up", axes: domain.Axes{Fulfillment: domain.FulfillmentReady}},
	{name: "rider-delivering", axes: domain.Axes{Delivery: domain.DeliveryDelivering}, fulfillmentKind: kindDelivery},
	{name: "order-picked-up", axes: ordaticHandedOver, fulfillmentKind: kindTakeaway},
	{name: "order-served", axes: ordaticHandedOver, fulfillmentKind: kindAtTable},
	{name: "rider-completed", axes: ordaticDelivered, fulfillmentKind: kindDelivery},
	{name: "order-canceled", axes: domain.Axes{Outcome: domain.OutcomeCanceled}},
}

var (
	ordaticHandedOver = domain.Axes{Fulfillment: domain.FulfillmentHandedOver, Outcome: domain.OutcomeCompleted}
	ordaticDelivered  = domain.Axes{Delivery: domain.DeliveryDelivered, Outcome: domain.OutcomeCompleted}
)

func ordaticEvent(body object) *domain.Event {
	name, data := body.word("eventType"), body.object("data")
	published := slices.Contains(ordaticEvents, name)
	if !published {
		if data.decisive("orderId") == "" {
			return nil
		}
		body.note(domain.AnomalyUnknownEvent, clip(name))
	}
	status, rank, _ := ordaticStatuses.find(name)
	storeID := body.key("storeId")
	event := &domain.Event{
		Kind:     domain.Step,
		Key:      ordaticKey(data, storeID),
		Name:     clip(name),
		Stamp:    body.stamp(domain.Instant{}, 0, rank),
		Standing: status.standing(),
		Facts: domain.Facts{
			ProviderStatus:  status.name,
			StoreID:         storeID,
			FulfillmentKind: status.fulfillmentKind,
		},
	}
	switch name {
	case ordaticRiderError:
		event.Standing.Problem = name
	case ordaticRiderProof:
		event.Proof = readProof(data, "proofDelivery")
	case ordaticRiderRefund:
		event.Refunds = ordaticRefunds(data)
	}
	return event
}

// ordaticKey joins store and order, since only both together name an order. The
// store is escaped so that no two pairs have the same key.
func ordaticKey(data object, storeID string) string {
	key := storeEscaper.Replace(storeID) + ":" + data.key("orderId")
	if len(key) > maxKey {
		data.fail(domain.CauseKeyUnusable, "orderId")
	}
	return key
}

var storeEscaper = strings.NewReplacer("%", "%25", ":", "%3A")

// ordaticRefunds gives the one refund that the event is about. Its sums are in
// cents of a currency that nobody names; what the rider's company adjusts counts
// before what the partner owes.
func ordaticRefunds(data object) []domain.Refund {
	refund := data.object("refund")
	if refund.tree == nil {
		data.unreadable("refund")
		return nil
	}
	at := refund.instant("date")
	return []domain.Refund{{
		ID:     refund.id(),
		Amount: cmp.Or(refund.minorAmount("totalRiderRefund"), refund.minorAmount("totalPartnerRefund")),
		Reason: refund.text("reason"),
		At:     at,
		Stamp:  refund.stamp(at, 0, 0),
	}}
}
