package domain

import (
	"slices"
	"time"
)

// Limits say how long an open order may be in a state before it is late. They are a matter
// of configuration and of the clock, so no read model holds anything of them.
type Limits struct {
	// All are those of every source, Sources those that a source has in their place. A
	// state without a limit, or with 0, is never late.
	All     map[State]time.Duration
	Sources map[string]map[State]time.Duration
}

// Of gives the limit of a state of a source, 0 where there is none.
func (l *Limits) Of(source string, state State) time.Duration {
	if own, has := l.Sources[source][state]; has {
		return own
	}
	return l.All[state]
}

// LateAt gives when an order that stays in its state is late from, by the receipt of the
// webhook that brought it; the zero Time where it never is.
func (l *Limits) LateAt(o *Order) time.Time {
	since, limit := o.WaitingSince(), l.Of(o.Source, o.State())
	if since.IsZero() || limit == 0 {
		return time.Time{}
	}
	return since.Time().Add(limit)
}

// WaitingSince is StateSince while the order waits for more; zero where it has ended, or
// was erased, since no more webhooks of it are taken then.
func (o *Order) WaitingSince() Instant {
	if o.State().Ended() || !o.ErasedAt.IsZero() {
		return Instant{}
	}
	return o.StateSince
}

// Ended tells whether the state is an outcome: nothing is waited for any more.
func (s State) Ended() bool { return s >= StateFailed }

// OpenStates gives the states of orders that have not ended, in rising order.
func OpenStates() []State { return States()[:StateFailed] }

// Lateness selects orders that are late by limits at a time.
type Lateness struct {
	Limits *Limits
	At     time.Time
}

// LateCount is how many orders of one source are late in one state.
type LateCount struct {
	OrderTally
	Orders uint64
	// Became is how many of them became late after the time that was asked for.
	Became uint64
}

// Late tells of the orders that are late.
type Late struct {
	Counts []LateCount // by source and state, none of them 0
	// Next is when another one is late if nothing is heard of it; zero where none can be.
	Next time.Time
}

// ExpectedNext gives the states that the order's next webhooks may bring, in rising order,
// of those that its provider tells of: the open ones that follow when one axis rises, a
// failure and a cancellation, and the good end where no open state lies between. Nothing
// follows on an order that has ended or was erased.
func (o *Order) ExpectedNext(told []State) (expected []State) {
	if o.WaitingSince().IsZero() {
		return nil
	}
	axes := o.Standing().Axes
	follow := append(axes.opens(), StateFailed, StateCanceled)
	open := slices.ContainsFunc(axes.opens(), func(s State) bool { return slices.Contains(told, s) })
	if !open || axes.State() >= StateReady {
		follow = append(follow, StateCompleted, StateClosed)
	}
	for _, state := range States() {
		if slices.Contains(follow, state) && slices.Contains(told, state) {
			expected = append(expected, state)
		}
	}
	return expected
}

// opens gives the open states that a rising fulfillment and a rising delivery lead to
// first: values on the way that leave the headline as it is are passed over.
func (a Axes) opens() (next []State) {
	higher := func(raised Axes) bool {
		if raised.State() <= a.State() {
			return false
		}
		next = append(next, raised.State())
		return true
	}
	for raised, found := a, false; !found && raised.Fulfillment < FulfillmentHandedOver; found = higher(raised) {
		raised.Fulfillment++
	}
	for raised, found := a, false; !found && raised.Delivery < DeliveryDelivered; found = higher(raised) {
		raised.Delivery++
	}
	return next
}
