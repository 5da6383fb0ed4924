package domain

import "time"

// What came of a request that brought a webhook; every other verdict is the code of the
// refusal.
const (
	VerdictAccepted  = "accepted"
	VerdictDuplicate = "duplicate"
)

// Arrival is one request to a webhook endpoint and what came of it. Nothing in it is a
// sender's text.
type Arrival struct {
	At Instant
	// Source is the configured one, empty where none is of the name that was asked for.
	Source string
	// Event is the token of the event, empty where nobody looked at the body.
	Event string
	// Verdict is VerdictAccepted, VerdictDuplicate or the code of the refusal, and Status
	// the HTTP status that went with it.
	Verdict string
	Status  int
	// StreamSequence is where the webhook is, or the one that it repeats; 0 where it was
	// refused.
	StreamSequence uint64
	// Size is that of the body in bytes, as announced where it was not read; -1 where it
	// was not announced.
	Size int64
	// Took is the time from the request's headers to the answer.
	Took time.Duration
}
