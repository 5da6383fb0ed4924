package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// StayList tells how long orders stayed in a state.
type StayList struct {
	From  domain.Instant `json:"from" format:"date-time" doc:"The start of the first hour, or of the first day where it is about stores."`
	To    domain.Instant `json:"to" format:"date-time" doc:"The end of the last hour or day."`
	Stays []Stay         `json:"stays" nullable:"false" doc:"By time, source, store and state."`
}

// Stay is how long orders of one source stayed in a state before they left it.
type Stay struct {
	Time *domain.Instant `json:"time" format:"date-time" doc:"The start of the hour or day in which they left it; null where they are counted over the whole range."`
	TimeInState
	Store *string `json:"store" doc:"The store of the orders; null where those of all stores are counted together."`
}

type staysInput struct {
	AtLeast
	TimeRange
	Source string `query:"source" maxLength:"200" example:"ordatic" doc:"Only orders of this source."`
	State  string `query:"state" example:"accepted" doc:"Only orders that left this state."`
	Store  string `query:"store" maxLength:"200" pattern:"^\\P{Cc}*$" example:"store-7" doc:"Only orders of this store, of which stays are counted by the day of UTC."`
	By     string `query:"by" enum:"state,hour,day,store" default:"state" example:"hour" doc:"What is counted by itself beside source and state: nothing more, each hour, each day, or each store over the whole range."`
}

type staysOutput struct{ Body encoded[StayList] }

func (h *handler) routeTimeInState(d *document) {
	read(h, d, huma.Operation{
		OperationID: "get-time-in-state",
		Path:        "/v1/stats/time-in-state",
		Tags:        []string{tagOperation},
		Summary:     "Get how long orders stay in a state",
		Description: "Gives percentiles of the time that orders had spent in a state when they left it, in a range of whole hours, or of whole days where it is about stores.",
	}, h.getTimeInState)
}

func (h *handler) getTimeInState(ctx context.Context, in *staysInput) (*staysOutput, error) {
	holds := h.model.Watch()
	from, to, ends, err := in.bounds(h.config.Now())
	if err != nil {
		return nil, err
	}
	query, err := in.query(from, to)
	if err != nil {
		return nil, err
	}
	if err := h.knownSource(ctx, in.Source); err != nil {
		return nil, err
	}
	found, err := h.model.Stays(ctx, query)
	if err == nil {
		err = fitting(len(found))
	}
	if err != nil {
		return nil, err
	}
	body, err := encode(StayList{
		From:  instantOf(query.Span().Start(from.Unix())),
		To:    instantOf(query.Span().Start(to.Unix()-1) + int64(query.Span())),
		Stays: each(found, func(s domain.Stays) Stay { return stay(s, query.Step > 0) }),
	})
	if err != nil {
		return nil, err
	}
	keep(ctx, &kept{holds: h.until(ends, holds), body: body.text})
	return &staysOutput{Body: body}, nil
}

func (in *staysInput) query(from, to time.Time) (query domain.StayQuery, err error) {
	query = domain.StayQuery{Source: in.Source, Store: in.Store, From: from, To: to, ByStore: in.By == "store", Most: mostCounts}
	if query.State, err = parseState(in.State); err != nil {
		return query, err
	}
	switch {
	case in.By == "hour" && in.Store != "":
		return query, invalid("query.by", "hours are not counted by store: ask by day")
	case in.By == "hour":
		query.Step = time.Hour
	case in.By == "day":
		query.Step = 24 * time.Hour
	}
	return query, nil
}

func stay(s domain.Stays, atTime bool) Stay {
	told := Stay{TimeInState: timeInState(s), Store: orNull(s.Store)}
	if atTime {
		told.Time = new(instantOf(s.Start))
	}
	return told
}
