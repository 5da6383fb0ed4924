package domain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// A share of the stays is reached in the class of the last of them, and late are those of
// the classes that begin at the limit.
func TestStays(t *testing.T) {
	t.Parallel()
	minute := domain.DurationClass(time.Minute)
	s := domain.Stays{Classes: []domain.ClassCount{{Class: 1, Orders: 50}, {Class: minute - 1, Orders: 40}, {Class: minute + 1, Orders: 10}}}
	require.EqualValues(t, 100, s.Orders())
	require.Equal(t, time.Millisecond, s.Percentile(50))
	require.Equal(t, domain.ClassDuration(minute-1), s.Percentile(51))
	require.Equal(t, domain.ClassDuration(minute+1), s.Percentile(100))
	require.Zero(t, (&domain.Stays{}).Percentile(50))
	require.EqualValues(t, 10, s.Late(time.Minute))
	require.EqualValues(t, 100, s.Late(1))
	require.Zero(t, s.Late(0), "there is no limit")
}

// A span begins before or at its times, those before 1970 too.
func TestSpanStart(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int64]int64{0: 0, 3599: 0, 3600: 3600, -1: -3600, -3600: -3600} {
		require.Equal(t, want, domain.SpanHour.Start(seconds), seconds)
	}
	require.EqualValues(t, 86400, domain.SpanDay.Start(2*86400-1))
	require.Zero(t, domain.SpanAll.Start(12345))
}

// A query of stores is about days, any other about hours.
func TestSpanOfAQuery(t *testing.T) {
	t.Parallel()
	require.Equal(t, domain.SpanHour, (&domain.StayQuery{Source: "shop"}).Span())
	require.Equal(t, domain.SpanDay, (&domain.StayQuery{Store: "s-1"}).Span())
	require.Equal(t, domain.SpanDay, (&domain.StayQuery{ByStore: true}).Span())
}
