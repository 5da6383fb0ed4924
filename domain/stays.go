package domain

import "time"

// Stay is how long one order was in a state when a webhook had it leave it.
type Stay struct {
	StreamSequence uint64 // of that webhook
	// Source, Store and State are those of the order, Store empty where it has none.
	Source, Store string
	State         State
	EndedAt       int64 // when the webhook was received, in Unix seconds
	Class         int   // of the duration, see DurationClass
}

// Span is over how long stays are counted together, in seconds. Each stay is counted up to
// three times. By store it is by the day and not by the hour: with hours nearly each stay
// of a small store would have a row of its own.
type Span int64

// The spans.
const (
	SpanAll  Span = 0            // by source and state, since the beginning
	SpanHour Span = 60 * 60      // by source and state
	SpanDay  Span = 24 * 60 * 60 // by store too, for orders that have one; days of UTC
)

// Start gives the start of the span that a time is in, both in Unix seconds.
func (s Span) Start(seconds int64) int64 {
	if s == SpanAll {
		return 0
	}
	span := int64(s)
	return seconds - (seconds%span+span)%span
}

// DurationTally names a count of stays in a state.
type DurationTally struct {
	Span  Span
	Start int64 // of the span in which the stays ended, in Unix seconds; 0 with SpanAll
	// Source, State and Store are those of the orders, Store empty but with SpanDay.
	Source, Store string
	State         State
	Class         int
}

// StayQuery selects counts of stays: those with SpanDay where a store is named or ByStore
// is set, else those with SpanHour.
type StayQuery struct {
	Source, Store string // empty for all
	State         *State // nil for all
	// The spans are those from the one that From is in to the last that begins before To;
	// to the last of all where To is zero.
	From, To time.Time
	// Step is over how long they are counted together, in whole spans from the Unix epoch
	// on; 0 for all of the time.
	Step    time.Duration
	ByStore bool // count each store by itself
	// Most is how many counts to give; one more tells that there are more.
	Most int
}

// Span gives the span that the query is about.
func (q *StayQuery) Span() Span {
	if q.ByStore || q.Store != "" {
		return SpanDay
	}
	return SpanHour
}

// Stays tell how long orders of one source stayed in a state before they left it.
type Stays struct {
	Source, Store string
	State         State
	Start         int64        // of the step, in Unix seconds
	Classes       []ClassCount // by class
}

// ClassCount is how many stays were in a class of DurationClass.
type ClassCount struct {
	Class  int
	Orders uint64
}

// Orders is how many stays there were.
func (s *Stays) Orders() (sum uint64) {
	for _, c := range s.Classes {
		sum += c.Orders
	}
	return sum
}

// Percentile gives how long a share of the stays, in hundredths, lasted at the most: the
// lower bound of the class in which the share is reached, so it is exact to an eighth.
func (s *Stays) Percentile(percent uint64) time.Duration {
	var sum uint64
	all := s.Orders()
	for _, c := range s.Classes {
		sum += c.Orders
		if sum*100 >= all*percent {
			return ClassDuration(c.Class)
		}
	}
	return 0
}

// Late gives how many of the stays lasted for a limit or longer, by the lower bounds of
// their classes; none where there is no limit.
func (s *Stays) Late(limit time.Duration) (late uint64) {
	for _, c := range s.Classes {
		if limit > 0 && ClassDuration(c.Class) >= limit {
			late += c.Orders
		}
	}
	return late
}
