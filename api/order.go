package api

import (
	"cmp"
	"time"

	"github.com/ticketrail/ticketrail/domain"
)

// Order is an order in JSON. What is absent is null, and no list is.
type Order struct {
	Source          string             `json:"source" example:"ordatic" doc:"The configured source it came from."`
	Key             string             `json:"key" example:"store-7:o-1" doc:"Its order key, unique in its source."`
	State           domain.State       `json:"state" enum:"placed,accepted,in-kitchen,ready,rider-delivering,failed,completed,closed,canceled" example:"rider-delivering" doc:"The headline, computed from the axes."`
	Fulfillment     domain.Fulfillment `json:"fulfillment" enum:"none,accepted,in-kitchen,ready,handed-over" example:"ready" doc:"How far the kitchen or the shop is."`
	Delivery        domain.Delivery    `json:"delivery" enum:"none,assigned,picking,delivering,delivered" example:"delivering" doc:"How far the rider is."`
	Payment         domain.Payment     `json:"payment" enum:"none,pending,authorized,settling,paid,failed,canceled,refunding,partially-refunded,refunded,refund-failed,disputed" example:"none" doc:"Where the money is."`
	Outcome         domain.Outcome     `json:"outcome" enum:"open,failed,completed,closed,canceled" example:"open" doc:"How it ended."`
	Problem         *OrderProblem      `json:"problem" doc:"Why somebody should look at it; null where nobody need."`
	Provider        string             `json:"provider" example:"ordatic" doc:"The adapter that translated its webhooks."`
	ProviderStatus  *string            `json:"provider_status" example:"rider-delivering" doc:"The provider's own status, verbatim."`
	StoreID         *string            `json:"store_id" example:"store-7" doc:"The provider's id of the store."`
	Reference       *string            `json:"reference" doc:"What the merchant calls the order."`
	Description     *string            `json:"description" doc:"What the order is for."`
	FulfillmentKind *string            `json:"fulfillment_kind" example:"delivery" doc:"delivery, takeaway or at-table."`
	Currency        *string            `json:"currency" example:"SEK" doc:"ISO 4217: the order's, else the one configured for its source."`
	Total           *domain.Amount     `json:"total" example:"32.00" doc:"Exact decimal in the major unit, in the provider's scale."`
	Discount        *domain.Amount     `json:"discount" example:"2.50" doc:"Exact decimal, as total."`
	Refunded        *domain.Amount     `json:"refunded" example:"0.00" doc:"The sum of the refunds that succeeded, as the provider says."`
	Refunds         []Refund           `json:"refunds" nullable:"false" doc:"The refunds, by id."`
	Proofs          []Proof            `json:"proofs" nullable:"false" doc:"The proofs of delivery, by id."`
	Anomalies       []Anomaly          `json:"anomalies" nullable:"false" doc:"What is odd about its webhooks."`
	CreatedAt       *domain.Instant    `json:"created_at" format:"date-time" doc:"When it was made, as the provider says."`
	CompletedAt     *domain.Instant    `json:"completed_at" format:"date-time" doc:"When it was completed, as the provider says."`
	FirstSeenAt     domain.Instant     `json:"first_seen_at" format:"date-time" doc:"When the earliest of its applied webhooks came."`
	LastSeenAt      domain.Instant     `json:"last_seen_at" format:"date-time" doc:"When the latest of its applied webhooks came. One that was released from quarantine came when its request was rejected."`
	UpdatedAt       domain.Instant     `json:"updated_at" format:"date-time" doc:"When the stream took the last of its applied webhooks, which is when readers could see it: last_seen_at, or later where one was released from quarantine."`
	Version         uint64             `json:"version" example:"4" doc:"How many webhooks were applied to it."`
	StreamSequence  uint64             `json:"stream_sequence" example:"812" doc:"The stream sequence of the last one."`
	StateSince      domain.Instant     `json:"state_since" format:"date-time" doc:"When the webhook came that brought the present state."`
	Late            *Lateness          `json:"late" doc:"That it has been in its state for too long, see list-limits; null where it has not, and in an answer that tells how it was."`
	ExpectedNext    []string           `json:"expected_next" nullable:"false" enum:"placed,accepted,in-kitchen,ready,rider-delivering,failed,completed,closed,canceled" doc:"The states that its next webhooks may bring, of those that its provider tells of; none where no more are expected."`
	Payments        []Payment          `json:"payments" nullable:"false" doc:"Its payments, by id, where the provider lists them."`
	Receipt         *Receipt           `json:"receipt" doc:"Its proof of purchase, where the provider issued one."`
	ErasedAt        *domain.Instant    `json:"erased_at" format:"date-time" doc:"When what is personal of it was erased: its reference, its description, the reasons of refunds and of its history, and the bytes of its proofs. It takes no more webhooks. An answer that tells how it was before has it too, and none of these."`
	Redacted        bool               `json:"redacted" example:"false" doc:"Whether what is personal is withheld, since the token lacks the scope raw."`
}

