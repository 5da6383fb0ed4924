// Package domain is the heart of ticketrail: what an order is, and how the
// webhooks about it become its state.
//
// # The fold
//
// A provider's translation turns a [Webhook] into an [Event]: what the webhook
// says about one order, in ticketrail's words. [Order.Apply] folds one event
// into an order and tells what it did, as a [Change]. Providers have two kinds of
// event. A [Step] raises each axis it names and never lowers one. A [Snapshot]
// carries the whole standing of the order and a clock; the newest one wins.
//
// # Guarantees
//
// Every part of an order is a join: a maximum, a set, or a [Field] that keeps
// the value with the greatest [Stamp]. So any permutation and any repetition of
// an order's events ends in the same order, in all but what is about arrival:
// FirstSeenAt, LastSeenAt, StoredAt, Version, ProblemSince, StateSince and every
// stream sequence.
//
// Nothing here reads a clock, does I/O, logs or starts a goroutine, and nothing
// fails: whatever an event holds, the fold takes it. What cannot be read as an
// event at all is an [Untranslatable] error of the translation, before the fold.
//
// # Erasure
//
// A [Tombstone] takes away what is personal of an order; personal.go has the list.
// What is left of a webhook then is its event with tokens for the personal texts
// ([Event.Redact]). It does to the order what the webhook did, so an order that is
// folded from what is left, up to the tombstone, is the erased order. That holds where
// all of its webhooks before the tombstone were redacted with one key: between a text
// and a token nobody can tell whether they are the same. Where a fold has met both, its
// timeline may tell of more news than there was; the order itself is the same.
//
// # Concurrency
//
// Values are plain data. An Order must not be used by two goroutines while one
// of them applies an event to it.
package domain
