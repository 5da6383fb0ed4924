package projector

import (
	"errors"
	"log/slog"
	"time"

	"github.com/ticketrail/ticketrail/eventlog"
)

const (
	// firstPause and longestPause bound the wait before a failed step is tried
	// again; each pause is twice the one before.
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
	// longestBrokerPause is the bound where it is the broker that is waited for:
	// asking it costs little, and webhooks wait as soon as it is back.
	longestBrokerPause = 250 * time.Millisecond
	// accidents is how many failures in a row may pass for accidents.
	accidents = 2
)

// setbacks are the failures since the checkpoint last moved.
type setbacks struct {
	own   int           // those that are not the broker's
	since time.Time     // when the first of these was
	pause time.Duration // before the next attempt
}

func (s *setbacks) add(err error, now time.Time) {
	longest := longestBrokerPause
	if !ofBroker(err) {
		longest = longestPause
		if s.own++; s.own == 1 {
			s.since = now
		}
	}
	s.pause = min(max(2*s.pause, firstPause), longest)
}

// failingSince is zero as long as the failures may be accidents.
func (s *setbacks) failingSince() time.Time {
	if s.own <= accidents {
		return time.Time{}
	}
	return s.since
}

// ofBroker tells whether an error is the broker's, which passes by itself.
func ofBroker(err error) bool {
	return errors.Is(err, eventlog.ErrInterrupted) || errors.Is(err, eventlog.ErrUnavailable)
}

// level is how loud an error is logged. That the broker is away, the connection
// to it tells already.
func level(err error) slog.Level {
	if ofBroker(err) {
		return slog.LevelDebug
	}
	return slog.LevelError
}
