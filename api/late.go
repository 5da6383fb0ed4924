package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// Lateness is that an order has been in its state for longer than its limit.
type Lateness struct {
	_            struct{}       `nullable:"true"`
	LimitSeconds float64        `json:"limit_seconds" example:"1800" doc:"How long an order of its source may be in its state."`
	Since        domain.Instant `json:"since" format:"date-time" doc:"When it had been there for so long."`
}

// LateCount is the number of orders of one source that are late in one state.
type LateCount struct {
	Source string       `json:"source" example:"ordatic" doc:"The source."`
	State  domain.State `json:"state" enum:"placed,accepted,in-kitchen,ready,rider-delivering" example:"accepted" doc:"The state that they are in for too long."`
	Orders uint64       `json:"orders" example:"2" doc:"How many orders."`
}

// LimitList lists the limits in force.
type LimitList struct {
	Limits []Limit `json:"limits" nullable:"false" doc:"By source, in the order of the configuration, and state; then those of sources that are not configured, without a source."`
}

// Limit is how long an order may be in a state before it is late.
type Limit struct {
	Source       *string      `json:"source" example:"ordatic" doc:"The source; null for those that are not configured."`
	State        domain.State `json:"state" enum:"placed,accepted,in-kitchen,ready,rider-delivering" example:"accepted" doc:"The state."`
	LimitSeconds *float64     `json:"limit_seconds" example:"900" doc:"The limit; null where there is none, and no order is late."`
}

type limitsOutput struct{ Body LimitList }

func (h *handler) routeLimits(d *document) {
	register(h, d, huma.Operation{
		OperationID: "list-limits",
		Path:        "/v1/limits",
		Tags:        []string{tagOperation},
		Summary:     "List how long orders may be in a state",
		Description: "Gives the limits that are configured. An order that has been in its state for so long is late: see the order, and list-orders with late=true.",
	}, h.listLimits)
}

func (h *handler) listLimits(context.Context, *struct{}) (*limitsOutput, error) {
	var all []Limit
	add := func(name string) {
		for _, state := range domain.OpenStates() {
			limit := h.config.Limits.Of(name, state)
			all = append(all, Limit{Source: orNull(name), State: state, LimitSeconds: orNull(limit.Seconds())})
		}
	}
	for _, s := range h.config.Sources {
		add(s.Name)
	}
	add("")
	return &limitsOutput{Body: LimitList{Limits: all}}, nil
}

// lateness tells whether an order is late at a time; the zero time is that of an order as
// it was, of which that is not told.
func (t *terms) lateness(o *domain.Order, now time.Time) *Lateness {
	since := t.limits.LateAt(o)
	if now.IsZero() || since.IsZero() || now.Before(since) {
		return nil
	}
	return &Lateness{LimitSeconds: t.limits.Of(o.Source, o.State()).Seconds(), Since: domain.InstantOf(since)}
}

// nextLate gives when the first of some orders is late that is not; zero where none will be.
func (h *handler) nextLate(now time.Time, orders ...*domain.Order) (next time.Time) {
	for _, o := range orders {
		if at := h.config.Limits.LateAt(o); at.After(now) {
			next = sooner(next, at)
		}
	}
	return next
}

// sooner gives the earlier of two times, of which a zero one is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// until has what holds end at a time, by the clock that answers are made by. A zero time
// is never.
func (h *handler) until(end time.Time, holds func() bool) func() bool {
	if end.IsZero() {
		return holds
	}
	return func() bool { return holds() && h.config.Now().Before(end) }
}

func lateCount(c domain.LateCount) LateCount {
	return LateCount{Source: c.Source, State: c.State, Orders: c.Orders}
}
