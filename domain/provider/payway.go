package provider

import (
	"cmp"
	"encoding/base64"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
)

// Payway is the subscription shop Tulo Payway. Its webhooks carry every entity
// that the event touches, and leave those that it does not touch empty.
type Payway struct{}

// paywayToken is the query parameter with the secret.
const paywayToken = "token"

// paywayEvents are the events whose exact names Payway has published.
var paywayEvents = vocabulary{
	"order_closed",
	"changed_subscription_renewal_date",
	"user_product_cancelled", "user_product_uncancelled",
	"account_changed", "account_archived", "account_marketing_permission_changed",
	"account_activated_for_existing_customer", "account_created_with_password_reset",
	"account_password_reset_complete",
	"account_requested_email_change", "account_requested_loyalty_card",
	"account_requested_one_time_password", "account_requested_password_reset",
	"account_requested_verification_email",
	"registered_account_confirmed", "new_account_registered", "confirmation_email_requested",
}

// Name gives "payway".
func (Payway) Name() string { return "payway" }

// Events gives the tokens of Payway's events, which are their names.
func (Payway) Events() []string { return paywayEvents.tokens() }

// Verify compares the token of the URL, or the password of basic authentication,
// with each secret: Payway documents no signature, so its support is given an
// address that holds the secret. A request with both is unfit.
func (Payway) Verify(r *Request, secrets []string) error {
	presented, err := paywayCredential(r)
	if err != nil {
		return err
	}
	return tryAll(secrets, func(secret string) bool { return sameText(presented, secret) })
}

// VerifyHead is Verify, which needs no body.
func (p Payway) VerifyHead(r *Request, secrets []string) error { return p.Verify(r, secrets) }

// SignsBody gives false: the secret itself is sent.
func (Payway) SignsBody() bool { return false }

// Scheme says that the address or the password is a shared secret.
func (Payway) Scheme() string {
	return "the token of the URL or the password of basic authentication, compared with the configured values"
}

func paywayCredential(r *Request) (string, error) {
	tokens, authorizations := r.Query[paywayToken], r.Header[authorizationHeader]
	switch {
	case len(authorizations) == 0:
		return single(tokens)
	case len(tokens) > 0:
		return "", ErrCredentialUnfit
	}
	authorization, err := single(authorizations)
	if err != nil {
		return "", err
	}
	return basicPassword(authorization)
}

// basicPassword gives the password of RFC 7617; the user may be any.
func basicPassword(authorization string) (string, error) {
	pair, err := basicPair(authorization)
	_, password, _ := strings.Cut(pair, ":")
	return password, err
}

// Identify finds the event. Payway gives no webhook id.
func (Payway) Identify(r *Request) (Identity, error) {
	top, err := topLevel(r.Body, "event")
	if err != nil {
		return Identity{}, err
	}
	return Identity{Event: paywayEvents.identify(top[0])}, nil
}

// NewSecret gives 32 characters that stand in a URL as they are.
func (Payway) NewSecret(random [24]byte) string {
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// CheckSecret takes any text without control characters or surrounding space.
func (Payway) CheckSecret(secret string) error { return checkPlain(secret) }

// Sign sets the token of the URL.
func (Payway) Sign(r *Request, secret, _ string) {
	if r.Query == nil {
		r.Query = make(map[string][]string)
	}
	r.Query[paywayToken] = []string{secret}
}

// Translate makes a snapshot of every event that carries an order, whatever the
// event is about.
func (Payway) Translate(w *domain.Webhook) (*domain.Event, error) {
	return translate(w, paywayEvent)
}

// paywayOrderClosed is the one event that is about an order by its name.
const paywayOrderClosed = "order_closed"

// paywayStates are the states of an order. Both later ones are final. A closed
// order need not be paid: one that is bought on invoice is closed at once, so the
// payment axis stays where it is.
var paywayStates = lifecycle{
	{name: "created"},
	{name: "failed", axes: domain.Axes{Outcome: domain.OutcomeFailed}},
	{name: "closed", axes: domain.Axes{Outcome: domain.OutcomeClosed}},
}

// paywayPaymentStates ranks the states of a payment; the last three are final.
var paywayPaymentStates = []string{"created", "pending", "cancelled", "failed", "closed"}

func paywayEvent(body object) *domain.Event {
	name, payload := body.text("event"), body.object("payload")
	order := payload.object("order")
	if name != paywayOrderClosed && order.decisive("id") == "" {
		return nil
	}
	state := order.word("state")
	status, rank, known := paywayStates.find(state)
	if !known {
		body.note(domain.AnomalyUnknownStatus, clip(state))
	}
	clock := cmp.Or(body.instant("timestamp"), order.instant("updated"))
	return &domain.Event{
		Kind:            domain.Snapshot,
		Key:             order.key("id"),
		Name:            clip(name),
		Stamp:           body.stamp(clock, 0, rank),
		OccurredAt:      clock,
		Standing:        status.standing(),
		StandingUnknown: !known,
		Facts: domain.Facts{
			ProviderStatus: state,
			StoreID:        order.text("organisation_id"),
			Reference:      order.text("order_id"),
			Total:          order.amount("total_price"),
			Discount:       order.amount("total_discount"),
			CreatedAt:      order.instant("created"),
			Receipt:        paywayReceipt(payload.object("receipt")),
		},
		Payments: paywayPayments(order, clock),
	}
}

func paywayReceipt(receipt object) domain.Receipt {
	return domain.Receipt{
		ID:     receipt.text("id"),
		Total:  receipt.amount("sum"),
		Method: receipt.text("payment_method"),
		PaidAt: receipt.instant("paid_at"),
	}
}

func paywayPayments(order object, clock domain.Instant) (payments []domain.PaymentRecord) {
	for payment := range order.each("payments") {
		state, created := payment.text("state"), payment.instant("created")
		updated := cmp.Or(payment.instant("updated"), created, clock)
		payments = append(payments, domain.PaymentRecord{
			ID:     payment.id(),
			Type:   payment.text("type"),
			Status: state,
			Amount: payment.amount("amount"),
			At:     created,
			Stamp:  payment.stamp(updated, 0, rankIn(paywayPaymentStates, state)),
		})
	}
	return payments
}
