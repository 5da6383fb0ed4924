package domain_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// A time is told in UTC, with the fraction it was given in.
func TestInstantKeepsItsFraction(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2023-11-07T05:31:56Z":               "2023-11-07T05:31:56Z",
		"2022-03-14T09:08:42.054Z":           "2022-03-14T09:08:42.054Z",
		"2022-03-14T09:08:42.000Z":           "2022-03-14T09:08:42.000Z",
		"2024-01-04T14:19:07.882052+00:00":   "2024-01-04T14:19:07.882052Z",
		"2022-03-14T10:08:39+01:00":          "2022-03-14T09:08:39Z",
		"1941-03-21T02:00:00+02:00":          "1941-03-21T00:00:00Z",
		"2024-01-01T00:00:00.1234567891234Z": "2024-01-01T00:00:00.123456789Z",
		"2023-12-31T23:30:00.50-01:30":       "2024-01-01T01:00:00.50Z",
		"0000-01-01T00:00:00Z":               "0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999999999Z":     "9999-12-31T23:59:59.999999999Z",
	} {
		instant, err := domain.ParseInstant(text)
		require.NoError(t, err, text)
		require.Equal(t, want, instant.String())
	}
}

// Each day has the date that package time gives it, for 400 years, after which the calendar
// repeats.
func TestInstantHasTheDateOfTheCalendar(t *testing.T) {
	t.Parallel()
	for at := time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2201; at = at.AddDate(0, 0, 1) {
		if want, told := at.Format(time.RFC3339), domain.InstantOf(at).String(); told != want {
			require.Equal(t, want, told)
		}
	}
}

// A time that is told with all of its fraction and without zeros behind it is told as
// package time tells it.
func TestInstantIsToldAsTimeIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i := anyInstant(t)
		if !i.IsZero() {
			require.Equal(t, i.Time().Format(time.RFC3339Nano), i.String())
		}
	})
}

// What is no RFC 3339 time gives ErrInstant: without a zone, or of a moment whose
// year in UTC has no four digits.
func TestInstantRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "now", "2024-04-10T17:11:26.601254", "2024-04-10", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z",
		"2024-01-01 00:00:00Z", "1704067200", "0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
	} {
		instant, err := domain.ParseInstant(text)
		require.ErrorIs(t, err, domain.ErrInstant, text)
		require.True(t, instant.IsZero())
	}
}

// A count of milliseconds has three digits of fraction, and one beyond the year
// 9999 is no time.
func TestUnixInstant(t *testing.T) {
	t.Parallel()
	require.Equal(t, "2024-01-01T00:00:00.007Z", domain.UnixInstant(1704067200007).String())
	require.Equal(t, "1969-12-31T23:59:59.999Z", domain.UnixInstant(-1).String())
	for _, absurd := range []int64{math.MaxInt64, math.MinInt64, 253402300800000, -62167219200001} {
		require.Equal(t, domain.Instant{}, domain.UnixInstant(absurd))
	}
}

// The zero Instant is no time: it comes before any, and is written as nothing.
func TestZeroInstant(t *testing.T) {
	t.Parallel()
	var none domain.Instant
	require.True(t, none.IsZero())
	require.Equal(t, "", none.String())
	require.True(t, none.Time().IsZero())
	require.Zero(t, none.Compare(domain.Instant{}))
	earliest := domain.InstantOf(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
	require.Negative(t, none.Compare(earliest))
	require.Positive(t, earliest.Compare(none))

	read := earliest
	require.NoError(t, read.UnmarshalText(nil))
	require.Equal(t, none, read)
}

// The same moment told in other zones and fractions compares as equal, and the
// fraction still tells the tellings apart.
func TestOneMomentInManyWords(t *testing.T) {
	t.Parallel()
	short, long := instant(t, "2022-03-14T09:08:39Z"), instant(t, "2022-03-14T10:08:39.000+01:00")
	require.Zero(t, short.Compare(long))
	require.NotEqual(t, short, long)
	require.Equal(t, short, instant(t, "2022-03-14T10:08:39+01:00"))
}

// An instant that was written reads as itself, and orders as its time does.
func TestInstantRoundTripAndOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := moment(t), moment(t)
		x, y := instant(t, a.Format(layout(t))), instant(t, b.Format(layout(t)))
		require.Equal(t, x.Time().Compare(y.Time()), x.Compare(y))
		require.Equal(t, -x.Compare(y), y.Compare(x))

		text, err := x.MarshalText()
		require.NoError(t, err)
		var read domain.Instant
		require.NoError(t, read.UnmarshalText(text))
		require.Equal(t, x, read)

		whole := domain.InstantOf(a)
		require.True(t, a.Equal(whole.Time()))
		require.Equal(t, whole, instant(t, whole.String()))
	})
}

// An instant is written as package time writes it, in any year and with any fraction.
func TestInstantText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(-62167219200, 253402300799).Draw(t, "seconds")
		nanos, layout := rapid.Int64Range(0, 999_999_999).Draw(t, "nanos"), layout(t)
		want := time.Unix(seconds, nanos).UTC().Format(layout)
		text, err := instant(t, want).AppendText([]byte("before "))
		require.NoError(t, err)
		require.Equal(t, "before "+want, string(text))
		require.Equal(t, want, instant(t, want).String())
	})
}

// Whatever the text, an instant that is given is the moment that package time
// reads, and reads as itself.
func FuzzParseInstant(f *testing.F) {
	for _, seed := range []string{
		"2023-11-07T05:31:56Z", "2024-01-04T14:19:07.882052+00:00", "0000-01-01T00:00:00+01:00",
		"2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00.Z", "9999-12-31T23:59:59-23:59", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read, err := domain.ParseInstant(text)
		if err != nil {
			require.ErrorIs(t, err, domain.ErrInstant)
			return
		}
		want, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		require.True(t, want.Equal(read.Time()))
		require.Equal(t, read, instant(t, read.String()))
	})
}

func instant(t require.TestingT, text string) domain.Instant {
	read, err := domain.ParseInstant(text)
	require.NoError(t, err, text)
	return read
}

// moment draws a time from a short span, so that equal ones are met.
func moment(t *rapid.T) time.Time {
	nanos := rapid.SampledFrom([]int64{0, 5e8, 5e8 + 1, 999_999_999}).Draw(t, "nanos")
	zone := time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
	return time.Unix(rapid.Int64Range(1_700_000_000, 1_700_000_003).Draw(t, "seconds"), nanos).In(zone)
}

func layout(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.0Z07:00", "2006-01-02T15:04:05.000Z07:00",
		"2006-01-02T15:04:05.000000Z07:00", "2006-01-02T15:04:05.000000000Z07:00",
	}).Draw(t, "layout")
}
