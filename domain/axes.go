package domain

import (
	"fmt"
	"slices"
	"strings"
)

// Fulfillment is how far the kitchen or the shop is with an order. Greater is
// further; the zero value says that nothing was heard of it.
type Fulfillment uint8

// The values of [Fulfillment], in rising order.
const (
	FulfillmentNone Fulfillment = iota
	FulfillmentAccepted
	FulfillmentInKitchen
	FulfillmentReady
	FulfillmentHandedOver
)

// Delivery is how far the rider is with an order. Greater is further; the zero
// value says that no rider was heard of.
type Delivery uint8

// The values of [Delivery], in rising order.
const (
	DeliveryNone Delivery = iota
	DeliveryAssigned
	DeliveryPicking
	DeliveryDelivering
	DeliveryDelivered
)

// Payment is where the money of an order is. Only steps compare payments, and
// only snapshots carry more than one of them, so the order of its values breaks
// ties and means nothing else. The zero value says that nothing was heard of it.
type Payment uint8

// The values of [Payment].
const (
	PaymentNone Payment = iota
	PaymentPending
	PaymentAuthorized
	PaymentSettling
	PaymentPaid
	PaymentFailed
	PaymentCanceled
	PaymentRefunding
	PaymentPartiallyRefunded
	PaymentRefunded
	PaymentRefundFailed
	PaymentDisputed
)

// Outcome is how an order ended. Greater outranks: where two outcomes were
// heard the greater one stands. The zero value, open, says that it has not ended.
type Outcome uint8

// The values of [Outcome], in rising order.
const (
	OutcomeOpen Outcome = iota
	OutcomeFailed
	OutcomeCompleted
	OutcomeClosed
	OutcomeCanceled
)

// State is the headline of an order, computed from its axes by [Axes.State] and
// stored nowhere as a truth of its own. Greater is further along.
type State uint8

// The values of [State], in rising order.
const (
	StatePlaced State = iota
	StateAccepted
	StateInKitchen
	StateReady
	StateRiderDelivering
	StateFailed
	StateCompleted
	StateClosed
	StateCanceled
)

var (
	fulfillmentNames = []string{"none", "accepted", "in-kitchen", "ready", "handed-over"}
	deliveryNames    = []string{"none", "assigned", "picking", "delivering", "delivered"}
	paymentNames     = []string{
		"none", "pending", "authorized", "settling", "paid", "failed", "canceled",
		"refunding", "partially-refunded", "refunded", "refund-failed", "disputed",
	}
	outcomeNames = []string{"open", "failed", "completed", "closed", "canceled"}
	stateNames   = []string{
		"placed", "accepted", "in-kitchen", "ready", "rider-delivering",
		"failed", "completed", "closed", "canceled",
	}
)

// Axes are the separate machines that an order runs on: kitchen, rider, money,
// and how it ended. Providers move them independently, so one flat state would
// lose what they say. The zero value is an order of which nothing was heard.
type Axes struct {
	Fulfillment Fulfillment `json:"fulfillment,omitzero"`
	Delivery    Delivery    `json:"delivery,omitzero"`
	Payment     Payment     `json:"payment,omitzero"`
	Outcome     Outcome     `json:"outcome,omitzero"`
}

// Join gives the higher value of each axis. It is commutative, associative and
// idempotent, which is what makes steps indifferent to order and repetition.
func (a Axes) Join(b Axes) Axes {
	return Axes{
		Fulfillment: max(a.Fulfillment, b.Fulfillment),
		Delivery:    max(a.Delivery, b.Delivery),
		Payment:     max(a.Payment, b.Payment),
		Outcome:     max(a.Outcome, b.Outcome),
	}
}

// behind tells, in words, of each axis that a names and that b has left behind;
// empty where there is none.
func (a Axes) behind(b Axes) string {
	return strings.Join(slices.Concat(
		behind("fulfillment", a.Fulfillment, b.Fulfillment),
		behind("delivery", a.Delivery, b.Delivery),
		behind("payment", a.Payment, b.Payment),
		behind("outcome", a.Outcome, b.Outcome),
	), "; ")
}

func behind[V axisValue](axis string, said, known V) []string {
	if said == 0 || said >= known {
		return nil
	}
	return []string{axis + " is " + known.String() + " already, " + said.String() + " ranks below"}
}