// OrderProblem is why somebody should look at an order.
type OrderProblem struct {
	_      struct{}       `nullable:"true"`
	Reason string         `json:"reason" example:"rider-error" doc:"rider-error, in-dispute or disputed."`
	Since  domain.Instant `json:"since" format:"date-time" doc:"When the webhook came that brought it."`
}

// Refund is money that goes back.
type Refund struct {
	ID       string          `json:"id" doc:"The provider's id, or a hash of its content where there is none."`
	Amount   *domain.Amount  `json:"amount" example:"11.50" doc:"Exact decimal in the major unit."`
	Currency *string         `json:"currency" example:"EUR" doc:"ISO 4217: the refund's own, else the order's."`
	Status   *string         `json:"status" doc:"The provider's own status, verbatim."`
	Reason   *string         `json:"reason" doc:"Why, as the provider says."`
	At       *domain.Instant `json:"at" format:"date-time" doc:"When, as the provider says."`
}

// Payment is one payment of an order.
type Payment struct {
	ID     string          `json:"id" doc:"The provider's id."`
	Type   *string         `json:"type" doc:"The provider's own name of its kind."`
	Status *string         `json:"status" doc:"The provider's own status, verbatim."`
	Amount *domain.Amount  `json:"amount" example:"32.00" doc:"Exact decimal in the major unit."`
	At     *domain.Instant `json:"at" format:"date-time" doc:"When, as the provider says."`
}

// Receipt is the proof of purchase of an order.
type Receipt struct {
	_      struct{}        `nullable:"true"`
	ID     *string         `json:"id" doc:"The provider's id."`
	Total  *domain.Amount  `json:"total" example:"32.00" doc:"Exact decimal in the major unit."`
	Method *string         `json:"method" doc:"How it was paid."`
	PaidAt *domain.Instant `json:"paid_at" format:"date-time" doc:"When it was paid, as the provider says."`
}

// Proof is a proof of delivery, without its bytes.
type Proof struct {
	ID   string `json:"id" doc:"The head of the SHA-256 of its bytes."`
	Type string `json:"type" example:"image/png" doc:"Its media type, found from the bytes."`
	Size int    `json:"size" example:"68" doc:"In bytes."`
	URL  string `json:"url" format:"uri-reference" doc:"Where its bytes are."`
}

// Anomaly is something odd that a webhook said.
type Anomaly struct {
	Code           string  `json:"code" example:"unknown-status" doc:"What kind of oddity."`
	Detail         *string `json:"detail" doc:"What it is about."`
	StreamSequence uint64  `json:"stream_sequence" example:"812" doc:"Where it was first seen."`
}

// terms are what the configuration says of orders. It comes in when an order is told and
// not in the fold, since the read model depends on the stream alone.
type terms struct {
	sources []Source
	limits  *domain.Limits
}

// order gives an order in JSON, as whoever asks may see it, at a time, which is zero for an
// order as it was.
func (h *handler) order(bearer Token, o *domain.Order, now time.Time) Order {
	return h.terms.order(o, !bearer.seesPersonal(), now)
}

