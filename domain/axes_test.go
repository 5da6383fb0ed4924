package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// everyAxes gives each of the 5·5·12·5 combinations of axis values.
func everyAxes() []domain.Axes {
	var all []domain.Axes
	for f := domain.FulfillmentNone; f <= domain.FulfillmentHandedOver; f++ {
		for d := domain.DeliveryNone; d <= domain.DeliveryDelivered; d++ {
			for p := domain.PaymentNone; p <= domain.PaymentDisputed; p++ {
				for _, o := range domain.Outcomes() {
					all = append(all, domain.Axes{Fulfillment: f, Delivery: d, Payment: p, Outcome: o})
				}
			}
		}
	}
	return all
}

// headline is the rule of the headline as a decision table, first match wins: an
// independent second writing of [domain.Axes.State].
func headline(axes domain.Axes) string {
	table := []struct {
		outcome, delivery, fulfillment, headline string // "" matches any value
	}{
		{"failed", "", "", "failed"},
		{"completed", "", "", "completed"},
		{"closed", "", "", "closed"},
		{"canceled", "", "", "canceled"},
		{"open", "delivering", "", "rider-delivering"},
		{"open", "", "handed-over", "ready"},
		{"open", "", "ready", "ready"},
		{"open", "", "in-kitchen", "in-kitchen"},
		{"open", "", "accepted", "accepted"},
		{"open", "assigned", "none", "accepted"},
		{"open", "picking", "none", "accepted"},
		{"open", "", "none", "placed"},
	}
	matches := func(pattern, value string) bool { return pattern == "" || pattern == value }
	for _, row := range table {
		if matches(row.outcome, axes.Outcome.String()) &&
			matches(row.delivery, axes.Delivery.String()) &&
			matches(row.fulfillment, axes.Fulfillment.String()) {
			return row.headline
		}
	}
	return "no row matches"
}

// The headline follows from the axes, for every combination of them.
func TestHeadlineFollowsFromAxes(t *testing.T) {
	t.Parallel()
	all := everyAxes()
	require.Len(t, all, 5*5*12*5)
	for _, axes := range all {
		require.Equal(t, headline(axes), axes.State().String(), "%+v", axes)
	}
}

// The money of an order never decides its headline.
func TestPaymentNeverDecidesHeadline(t *testing.T) {
	t.Parallel()
	for _, axes := range everyAxes() {
		unpaid := axes
		unpaid.Payment = domain.PaymentNone
		require.Equal(t, unpaid.State(), axes.State(), "%+v", axes)
	}
}

// A join raises the headline or leaves it. The one exception is a delivery that
// ended while its order is open, and that no event says: it gives an outcome too.
func TestJoinNeverLowersHeadline(t *testing.T) {
	t.Parallel()
	all := everyAxes()
	for _, a := range all {
		for _, b := range all {
			joined := a.Join(b)
			if joined.Delivery == domain.DeliveryDelivered && joined.Outcome == domain.OutcomeOpen {
				continue
			}
			if joined.State() < a.State() || joined.State() < b.State() {
				require.Fail(t, "the headline fell", "%+v with %+v", a, b)
			}
		}
	}
}

// Join is commutative and idempotent, has the zero Axes as its neutral element
// and never gives less than either side.
func TestJoinLaws(t *testing.T) {
	t.Parallel()
	all := everyAxes()
	for _, a := range all {
		require.Equal(t, a, a.Join(a))
		require.Equal(t, a, a.Join(domain.Axes{}))
		for _, b := range all {
			joined := a.Join(b)
			if joined != b.Join(a) || joined.Join(a) != joined || joined.Join(b) != joined {
				require.Fail(t, "not a join", "%+v with %+v", a, b)
			}
		}
	}
}

// Join is associative. Its axes do not touch one another, so it is enough to
// look at three values of each axis at a time.
func TestJoinIsAssociative(t *testing.T) {
	t.Parallel()
	values := make([]domain.Axes, domain.PaymentDisputed+1)
	for i := range values {
		values[i] = domain.Axes{
			Fulfillment: domain.Fulfillment(i % 5),
			Delivery:    domain.Delivery(i % 5),
			Payment:     domain.Payment(i),
			Outcome:     domain.Outcome(i % 5),
		}
	}
	for _, a := range values {
		for _, b := range values {
			for _, c := range values {
				require.Equal(t, a.Join(b).Join(c), a.Join(b.Join(c)))
			}
		}
	}
}

// Every value has a name of its own that reads back as the value, in rising order.
func TestAxisNamesReadBack(t *testing.T) {
	t.Parallel()
	requireNames[domain.Fulfillment](t, "none", "accepted", "in-kitchen", "ready", "handed-over")
	requireNames[domain.Delivery](t, "none", "assigned", "picking", "delivering", "delivered")
	requireNames[domain.Payment](t, "none", "pending", "authorized", "settling", "paid", "failed", "canceled",
		"refunding", "partially-refunded", "refunded", "refund-failed", "disputed")
	requireNames[domain.Outcome](t, "open", "failed", "completed", "closed", "canceled")
	requireNames[domain.State](t, "placed", "accepted", "in-kitchen", "ready", "rider-delivering",
		"failed", "completed", "closed", "canceled")
}

func requireNames[V interface {
	~uint8
	String() string
	MarshalText() ([]byte, error)
}, P interface {
	*V
	UnmarshalText([]byte) error
}](t *testing.T, names ...string) {
	t.Helper()
	for i, name := range names {
		text, err := V(i).MarshalText()
		require.NoError(t, err)
		require.Equal(t, name, string(text))
		require.Equal(t, name, V(i).String())
		var read V
		require.NoError(t, P(&read).UnmarshalText(text))
		require.Equal(t, V(i), read)
	}
	var read V
	require.Error(t, P(&read).UnmarshalText([]byte("elsewhere")))
	require.Contains(t, V(len(names)).String(), "unknown")
}

// The lists of outcomes and states are whole and rise.
func TestListsOfOutcomesAndStates(t *testing.T) {
	t.Parallel()
	require.Equal(t, []domain.Outcome{0, 1, 2, 3, 4}, domain.Outcomes())
	require.Equal(t, []domain.State{0, 1, 2, 3, 4, 5, 6, 7, 8}, domain.States())
}
