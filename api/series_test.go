package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// kitchen has orders of two stores in the kitchen for some minutes: three at noon and one
// at one o'clock.
func kitchen(t *testing.T) *ledger {
	t.Helper()
	l := newLedger(t)
	enter := func(key, store string) {
		e := accepted(key)
		e.StoreID = store
		l.apply("ordatic", "ordatic", e)
	}
	leave := func(key string) {
		l.apply("ordatic", "ordatic", domain.Event{Key: key, Name: "order-ready", Standing: domain.Standing{Axes: domain.Axes{Fulfillment: domain.FulfillmentReady}}})
	}
	enter("a", "s-1")
	enter("b", "s-2")
	enter("c", "s-1")
	leave("a") // after 3 minutes
	leave("b") // after 3
	for range 20 {
		l.quarantine("ordatic", domain.CauseKeyMissing, "")
	}
	leave("c") // after 23
	for range 40 {
		l.quarantine("ivy", domain.CauseKeyMissing, "")
	}
	enter("d", "s-1")
	leave("d") // after 1
	return l
}

// about is how long so many minutes are said to be.
func about(minutes int) float64 {
	return domain.ClassDuration(domain.DurationClass(time.Duration(minutes) * time.Minute)).Seconds()
}

// How long orders stay in a state is told in all, by hour, by day and by store.
func TestTimeInState(t *testing.T) {
	t.Parallel()
	c := kitchen(t).serve()
	row := func(orders uint64, p50, p90 int) api.TimeInState {
		return api.TimeInState{Source: "ordatic", State: domain.StateAccepted, Orders: orders, P50Seconds: about(p50), P90Seconds: about(p90), P99Seconds: about(p90)}
	}
	noon, one, day := domain.InstantOf(opening), domain.InstantOf(opening.Add(time.Hour)), domain.InstantOf(opening.Truncate(24*time.Hour))
	for query, want := range map[string][]api.Stay{
		"":                                 {{TimeInState: row(4, 3, 23)}},
		"?by=hour":                         {{Time: &noon, TimeInState: row(3, 3, 23)}, {Time: &one, TimeInState: row(1, 1, 1)}},
		"?by=day":                          {{Time: &day, TimeInState: row(4, 3, 23)}},
		"?by=store":                        {{Store: new("s-1"), TimeInState: row(3, 3, 23)}, {Store: new("s-2"), TimeInState: row(1, 3, 3)}},
		"?store=s-2":                       {{Store: new("s-2"), TimeInState: row(1, 3, 3)}},
		"?store=s-2&by=day":                {{Store: new("s-2"), Time: &day, TimeInState: row(1, 3, 3)}},
		"?from=2026-03-01T13:59:00Z":       {{TimeInState: row(1, 1, 1)}},
		"?to=2026-03-01T13:00:00Z":         {{TimeInState: row(3, 3, 23)}},
		"?source=ivy":                      {},
		"?state=ready":                     {},
		"?state=accepted&by=state":         {{TimeInState: row(4, 3, 23)}},
		"?source=ordatic&to=1772370000000": {{TimeInState: row(3, 3, 23)}},
	} {
		var list api.StayList
		c.get("/v1/stats/time-in-state" + query).into(&list)
		require.Equal(t, want, list.Stays, query)
	}
	for _, query := range []string{"?by=hour&store=s-1", "?state=gone", "?from=yesterday", "?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "?by=minute", "?to=0x10"} {
		c.get("/v1/stats/time-in-state"+query).refused(400, "invalid-parameter")
	}
}

// points reads a series as lines, in JSON and in CSV, which say the same.
func (c *client) points(query string) string {
	c.t.Helper()
	answer := c.get("/v1/stats/timeseries?" + query)
	var points []api.Point
	answer.into(&points)
	csv := c.get("/v1/stats/timeseries?format=csv&" + query)
	require.Equal(c.t, "text/csv", csv.Header.Get("Content-Type"))
	var lines strings.Builder
	lines.WriteString("time,source,state,series,value\n")
	for _, p := range points {
		state := ""
		if p.State != nil {
			state = p.State.String()
		}
		value, err := json.Marshal(p.Value)
		require.NoError(c.t, err)
		fmt.Fprintf(&lines, "%s,%s,%s,%s,%s\n", p.Time, p.Source, state, p.Series, value)
	}
	require.Equal(c.t, lines.String(), csv.Body)
	_, text, _ := strings.Cut(lines.String(), "\n")
	return text
}