func (t *terms) order(o *domain.Order, redacted bool, now time.Time) Order {
	if redacted {
		o = o.Redacted()
	}
	standing := o.Standing()
	currency := cmp.Or(o.Currency.Value, t.currency(o.Source))
	return Order{
		Source:          o.Source,
		Key:             o.Key,
		State:           standing.State(),
		Fulfillment:     standing.Fulfillment,
		Delivery:        standing.Delivery,
		Payment:         standing.Payment,
		Outcome:         standing.Outcome,
		Problem:         problemOfOrder(standing.Problem, o.ProblemSince),
		Provider:        o.Provider,
		ProviderStatus:  orNull(o.ProviderStatus.Value),
		StoreID:         orNull(o.StoreID.Value),
		Reference:       orNull(o.Reference.Value),
		Description:     orNull(o.Description.Value),
		FulfillmentKind: orNull(o.FulfillmentKind.Value),
		Currency:        orNull(currency),
		Total:           orNull(o.Total.Value),
		Discount:        orNull(o.Discount.Value),
		Refunded:        orNull(o.Refunded.Value),
		Refunds:         each(o.Refunds, func(r domain.Refund) Refund { return refund(r, currency) }),
		Proofs:          each(o.Proofs, func(p domain.ProofInfo) Proof { return proof(o, p) }),
		Anomalies:       each(o.Anomalies, anomaly),
		CreatedAt:       orNull(o.CreatedAt.Value),
		CompletedAt:     orNull(o.CompletedAt.Value),
		FirstSeenAt:     o.FirstSeenAt,
		LastSeenAt:      o.LastSeenAt,
		UpdatedAt:       o.UpdatedAt(),
		Version:         o.Version,
		StreamSequence:  o.StreamSequence,
		StateSince:      o.StateSince,
		Late:            t.lateness(o, now),
		ExpectedNext:    each(o.ExpectedNext(t.states(o)), domain.State.String),
		Payments:        each(o.Payments, payment),
		Receipt:         receipt(o.Receipt.Value),
		ErasedAt:        orNull(o.ErasedAt),
		Redacted:        redacted,
	}
}

func problemOfOrder(reason string, since domain.Instant) *OrderProblem {
	if reason == "" {
		return nil
	}
	return &OrderProblem{Reason: reason, Since: since}
}

func refund(r domain.Refund, currency string) Refund {
	return Refund{
		ID:       r.ID,
		Amount:   orNull(r.Amount),
		Currency: orNull(cmp.Or(r.Currency, currency)),
		Status:   orNull(r.Status),
		Reason:   orNull(r.Reason),
		At:       orNull(r.At),
	}
}

func payment(p domain.PaymentRecord) Payment {
	return Payment{ID: p.ID, Type: orNull(p.Type), Status: orNull(p.Status), Amount: orNull(p.Amount), At: orNull(p.At)}
}

func receipt(r domain.Receipt) *Receipt {
	if r == (domain.Receipt{}) {
		return nil
	}
	return &Receipt{ID: orNull(r.ID), Total: orNull(r.Total), Method: orNull(r.Method), PaidAt: orNull(r.PaidAt)}
}

func proof(o *domain.Order, p domain.ProofInfo) Proof {
	return Proof{ID: p.ID, Type: p.Type, Size: p.Size, URL: PathOfOrder(o.Source, o.Key) + "/proofs/" + PathSegment(p.ID)}
}

func anomaly(a domain.Anomaly) Anomaly {
	return Anomaly{Code: a.Code, Detail: orNull(a.Detail), StreamSequence: a.StreamSequence}
}

// orNull gives nil for the zero value, which is how the domain says "none".
func orNull[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

// each gives what convert makes of every element, and never nil: an empty list
// is [] in JSON.
func each[A, B any](all []A, convert func(A) B) []B {
	converted := make([]B, len(all))
	for i, one := range all {
		converted[i] = convert(one)
	}
	return converted
}
