package domain_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// Each class begins where the one before it ends, and begins in itself.
func TestDurationClassesFollowOneAnother(t *testing.T) {
	t.Parallel()
	last := domain.DurationClass(math.MaxInt64)
	for class := range last {
		bound, next := domain.ClassDuration(class), domain.ClassDuration(class+1)
		require.Less(t, bound, next)
		require.Equal(t, class, domain.DurationClass(bound))
		require.Equal(t, class, domain.DurationClass(next-1))
	}
	require.Equal(t, last, domain.DurationClass(domain.ClassDuration(last)))
}

// What is shorter than 16 ms is exact to the millisecond; what is negative is none.
func TestShortDurationsAreExact(t *testing.T) {
	t.Parallel()
	for ms := range 16 {
		d := time.Duration(ms) * time.Millisecond
		require.Equal(t, d, domain.ClassDuration(domain.DurationClass(d)))
	}
	require.Zero(t, domain.DurationClass(-time.Hour))
	require.Zero(t, domain.DurationClass(math.MinInt64))
}

// A class is monotone, and understates a duration by less than an eighth of what
// it tells, beyond the millisecond that it counts in.
func TestDurationClassIsExactToAnEighth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "duration"))
		told := domain.ClassDuration(domain.DurationClass(d))
		require.LessOrEqual(t, told, d)
		require.Less(t, d-told, told/8+time.Millisecond)

		longer := d + time.Duration(rapid.Int64Range(0, math.MaxInt64-int64(d)).Draw(t, "more"))
		require.LessOrEqual(t, domain.DurationClass(d), domain.DurationClass(longer))
	})
}
