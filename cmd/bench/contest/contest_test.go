package contest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
)

// The middle of the rounds counts, whatever one of them was disturbed by.
func TestSpread(t *testing.T) {
	t.Parallel()
	require.Equal(t, contest.Spread{Median: 3, Least: 1, Most: 900}, contest.SpreadOf([]float64{900, 1, 3}))
	require.Equal(t, contest.Spread{Median: 2.5, Least: 1, Most: 4}, contest.SpreadOf([]float64{4, 1, 3, 2}))
	require.Zero(t, contest.SpreadOf(nil))
}

// A percentile is a time that was measured: the least one that so many do not exceed.
func TestPercentile(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	for n := range 200 {
		times = append(times, time.Duration(200-n))
	}
	require.EqualValues(t, 100, contest.Percentile(times, 0.5))
	require.EqualValues(t, 198, contest.Percentile(times, 0.99))
	require.EqualValues(t, 200, contest.Percentile(times, 1))
	require.EqualValues(t, 1, contest.Percentile(times, 0))
	require.Zero(t, contest.Percentile(nil, 0.99))
}

// Contestants run in turn, and each is compared with the yardstick of its own round.
func TestContestantsRunInTurn(t *testing.T) {
	t.Parallel()
	var order strings.Builder
	rates := func(name string, rates ...float64) contest.Contestant {
		return contest.Contestant{Name: name, Run: func(context.Context) (contest.Sample, error) {
			order.WriteString(name)
			rate := rates[0]
			rates = rates[1:]
			return contest.Sample{Rate: rate}, nil
		}}
	}
	c := &contest.Contest{
		Path:        "path",
		Contestants: []contest.Contestant{rates("A", 10, 100, 1000), rates("B", 5, 20, 700)},
		Comparisons: []contest.Comparison{{What: "B", Against: "A"}},
	}
	result := c.Hold(t.Context(), 3)
	require.Equal(t, "ABABAB", order.String())
	require.Empty(t, result.Wrong)
	require.Contains(t, table(result), "| path | B    | A         | 0.50  | 0.20 to 0.70 | 20       |")
}

// A run that did not do its work has no figure, and the table says so.
func TestWhatIsNotRightIsToldLoudly(t *testing.T) {
	t.Parallel()
	right := func(context.Context) (contest.Sample, error) { return contest.Sample{Rate: 1, Note: "by night"}, nil }
	wrong := func(context.Context) (contest.Sample, error) {
		return contest.Sample{}, errors.New("one webhook is lost")
	}
	c := &contest.Contest{
		Path:        "path",
		Contestants: []contest.Contestant{{Name: "A", Run: right}, {Name: "B", Run: wrong}},
		Comparisons: []contest.Comparison{{What: "B", Against: "A"}},
	}
	result := c.Hold(t.Context(), 2)
	require.Len(t, result.Wrong, 2)
	require.Contains(t, table(result), "| none was right |")
	require.Contains(t, table(result), "NOT RIGHT: path: B, round 2: one webhook is lost")
	require.Equal(t, 1, strings.Count(table(result), "Note: path: A: by night"))
}

// A contest that is interrupted ends, and does not pass for a whole one.
func TestAnInterruptedContestIsNotRight(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &contest.Contest{Path: "path", Contestants: []contest.Contestant{{Name: "A"}}}
	require.ErrorIs(t, errors.Join(c.Hold(ctx, 1).Wrong...), context.Canceled)
}

func table(results ...*contest.Result) string {
	var b strings.Builder
	contest.WriteTable(&b, results)
	return b.String()
}
