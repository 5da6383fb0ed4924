package domain

import (
	"slices"
	"time"
)

// A source is silent where nothing has come from it for so long that on the days before
// at least silentOrders orders began in the same time of day: that none does is, were the
// source well and half as busy as then, a matter of one in some twenty thousand. A source
// with less traffic than that a day is never silent, nor is one in its usual lull.
const (
	silentOrders = 20
	// leastQuiet is the shortest stretch that counts, in minutes: senders hold webhooks
	// back for moments.
	leastQuiet = 5
	// daysKnown is how many days before are looked at: a whole week, since shops are closed on days of it.
	daysKnown    = 7
	minutesOfDay = 24 * 60
)

// HeardSince is how far back [Heard] must reach: the days that are looked at, and one more
// that tells whether the first of them is known.
const HeardSince = (daysKnown + 1) * 24 * time.Hour

// Heard is when a source was heard: in which minutes, counted from the Unix epoch, its
// first and last webhook of the last days came.
type Heard struct {
	Source      string
	First, Last int64
}

// Stretch is a run of minutes of a source, both ends included.
type Stretch struct {
	Source   string
	From, To int64
}

// Quiet gives the whole minutes for which nothing has come from the source, a day of them
// at the most, but for those before anybody listened. ok is false for fewer than count.
func (h *Heard) Quiet(now, listening time.Time) (quiet Stretch, ok bool) {
	until := now.Unix()/60 - 1
	from := max(h.Last+1, (listening.Unix()+59)/60, until-minutesOfDay+1)
	return Stretch{Source: h.Source, From: from, To: until}, until-from+1 >= leastQuiet
}

// Before gives the same minutes of the days before, the last first, as far as the source
// was known by then: seven at the most.
func (h *Heard) Before(quiet Stretch) (days []Stretch) {
	for day := int64(1); day <= daysKnown; day++ {
		shift := day * minutesOfDay
		if h.First > quiet.From-shift {
			break
		}
		days = append(days, Stretch{Source: quiet.Source, From: quiet.From - shift, To: quiet.To - shift})
	}
	return days
}

// MissedOrders gives how many orders should have begun in a quiet stretch, of those that
// did in the same one of the days before: the median of the days, and no more than on the
// same day of the week.
func MissedOrders(before []uint64) uint64 {
	if len(before) == 0 {
		return 0
	}
	missed := slices.Sorted(slices.Values(before))[(len(before)-1)/2]
	if len(before) == daysKnown {
		missed = min(missed, before[daysKnown-1])
	}
	return missed
}

// IsSilence tells whether so many missed orders make a quiet stretch a silence.
func IsSilence(missed uint64) bool { return missed >= silentOrders }

// Silence is a source from which nothing comes although it should.
type Silence struct {
	Source string
	// Since is the minute of its last webhook, as far as that is known.
	Since time.Time
	// Missed is how many orders should have begun since.
	Missed uint64
}

// AlertKind is what an [Alert] is about.
type AlertKind string

// The kinds of alerts.
const (
	// AlertLate: orders of a source became late in a state.
	AlertLate AlertKind = "late"
	// AlertSilent: nothing comes from a source although it should.
	AlertSilent AlertKind = "silent"
	// AlertHeard: a source that was silent is heard again.
	AlertHeard AlertKind = "heard"
)

// MostAlertKeys is how many orders one alert names.
const MostAlertKeys = 20

// Alert tells that somebody should look. Of what a sender wrote it holds keys alone.
type Alert struct {
	Kind   AlertKind
	Source string
	At     time.Time // when it was seen
	// State and Orders are the state and how many orders became late in it, with AlertLate;
	// with AlertSilent Orders is how many should have begun.
	State  State
	Orders uint64
	// Keys are those of these orders, the longest late first and MostAlertKeys at the most, and
	// Limit is how long they may be in the state, with AlertLate.
	Keys  []string
	Limit time.Duration
	// Since is when the last webhook came, to the minute, with AlertSilent and AlertHeard.
	Since time.Time
}
