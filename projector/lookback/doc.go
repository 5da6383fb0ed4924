// Package lookback folds single orders again from their webhooks: as they were at
// an earlier moment, with what each webhook said and did, or to mend what a read
// model holds of one order.
//
// # Guarantees
//
// The webhooks of an order are found by the stream sequences of its timeline, so
// nothing is scanned and other orders cost nothing. They are folded by the rules of
// the projector itself: an order as it was at a stream sequence is, in every field,
// the order of a projector that has come this far and no further.
//
// The rules are those of this program. Where another version of the projection
// built the read model, they may give another order than the one that is stored.
//
// # Limits
//
// What an erasure took away is not there to be folded again: before its tombstone, an
// erased order has tokens in the place of its personal texts. [Lookback.Explain] leaves
// them out; who tells of an order as it was leaves out all that is personal.
//
// An order of which the stream no longer holds every webhook cannot be folded
// again: domain.ErrForgotten. A timeline that has lost lines cannot tell of the
// webhooks that are missing in it; that takes a rebuild of the whole read model.
package lookback
