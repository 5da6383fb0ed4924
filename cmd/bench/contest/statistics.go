package contest

import (
	"math"
	"slices"
	"time"
)

// Spread is how the figures of some rounds lie.
type Spread struct{ Median, Least, Most float64 }

// SpreadOf gives the spread of some figures; all zero where there are none.
func SpreadOf(figures []float64) Spread {
	if len(figures) == 0 {
		return Spread{}
	}
	return Spread{Median: Median(figures), Least: slices.Min(figures), Most: slices.Max(figures)}
}

// Median gives the middle one of some figures, or the mean of the middle two; 0 where
// there are none.
func Median(figures []float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Percentile gives the time that a share of the times, from 0 to 1, does not exceed;
// 0 where there are none. It sorts the times.
func Percentile(times []time.Duration, share float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	rank := int(math.Ceil(share * float64(len(times))))
	return times[max(0, rank-1)]
}
