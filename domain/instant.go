package domain

import (
	"cmp"
	"errors"
	"strings"
	"time"
)

// ErrInstant says that a text is no RFC 3339 time.
var ErrInstant = errors.New("not an RFC 3339 time, such as 2026-01-31T12:00:00Z")

// Instant is a moment, kept in UTC to the fraction it was given in: a provider's
// "05:31:56Z" does not become "05:31:56.000Z". Two instants are the same moment
// when Compare gives 0, whatever their zones and fractions were. The zero
// Instant means that no time was given. Instants are comparable with ==, which
// also compares the fraction's length.
type Instant struct {
	seconds  int64 // since the Unix epoch
	nanos    int32
	fraction uint8 // digits of the fraction that were given, 0 to 9
	given    bool
}

// InstantOf gives the instant of t, with as many digits of fraction as it takes,
// none for a whole second. A time outside the years 0 to 9999, which RFC 3339
// cannot write, gives the zero Instant: what is kept must be readable again.
func InstantOf(t time.Time) Instant {
	i := Instant{seconds: t.Unix(), nanos: int32(t.Nanosecond()), given: true}
	if i.seconds < firstSecond || i.seconds > lastSecond {
		return Instant{}
	}
	if i.nanos != 0 {
		i.fraction = 9
		for digits := i.nanos; digits%10 == 0; digits /= 10 {
			i.fraction--
		}
	}
	return i
}

// The first second of the year 0 and the last one of 9999, since the Unix epoch.
const (
	firstSecond = -62_167_219_200
	lastSecond  = 253_402_300_799
)

// UnixInstant gives the instant of a count of milliseconds since the Unix epoch,
// and like [InstantOf] the zero Instant for a count beyond the year 9999.
func UnixInstant(milliseconds int64) Instant {
	i := InstantOf(time.UnixMilli(milliseconds))
	if i.given {
		i.fraction = 3
	}
	return i
}

// ParseInstant reads an RFC 3339 time in any zone, with up to nine digits of
// fraction (more are cut off). It returns [ErrInstant] for anything else, a time
// without a zone included: which moment that means cannot be known.
func ParseInstant(text string) (Instant, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	i := InstantOf(t)
	if err != nil || i.IsZero() {
		return Instant{}, ErrInstant
	}
	i.fraction = fractionDigits(text)
	return i, nil
}

func fractionDigits(text string) uint8 {
	point := strings.IndexAny(text, ".,")
	if point < 0 {
		return 0
	}
	n := strings.IndexFunc(text[point+1:], func(r rune) bool { return r < '0' || r > '9' })
	return uint8(min(n, 9))
}

// IsZero tells whether no time was given.
func (i Instant) IsZero() bool { return !i.given }

// Time gives the instant as a time in UTC; the zero Instant gives the zero Time.
func (i Instant) Time() time.Time {
	if !i.given {
		return time.Time{}
	}
	return time.Unix(i.seconds, int64(i.nanos)).UTC()
}

// Compare orders instants by the moment; no instant comes before any.
func (i Instant) Compare(j Instant) int {
	if i.given != j.given {
		if i.given {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(i.seconds, j.seconds), cmp.Compare(i.nanos, j.nanos))
}

// String gives the instant as RFC 3339 in UTC with the fraction it was given in,
// and "" for the zero Instant.
func (i Instant) String() string {
	var room [longestInstant]byte
	text, _ := i.AppendText(room[:0])
	return string(text)
}

// longestInstant is what the text of any instant fits in.
const longestInstant = len("2006-01-02T15:04:05.999999999Z")

// MarshalText gives what String gives.
func (i Instant) MarshalText() ([]byte, error) { return i.AppendText(nil) }

// AppendText appends what String gives. Each webhook has three times or more to be
// written, and package time takes four times as long.
func (i Instant) AppendText(text []byte) ([]byte, error) {
	if !i.given {
		return text, nil
	}
	second := i.seconds - firstSecond
	year, month, day := date(second / secondsADay)
	second %= secondsADay
	text = append(text, "0000-00-00T00:00:00"...)
	told := text[len(text)-len("0000-00-00T00:00:00"):]
	tell(told[:4], year)
	tell(told[5:7], month)
	tell(told[8:10], day)
	tell(told[11:13], second/3600)
	tell(told[14:16], second/60%60)
	tell(told[17:], second%60)
	if i.fraction > 0 {
		text = append(text, ".000000000"...)
		tell(text[len(text)-9:], int64(i.nanos))
		text = text[:len(text)-9+int(i.fraction)]
	}
	return append(text, 'Z'), nil
}

const (
	secondsADay = 86_400
	daysIn400   = 146_097 // years, after which the calendar repeats
	daysIn4     = 1461
)

// date gives the date of a day, counted from the first one of the year 0. It counts years
// from their March, so that a leap day is the last one of its year, and the months before
// each day have 153 days for every five.
func date(days int64) (year, month, day int64) {
	days += daysIn400 - 60 // from the first of March of the year -400
	year = days / daysIn400 * 400
	days %= daysIn400
	year -= 400
	leapDays := days/(daysIn4-1) - days/36_524 + days/(daysIn400-1) // of all years before, none at a century's end but the last
	yearOf := (days - leapDays) / 365
	day = days - (365*yearOf + yearOf/4 - yearOf/100)
	month = (5*day + 2) / 153
	day -= (153*month + 2) / 5
	year += yearOf
	if month < 10 {
		return year, month + 3, day + 1
	}
	return year + 1, month - 9, day + 1
}

// tell writes the last decimal digits of a number, as many as there is room for.
func tell(to []byte, n int64) {
	for at := len(to) - 1; at >= 0; at-- {
		to[at] = byte('0' + n%10)
		n /= 10
	}
}

// UnmarshalText reads what MarshalText wrote.
func (i *Instant) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*i = Instant{}
		return nil
	}
	*i, err = ParseInstant(string(text))
	return err
}