// A series is flat rows of its steps, oldest first: webhooks by what became of them, orders
// by when they were first heard of, and times in a state with those that were late.
func TestTimeseries(t *testing.T) {
	t.Parallel()
	c := kitchen(t).serve(func(c *api.Config) { c.Limits = shopLimits })
	require.Equal(t, ""+
		"2026-03-01T12:00:00Z,ordatic,,applied,5\n2026-03-01T12:00:00Z,ordatic,,duplicate,0\n"+
		"2026-03-01T12:00:00Z,ordatic,,not_about_order,0\n2026-03-01T12:00:00Z,ordatic,,quarantined,0\n",
		c.points("metric=webhooks&source=ordatic&step=10m&from=2026-03-01T12:00:00Z&to=2026-03-01T12:10:00Z"))
	require.Equal(t, "2026-03-01T12:00:00Z,ordatic,,orders,3\n2026-03-01T13:00:00Z,ordatic,,orders,1\n",
		c.points("metric=orders&step=1h&from=1772366400000&to=1772373600000"))
	require.Equal(t, fmt.Sprintf(""+
		"2026-03-01T12:00:00Z,ordatic,accepted,p50_seconds,%[1]v\n2026-03-01T12:00:00Z,ordatic,accepted,p90_seconds,%[2]v\n"+
		"2026-03-01T12:00:00Z,ordatic,accepted,p99_seconds,%[2]v\n2026-03-01T12:00:00Z,ordatic,accepted,orders,3\n", about(3), about(23)),
		c.points("metric=time-in-state&step=15m&to=2026-03-01T13:00:00Z"), "steps are hours at least")
	require.Equal(t, "2026-03-01T12:00:00Z,ordatic,accepted,late,1\n2026-03-01T12:00:00Z,ordatic,accepted,orders,3\n"+
		"2026-03-01T13:00:00Z,ordatic,accepted,late,0\n2026-03-01T13:00:00Z,ordatic,accepted,orders,1\n",
		c.points("metric=late&step=1h"))
	require.Equal(t, "2026-03-01T00:00:00Z,ordatic,accepted,late,0\n2026-03-01T00:00:00Z,ordatic,accepted,orders,1\n",
		c.points("metric=late&store=s-2&step=1h"), "steps are days at least")
	require.Equal(t, "[]\n", c.get("/v1/stats/timeseries?metric=orders&source=ivy").Body)
	for _, query := range []string{
		"metric=orders&state=accepted", "metric=webhooks&store=s-1", "metric=money", "metric=orders&step=0", "metric=orders&step=1y",
		"metric=orders&step=900000000w", "metric=orders&from=x", "metric=orders&format=xml", "metric=late&state=gone",
	} {
		c.get("/v1/stats/timeseries?"+query).refused(400, "invalid-parameter")
	}
}

// What would be too long an answer is refused, and not cut.
func TestTimeseriesIsNotCut(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.quarantine("ordatic", domain.CauseKeyMissing, "")
	minutes := map[domain.MinuteTally]domain.MinuteCounts{}
	for minute := range int64(10_001) {
		minutes[domain.MinuteTally{Source: "ordatic", Minute: minute}] = domain.MinuteCounts{Orders: 1}
	}
	l.receive("ordatic", "ordatic", "other", "{}")
	l.counts.Quarantined++
	l.commit(&domain.Batch{Tallies: domain.Tallies{Minutes: minutes}})
	c := l.serve()
	const query = "/v1/stats/timeseries?metric=orders&step=1m&from=1970-01-01T00:00:00Z&to="
	problem := c.get(query+"1970-01-09T00:00:00Z").refused(400, "invalid-parameter")
	require.Contains(t, problem.Errors[0].Message, "more than 10000")
	var points []api.Point
	c.get(query + "1970-01-07T00:00:00Z").into(&points)
	require.Len(t, points, 6*24*60)
}
