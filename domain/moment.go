package domain

import (
	"errors"
	"strconv"
)

// ErrMoment says that a text is neither a stream sequence nor a time.
var ErrMoment = errors.New("neither a stream sequence from 1 nor an RFC 3339 time")

// Moment is a point to look back to: after the webhook of a stream sequence, or
// after the last webhook that the stream took at or before a time: what readers could
// see then. One of the two is set.
type Moment struct {
	StreamSequence uint64
	Time           Instant
}

// ParseMoment reads a stream sequence in decimal digits or an RFC 3339 time, and
// returns [ErrMoment] for anything else.
func ParseMoment(text string) (Moment, error) {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && n > 0 {
		return Moment{StreamSequence: n}, nil
	}
	if at, err := ParseInstant(text); err == nil {
		return Moment{Time: at}, nil
	}
	return Moment{}, ErrMoment
}

// Includes tells whether the stream took a webhook no later than the moment.
func (m Moment) Includes(w *Webhook) bool {
	if m.StreamSequence > 0 {
		return w.StreamSequence <= m.StreamSequence
	}
	return w.StoredAt.Compare(m.Time) <= 0
}
