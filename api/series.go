package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	typeCSV = "text/csv"
	// mostCounts bounds an answer about times: some megabytes of JSON.
	mostCounts = 10_000
	// usualSteps is how many steps a range has where none is asked for.
	usualSteps = 100
)

// Point is one value of a series, flat, so that a table of them is a chart to Grafana.
type Point struct {
	Time   domain.Instant `json:"time" format:"date-time" doc:"The start of the step."`
	Source string         `json:"source" example:"ordatic" doc:"The source."`
	State  *domain.State  `json:"state" example:"accepted" doc:"The state that orders left; null where the metric is not about states."`
	Series string         `json:"series" example:"applied" doc:"What the value is."`
	Value  float64        `json:"value" example:"40" doc:"The value."`
}

// TimeRange are the parameters of a range of time.
type TimeRange struct {
	From string `query:"from" maxLength:"64" example:"2026-03-01T12:00:00Z" doc:"The start of the range: RFC 3339, or milliseconds since 1970. A day before its end where it is left out."`
	To   string `query:"to" maxLength:"64" example:"1772373600000" doc:"The end of the range, as from, itself left out; now where there is none."`
}

// bounds gives the range, and when the clock moves it; zero for never.
func (r *TimeRange) bounds(now time.Time) (from, to, ends time.Time, err error) {
	to = now
	if r.To != "" {
		if to, err = parseTime("query.to", r.To); err != nil {
			return from, to, ends, err
		}
	}
	from = to.Add(-24 * time.Hour)
	if r.From != "" {
		if from, err = parseTime("query.from", r.From); err != nil {
			return from, to, ends, err
		}
	}
	if !from.Before(to) {
		return from, to, ends, invalid("query.from", "must be before to")
	}
	if r.To == "" {
		if ends = now.Truncate(time.Minute).Add(time.Minute); now.Equal(ends.Add(-time.Minute)) {
			ends = now.Add(1) // a minute is in the range once to is behind its beginning
		}
	}
	return from, to, ends, nil
}

// parseTime reads RFC 3339 or milliseconds since the Unix epoch.
func parseTime(parameter, text string) (time.Time, error) {
	at, err := domain.ParseInstant(text)
	if milliseconds, notOne := strconv.ParseInt(text, 10, 64); notOne == nil {
		at, err = domain.UnixInstant(milliseconds), nil
	}
	if err != nil || at.IsZero() {
		return time.Time{}, invalid(parameter, "is neither an RFC 3339 time nor milliseconds since 1970")
	}
	return at.Time(), nil
}

var stepForm = regexp.MustCompile(`^([0-9]{1,9})(ms|s|m|h|d|w|)$`)

var stepUnits = map[string]time.Duration{
	"": time.Second, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// parseStep gives a step in whole units, the next longer one for any other, and for none
// one that divides the range usually.
func parseStep(text string, over, unit time.Duration) (time.Duration, error) {
	step := over / usualSteps
	if text != "" {
		parts := stepForm.FindStringSubmatch(text)
		if parts == nil {
			return 0, invalid("query.step", "is no step such as 1m, 2h or 1d")
		}
		number, err := strconv.Atoi(parts[1])
		if err != nil || number == 0 || time.Duration(number) > maxStep/stepUnits[parts[2]] {
			return 0, invalid("query.step", "must be from 1ms to 520 weeks")
		}
		step = time.Duration(number) * stepUnits[parts[2]]
	}
	return max((step+unit-1)/unit, 1) * unit, nil
}

const maxStep = 520 * 7 * 24 * time.Hour

type seriesInput struct {
	AtLeast
	TimeRange
	Metric string `query:"metric" enum:"webhooks,orders,time-in-state,late" default:"time-in-state" example:"webhooks" doc:"webhooks: how many came, by what became of them. orders: how many were heard of for the first time. time-in-state: how long orders had been in a state when they left it. late: how many of these had been there for longer than the limit that is in force now."`
	Step   string `query:"step" maxLength:"16" example:"5m" doc:"How long each step is, such as 30s, 5m, 2h or 1d, as Grafana's $__interval, from 1970 on. Taken up to whole minutes, hours for times in a state, and days of UTC where a store is named. A hundredth of the range where it is left out."`
	Source string `query:"source" maxLength:"200" example:"ordatic" doc:"Only this source."`
	State  string `query:"state" example:"accepted" doc:"Only orders that left this state, for time-in-state and late."`
	Store  string `query:"store" maxLength:"200" pattern:"^\\P{Cc}*$" example:"store-7" doc:"Only orders of this store, for time-in-state and late."`
	Format string `query:"format" enum:"json,csv" default:"json" example:"csv" doc:"A JSON array, or CSV with a head."`
}

// seriesOutput has points for its body, in JSON or in CSV.
type seriesOutput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Body        any
}

