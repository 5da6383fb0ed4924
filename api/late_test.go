package api_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// shopLimits are those that these tests use.
var shopLimits = &domain.Limits{
	All:     map[domain.State]time.Duration{domain.StateAccepted: 15 * time.Minute, domain.StateReady: 20 * time.Minute},
	Sources: map[string]map[domain.State]time.Duration{"ivy": {domain.StateAccepted: 0}},
}

func limited(clock *stoppedClock) func(*api.Config) {
	return func(c *api.Config) { c.Now, c.Limits = clock.now, shopLimits }
}

// An order is late from the very moment on in which its limit is over, and until a webhook
// comes; its ETag tells both.
func TestOrderIsLateOnTime(t *testing.T) {
	t.Parallel()
	l, clock := newLedger(t), &stoppedClock{}
	c := l.serve(limited(clock))
	l.apply("ordatic", "ordatic", accepted("o-1"))
	read := func(at time.Time) (order api.Order, etag string) {
		clock.set(at)
		answer := c.get("/v1/orders/ordatic/o-1")
		answer.into(&order)
		return order, answer.Header.Get("ETag")
	}
	late := opening.Add(15 * time.Minute)
	before, first := read(late.Add(-1))
	require.Nil(t, before.Late)
	require.Equal(t, []string{"in-kitchen", "rider-delivering", "canceled"}, before.ExpectedNext)
	require.Equal(t, at(0), before.StateSince)

	after, second := read(late)
	require.Equal(t, &api.Lateness{LimitSeconds: 900, Since: domain.InstantOf(late)}, after.Late)
	require.NotEqual(t, first, second)
	require.Equal(t, 304, c.get("/v1/orders/ordatic/o-1", "If-None-Match: "+second).Status)

	l.apply("ordatic", "ordatic", domain.Event{Key: "o-1", Name: "order-canceled", Standing: domain.Standing{Axes: domain.Axes{Outcome: domain.OutcomeCanceled}}})
	ended, third := read(late.Add(time.Hour))
	require.Nil(t, ended.Late)
	require.Empty(t, ended.ExpectedNext)
	require.NotEqual(t, second, third)
}

// The list of late orders, their counts and the limits are about the same orders, each
// from its own moment on; what was late is not told of an order as it was.
func TestLateOrdersAreListedAndCounted(t *testing.T) {
	t.Parallel()
	l, clock := newLedger(t), &stoppedClock{}
	c := l.serve(limited(clock))
	for _, key := range []string{"a", "b", "c"} { // at 12:00, 12:01 and 12:02
		l.apply("ordatic", "ordatic", accepted(key))
	}
	l.apply("ivy", "ivy", accepted("of ivy"))
	for past, want := range []string{"", "a", "ab", "abc"} {
		clock.set(opening.Add(time.Duration(14+past) * time.Minute))
		late := url.Values{"late": {"true"}, "sort": {"since"}, "limit": {"1"}}
		require.Equal(t, want, strings.Join(c.list(late), ""))
		var all api.OrderList
		c.get("/v1/orders").into(&all)
		told := 0
		for _, o := range all.Orders {
			if o.Late != nil {
				told++
			}
		}
		require.Equal(t, len(want), told)
		var stats api.Stats
		c.get("/v1/stats").into(&stats)
		counted := 0
		for _, count := range stats.Late {
			require.Equal(t, api.LateCount{Source: "ordatic", State: domain.StateAccepted, Orders: uint64(len(want))}, count)
			counted += int(count.Orders)
		}
		require.Equal(t, len(want), counted)
	}
	var was api.Order
	c.get("/v1/orders/ordatic/a?at=1").into(&was)
	require.Nil(t, was.Late)

	c.get("/v1/orders?late=true&at=1").refused(400, "invalid-parameter")
	c.get("/v1/orders?sort=since").refused(400, "invalid-parameter")
	c.get("/v1/orders?late=false").refused(400, "invalid-parameter")
}

// The limits in force are listed for each source, and for those that are not configured.
func TestLimits(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve(limited(&stoppedClock{}))
	var list api.LimitList
	c.get("/v1/limits").into(&list)
	require.Len(t, list.Limits, 3*len(domain.OpenStates()))
	limit := func(seconds float64) *float64 { return &seconds }
	require.Contains(t, list.Limits, api.Limit{Source: new("ordatic"), State: domain.StateAccepted, LimitSeconds: limit(900)})
	require.Contains(t, list.Limits, api.Limit{Source: new("ivy"), State: domain.StateAccepted})
	require.Contains(t, list.Limits, api.Limit{Source: new("ivy"), State: domain.StateReady, LimitSeconds: limit(1200)})
	require.Contains(t, list.Limits, api.Limit{State: domain.StateAccepted, LimitSeconds: limit(900)})
	require.Contains(t, list.Limits, api.Limit{State: domain.StatePlaced})
}
