package domain_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

const day = 24 * 60

// The quiet stretch begins after the last webhook, and not before anybody listened; a short
// one does not count, and a long one counts for a day.
func TestQuietStretch(t *testing.T) {
	t.Parallel()
	h := domain.Heard{Source: "shop", First: 0, Last: 10_000}
	at := func(minute int64) time.Time { return time.Unix(minute*60+30, 0) }
	quiet, ok := h.Quiet(at(10_020), at(0))
	require.True(t, ok)
	require.Equal(t, domain.Stretch{Source: "shop", From: 10_001, To: 10_019}, quiet)
	_, ok = h.Quiet(at(10_005), at(0))
	require.False(t, ok)
	quiet, ok = h.Quiet(at(10_020), at(10_009))
	require.True(t, ok)
	require.EqualValues(t, 10_010, quiet.From)
	quiet, ok = h.Quiet(at(10_000+3*day), at(0))
	require.True(t, ok)
	require.EqualValues(t, day, quiet.To-quiet.From+1)
}

// The days before are those on which the source was known, a week of them at the most.
func TestDaysBefore(t *testing.T) {
	t.Parallel()
	quiet := domain.Stretch{Source: "shop", From: 20 * day, To: 20*day + 9}
	h := domain.Heard{Source: "shop", First: 18*day - 5}
	require.Equal(t, []domain.Stretch{{Source: "shop", From: 19 * day, To: 19*day + 9}, {Source: "shop", From: 18 * day, To: 18*day + 9}}, h.Before(quiet))
	h.First = 0
	require.Len(t, h.Before(quiet), 7)
}

// One odd day among the ones before neither makes a silence nor hides one, and a day on
// which the shop is closed each week makes none.
func TestMissedOrders(t *testing.T) {
	t.Parallel()
	require.Zero(t, domain.MissedOrders(nil), "nothing is known")
	require.EqualValues(t, 30, domain.MissedOrders([]uint64{30}))
	require.EqualValues(t, 30, domain.MissedOrders([]uint64{900, 30, 20}))
	require.EqualValues(t, 30, domain.MissedOrders([]uint64{0, 30, 31, 29, 35, 28, 30}))
	require.Zero(t, domain.MissedOrders([]uint64{30, 30, 31, 29, 35, 28, 0}), "it is closed on this day")
}

// shop is a source that gets so many orders an hour from eleven to ten at night, and on
// Mondays none.
type shop struct {
	perHour float64
	begun   map[int64]uint64 // by minute
	heard   domain.Heard
}

func (s *shop) live(random *rand.Rand, minute int64) {
	hour := minute / 60 % 24
	if hour < 11 || hour >= 22 || (minute/day)%7 == 4 || random.Float64() > s.perHour/60 {
		return
	}
	s.begun[minute]++
	if s.heard.First == 0 {
		s.heard.First = minute
	}
	s.heard.Last = minute
}

func (s *shop) silentAt(minute int64) bool {
	quiet, ok := s.heard.Quiet(time.Unix(minute*60, 0), time.Unix(0, 0))
	if !ok {
		return false
	}
	var before []uint64
	for _, stretch := range s.heard.Before(quiet) {
		var begun uint64
		for m := stretch.From; m <= stretch.To; m++ {
			begun += s.begun[m]
		}
		before = append(before, begun)
	}
	return domain.IsSilence(domain.MissedOrders(before))
}

// A source that is well is not called silent, by night, on its closing day or in a lull,
// from its first minute on, but for the first closing day; one that falls silent in its hours is found out in about the
// time that twenty orders take. One with little traffic never is.
func TestSilenceIsFoundAndNotInvented(t *testing.T) {
	t.Parallel()
	for perHour, within := range map[float64]int64{50: 45, 20: 110, 1: 0} {
		random := rand.New(rand.NewPCG(uint64(perHour), 7))
		s := &shop{perHour: perHour, begun: map[int64]uint64{}, heard: domain.Heard{Source: "shop"}}
		died := int64(23*day + 14*60) // in the afternoon, three weeks later
		for minute := int64(day); minute < died; minute++ {
			s.live(random, minute)
			firstClosed := 4*day <= minute && minute < 5*day+12*60 // which nobody can know of
			require.True(t, firstClosed || minute%5 > 0 || !s.silentAt(minute+1), "%v an hour: day %d, minute %d of it", perHour, minute/day, minute%day)
		}
		found := int64(0)
		for minute := died; minute < died+day && found == 0; minute++ {
			if s.silentAt(minute) {
				found = minute - died
			}
		}
		require.LessOrEqual(t, found, within, "%v an hour", perHour)
		require.Equal(t, within > 0, found > 0, "%v an hour", perHour)
	}
}
