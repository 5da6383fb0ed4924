package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// Stats are the tallies of the read model.
type Stats struct {
	Orders            []OrderCount  `json:"orders" nullable:"false" doc:"Orders by source and state."`
	WebhooksPerMinute []MinuteCount `json:"webhooks_per_minute" nullable:"false" doc:"Webhooks by source and minute of receipt, oldest first; a minute without any is left out."`
	Late              []LateCount   `json:"late" nullable:"false" doc:"Orders that have been in their state for too long, by source and state; see list-limits."`
	TimeInState       []TimeInState `json:"time_in_state" nullable:"false" doc:"How long orders stay in a state, by source and state."`
	Lag               *Lag          `json:"lag" doc:"How far the read model is behind the stream; null where the stream does not answer."`
}

// OrderCount is the number of orders of one source in one state.
type OrderCount struct {
	Source string       `json:"source" example:"ordatic" doc:"The source."`
	State  domain.State `json:"state" enum:"placed,accepted,in-kitchen,ready,rider-delivering,failed,completed,closed,canceled" example:"accepted" doc:"The headline."`
	Orders uint64       `json:"orders" example:"12" doc:"How many orders."`
}

// MinuteCount is what became of the webhooks of one source and minute.
type MinuteCount struct {
	Source        string         `json:"source" example:"ordatic" doc:"The source."`
	Minute        domain.Instant `json:"minute" format:"date-time" doc:"The start of the minute."`
	Applied       uint64         `json:"applied" example:"40" doc:"Webhooks that were applied to an order."`
	Duplicate     uint64         `json:"duplicate" example:"2" doc:"Webhooks that had been applied before."`
	NotAboutOrder uint64         `json:"not_about_order" example:"1" doc:"Webhooks that speak of no order."`
	Quarantined   uint64         `json:"quarantined" example:"0" doc:"Webhooks that could not be translated."`
	NewOrders     uint64         `json:"new_orders" example:"9" doc:"Orders of which nothing was heard before."`
}

// TimeInState is how long orders of one source stayed in a state before they left
// it. The percentiles are exact to an eighth.
type TimeInState struct {
	Source     string       `json:"source" example:"ordatic" doc:"The source."`
	State      domain.State `json:"state" enum:"placed,accepted,in-kitchen,ready,rider-delivering,failed,completed,closed,canceled" example:"in-kitchen" doc:"The state that they left."`
	Orders     uint64       `json:"orders" example:"120" doc:"How many stays were measured."`
	P50Seconds float64      `json:"p50_seconds" example:"480" doc:"Half of them were no longer."`
	P90Seconds float64      `json:"p90_seconds" example:"900" doc:"Nine of ten were no longer."`
	P99Seconds float64      `json:"p99_seconds" example:"1440" doc:"Ninety-nine of a hundred were no longer."`
}

type statsInput struct {
	AtLeast
	Minutes int `query:"minutes" minimum:"1" maximum:"1440" default:"60" example:"15" doc:"How many minutes back webhooks_per_minute goes."`
}

type statsOutput struct{ Body encoded[Stats] }

func (h *handler) routeStats(d *document) {
	read(h, d, huma.Operation{
		OperationID: "get-stats",
		Path:        "/v1/stats",
		Tags:        []string{tagOperation},
		Summary:     "Count orders and webhooks",
		Description: "Gives orders by source and state, webhooks per minute, late orders, the time spent in each state, and the lag.",
	}, h.getStats)
}

// lagHolds is how long the lag is told as it was: to ask the stream takes longer than all
// the rest, and the counts have their own end, which is the next commit.
const lagHolds = 100 * time.Millisecond

func (h *handler) getStats(ctx context.Context, in *statsInput) (*statsOutput, error) {
	asked, now, holds := time.Now(), h.config.Now(), h.model.Watch()
	stats, err := h.model.Stats(ctx, now.Add(-time.Duration(in.Minutes)*time.Minute))
	if err != nil {
		return nil, err
	}
	late, err := h.model.Late(ctx, &domain.Lateness{Limits: h.config.Limits, At: now}, now)
	if err != nil {
		return nil, err
	}
	checkpoint, err := h.model.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	_, lag := h.stream(ctx, checkpoint)
	body, err := encode(Stats{
		Orders:            each(stats.Orders, orderCount),
		WebhooksPerMinute: each(stats.PerMinute, minuteCount),
		Late:              each(late.Counts, lateCount),
		TimeInState:       each(stats.Durations, timeInState),
		Lag:               lag,
	})
	if err != nil {
		return nil, err
	}
	holds = h.until(late.Next, holds)
	keep(ctx, &kept{holds: func() bool { return holds() && time.Since(asked) < lagHolds }, body: body.text})
	return &statsOutput{Body: body}, nil
}

func orderCount(c domain.OrderCount) OrderCount {
	return OrderCount{Source: c.Source, State: c.State, Orders: c.Orders}
}

func minuteCount(c domain.MinuteCount) MinuteCount {
	return MinuteCount{
		Source:        c.Source,
		Minute:        c.Minute,
		Applied:       c.Applied,
		Duplicate:     c.Duplicate,
		NotAboutOrder: c.NotAboutOrder,
		Quarantined:   c.Quarantined,
		NewOrders:     c.Orders,
	}
}

func timeInState(s domain.Stays) TimeInState {
	return TimeInState{
		Source:     s.Source,
		State:      s.State,
		Orders:     s.Orders(),
		P50Seconds: s.Percentile(50).Seconds(),
		P90Seconds: s.Percentile(90).Seconds(),
		P99Seconds: s.Percentile(99).Seconds(),
	}
}