// moves tells, in words, how each axis that differs goes from a to b.
func (a Axes) moves(b Axes) []string {
	return slices.Concat(
		move("fulfillment", a.Fulfillment, b.Fulfillment),
		move("delivery", a.Delivery, b.Delivery),
		move("payment", a.Payment, b.Payment),
		move("outcome", a.Outcome, b.Outcome),
	)
}

func move[V axisValue](axis string, from, to V) []string {
	if from == to {
		return nil
	}
	return []string{axis + " from " + from.String() + " to " + to.String()}
}

// axisValue is a value of any axis.
type axisValue interface {
	~uint8
	fmt.Stringer
}

// State gives the headline: the outcome once there is one, else the rider who is
// under way, else the kitchen, else accepted where a rider took charge of an
// order that must therefore exist, else placed.
func (a Axes) State() State {
	switch a.Outcome {
	case OutcomeFailed:
		return StateFailed
	case OutcomeCompleted:
		return StateCompleted
	case OutcomeClosed:
		return StateClosed
	case OutcomeCanceled:
		return StateCanceled
	}
	if a.Delivery == DeliveryDelivering {
		return StateRiderDelivering
	}
	switch a.Fulfillment {
	case FulfillmentReady, FulfillmentHandedOver:
		return StateReady
	case FulfillmentInKitchen:
		return StateInKitchen
	case FulfillmentAccepted:
		return StateAccepted
	}
	if a.Delivery == DeliveryAssigned || a.Delivery == DeliveryPicking {
		return StateAccepted
	}
	return StatePlaced
}

// contradicts tells whether an order cannot have had both outcomes: one that
// was completed or closed neither failed nor was canceled.
func (o Outcome) contradicts(other Outcome) bool {
	return o.succeeded() && other.undone() || o.undone() && other.succeeded()
}

func (o Outcome) succeeded() bool { return o == OutcomeCompleted || o == OutcomeClosed }
func (o Outcome) undone() bool    { return o == OutcomeFailed || o == OutcomeCanceled }

// Outcomes gives every outcome, in rising order.
func Outcomes() []Outcome {
	return []Outcome{OutcomeOpen, OutcomeFailed, OutcomeCompleted, OutcomeClosed, OutcomeCanceled}
}

// States gives every headline, in rising order.
func States() []State {
	states := make([]State, len(stateNames))
	for i := range states {
		states[i] = State(i)
	}
	return states
}

func (f Fulfillment) String() string { return nameOf(fulfillmentNames, f) }
func (d Delivery) String() string    { return nameOf(deliveryNames, d) }
func (p Payment) String() string     { return nameOf(paymentNames, p) }
func (o Outcome) String() string     { return nameOf(outcomeNames, o) }
func (s State) String() string       { return nameOf(stateNames, s) }

// MarshalText gives the name of the value.
func (f Fulfillment) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// MarshalText gives the name of the value.
func (d Delivery) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText gives the name of the value.
func (p Payment) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// MarshalText gives the name of the value.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// MarshalText gives the name of the value.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name; an unknown one is an error.
func (f *Fulfillment) UnmarshalText(text []byte) (err error) {
	*f, err = valueOf[Fulfillment]("fulfillment", fulfillmentNames, text)
	return err
}

// UnmarshalText reads a name; an unknown one is an error.
func (d *Delivery) UnmarshalText(text []byte) (err error) {
	*d, err = valueOf[Delivery]("delivery", deliveryNames, text)
	return err
}

// UnmarshalText reads a name; an unknown one is an error.
func (p *Payment) UnmarshalText(text []byte) (err error) {
	*p, err = valueOf[Payment]("payment", paymentNames, text)
	return err
}

// UnmarshalText reads a name; an unknown one is an error.
func (o *Outcome) UnmarshalText(text []byte) (err error) {
	*o, err = valueOf[Outcome]("outcome", outcomeNames, text)
	return err
}

// UnmarshalText reads a name; an unknown one is an error.
func (s *State) UnmarshalText(text []byte) (err error) {
	*s, err = valueOf[State]("state", stateNames, text)
	return err
}

func nameOf[V ~uint8](names []string, v V) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("unknown(%d)", uint8(v))
}

func valueOf[V ~uint8](axis string, names []string, text []byte) (V, error) {
	i := slices.Index(names, string(text))
	if i < 0 {
		return 0, fmt.Errorf("no %s has this name: use %s", axis, strings.Join(names, ", "))
	}
	return V(i), nil
}
