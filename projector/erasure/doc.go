// Package erasure takes what is personal of an order out of everything that is kept:
// the stream and its archive, the read model and what was copied of it, and the
// rejected requests that speak of the order.
//
// The way is: find the order's webhooks by its timeline and in the quarantine, and read
// in the archive what the stream has forgotten of them; put a tombstone on the stream
// that says what is left of each, and have them overwritten.
// The projector comes to the tombstone as to any webhook, and empties the order by it;
// from there on the order takes nothing more. What had come in between is found by
// looking once more, with nothing left to find the last time.
//
// Each step can be done again: an erasure that was interrupted is finished by the next.
package erasure