func (h *handler) routeSeries(d *document) {
	read(h, d, huma.Operation{
		OperationID: "get-timeseries",
		Path:        "/v1/stats/timeseries",
		Tags:        []string{tagOperation},
		Summary:     "Get a metric over time",
		Description: "Gives a flat array of points, oldest first, as Grafana's Infinity data source reads it. A step of which there is nothing to tell is left out.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The points.",
			Content: map[string]*huma.MediaType{
				typeJSON: {Schema: d.schema(reflect.TypeFor[[]Point]())},
				typeCSV:  {Schema: &huma.Schema{Type: huma.TypeString}},
			},
		}},
	}, h.getTimeseries)
	h.routeTimeInState(d)
}

func (h *handler) getTimeseries(ctx context.Context, in *seriesInput) (*seriesOutput, error) {
	if err := h.knownSource(ctx, in.Source); err != nil {
		return nil, err
	}
	holds := h.model.Watch()
	from, to, ends, err := in.bounds(h.config.Now())
	if err != nil {
		return nil, err
	}
	var points []Point
	switch in.Metric {
	case "webhooks", "orders":
		points, err = h.minutePoints(ctx, in, from, to)
	default:
		points, err = h.stayPoints(ctx, in, from, to)
	}
	if err != nil {
		return nil, err
	}
	if in.Format == "csv" {
		text, err := pointsCSV(points)
		return &seriesOutput{ContentType: typeCSV, Body: text}, err
	}
	body, err := encode(each(points, func(p Point) Point { return p }))
	if err != nil {
		return nil, err
	}
	keep(ctx, &kept{holds: h.until(ends, holds), body: body.text})
	return &seriesOutput{ContentType: typeJSON, Body: body}, nil
}

func (h *handler) minutePoints(ctx context.Context, in *seriesInput, from, to time.Time) (points []Point, err error) {
	if in.State != "" || in.Store != "" {
		return nil, invalid("query.metric", "webhooks and orders are counted by source alone, without state and store")
	}
	step, err := parseStep(in.Step, to.Sub(from), time.Minute)
	if err != nil {
		return nil, err
	}
	counts, err := h.model.Minutes(ctx, domain.MinuteQuery{Source: in.Source, From: from, To: to, Step: step, Most: mostCounts})
	if err == nil {
		err = fitting(len(counts))
	}
	for _, c := range counts {
		series := []value{{"orders", c.Orders}}
		if in.Metric == "webhooks" {
			series = []value{
				{"applied", c.Applied}, {"duplicate", c.Duplicate}, {"not_about_order", c.NotAboutOrder}, {"quarantined", c.Quarantined},
			}
		}
		for _, s := range series {
			points = append(points, Point{Time: c.Minute, Source: c.Source, Series: s.name, Value: float64(s.count)})
		}
	}
	return points, err
}

type value struct {
	name  string
	count uint64
}

func (h *handler) stayPoints(ctx context.Context, in *seriesInput, from, to time.Time) (points []Point, err error) {
	query := domain.StayQuery{Source: in.Source, Store: in.Store, From: from, To: to, Most: mostCounts}
	if query.State, err = parseState(in.State); err != nil {
		return nil, err
	}
	if query.Step, err = parseStep(in.Step, to.Sub(from), time.Duration(query.Span())*time.Second); err != nil {
		return nil, err
	}
	counts, err := h.model.Stays(ctx, query)
	if err == nil {
		err = fitting(len(counts))
	}
	for _, s := range counts {
		point := Point{Time: instantOf(s.Start), Source: s.Source, State: &s.State}
		add := func(series string, value float64) {
			point.Series, point.Value = series, value
			points = append(points, point)
		}
		if in.Metric == "late" {
			add("late", float64(s.Late(h.config.Limits.Of(s.Source, s.State))))
		} else {
			add("p50_seconds", s.Percentile(50).Seconds())
			add("p90_seconds", s.Percentile(90).Seconds())
			add("p99_seconds", s.Percentile(99).Seconds())
		}
		add("orders", float64(s.Orders()))
	}
	return points, err
}

func instantOf(seconds int64) domain.Instant { return domain.InstantOf(time.Unix(seconds, 0)) }

// fitting gives an error where more was found than an answer holds: to leave some out
// would be told by nothing in a chart.
func fitting(found int) error {
	if found > mostCounts {
		return invalid("query", fmt.Sprintf("selects more than %d counts: ask for longer steps, a shorter range, or one source, state or store", mostCounts))
	}
	return nil
}

// parseState gives nil where no state is named.
func parseState(name string) (*domain.State, error) {
	var state domain.State
	if name == "" {
		return nil, nil
	}
	if err := state.UnmarshalText([]byte(name)); err != nil {
		return nil, invalid("query.state", err.Error())
	}
	return &state, nil
}

func pointsCSV(points []Point) ([]byte, error) {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	lines := [][]string{{"time", "source", "state", "series", "value"}}
	for _, p := range points {
		state := ""
		if p.State != nil {
			state = p.State.String()
		}
		lines = append(lines, []string{p.Time.String(), p.Source, state, p.Series, strconv.FormatFloat(p.Value, 'f', -1, 64)})
	}
	err := w.WriteAll(lines)
	return text.Bytes(), err
}
