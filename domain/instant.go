package domain

import (
	"cmp"
	"errors"
	"slices"
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
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		return Instant{}
	}
	i := Instant{seconds: t.Unix(), nanos: int32(t.Nanosecond()), given: true}
	for unit := int32(1e9); i.nanos%unit != 0; unit /= 10 {
		i.fraction++
	}
	return i
}

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
func (i Instant) String() string { return string(i.appendTo(nil)) }

// MarshalText gives what String gives.
func (i Instant) MarshalText() ([]byte, error) { return i.appendTo(nil), nil }

func (i Instant) appendTo(text []byte) []byte {
	const layout, whole = "2006-01-02T15:04:05.000000000", len("2006-01-02T15:04:05")
	if !i.given {
		return text
	}
	end := whole
	if i.fraction > 0 {
		end += len(".") + int(i.fraction)
	}
	return append(i.Time().AppendFormat(slices.Grow(text, len(layout)+1), layout[:end]), 'Z')
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
