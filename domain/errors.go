package domain

import (
	"errors"
	"fmt"
)

// ErrNotAboutOrder is returned by a translation for a webhook that is understood
// and speaks of no order: it is counted and changes nothing.
var ErrNotAboutOrder = errors.New("not about an order")

// ErrNotFound is returned where something was asked for by its name, key or
// stream sequence and is not there.
var ErrNotFound = errors.New("not found")

// ErrForgotten is returned where an order cannot be folded again because the
// stream no longer holds all of its webhooks.
var ErrForgotten = errors.New("the stream no longer holds all webhooks of the order")

// ErrNoStream is returned where webhooks had to be read from the stream and it
// does not answer.
var ErrNoStream = errors.New("the stream cannot be read")

// ErrOrderAlone is returned where one order cannot be rebuilt by itself: only a
// rebuild of the whole read model can tell what it should be.
var ErrOrderAlone = errors.New("the order cannot be rebuilt alone")

// ErrDamaged is returned where a read model's file is not what was written into
// it: nothing that it holds is to be believed, and it is made again from the stream.
var ErrDamaged = errors.New("the read model is damaged")

// The causes for which a webhook is quarantined. They are a closed list: a
// cause never holds text of the sender.
const (
	CauseMalformed       = "malformed-json"     // not JSON that can be read in one way only
	CauseTooDeep         = "nested-too-deeply"  // more levels than any provider sends
	CauseTooManyElements = "too-many-elements"  // more refunds, payments or entries of a history
	CauseTooLong         = "too-long"           // a status or an event's name longer than any
	CauseWrongType       = "wrong-type"         // a value that decides is of another type
	CauseKeyMissing      = "order-key-missing"  // an order event that names no order
	CauseKeyUnusable     = "order-key-unusable" // too long, or with control characters
	CauseUnknownProvider = "unknown-provider"   // a subject whose provider this program lacks
	CauseInternalDefect  = "internal-defect"    // translating it panicked: a bug of ours
	CauseOrderErased     = "order-erased"       // what is personal of its order was erased before it came
	CauseErasure         = "erasure-unusable"   // an erasure that cannot be read, or of an order that nobody heard of
)

// Causes gives the list of them.
func Causes() []string {
	return []string{
		CauseMalformed, CauseTooDeep, CauseTooManyElements, CauseTooLong, CauseWrongType,
		CauseKeyMissing, CauseKeyUnusable, CauseUnknownProvider, CauseInternalDefect,
		CauseOrderErased, CauseErasure,
	}
}

// Untranslatable is the error of a webhook that no event can be made of. It goes
// to quarantine with the stream sequence and stops nothing.
type Untranslatable struct {
	// Cause is one of the Cause constants.
	Cause string
	// Where is a JSON pointer to the place, or empty; it holds only names of
	// fields that the provider documents, never text of the sender.
	Where string
}

func (u *Untranslatable) Error() string {
	if u.Where == "" {
		return u.Cause
	}
	return fmt.Sprintf("%s at %s", u.Cause, u.Where)
}
