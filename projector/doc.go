// Package projector reads the stream and makes the read model of it.
//
// # Guarantees
//
// Every stream sequence is read in order, from the one after the checkpoint, and
// ends in exactly one of four ways: applied, duplicate, not about an order, or
// quarantined. Its effects, the count it falls under and the checkpoint are
// committed in one transaction. A webhook that cannot be translated is
// quarantined in that transaction and holds up nothing.
//
// The projector trusts nothing it reads. Before it starts, every few seconds
// while it runs, and at every webhook it asks its [Guard] whether this is still
// the stream that the checkpoint was made from. Where it is not, the projector
// stops with a [StopError] that says what happened and what to do. It never skips.
//
// # Batches
//
// While the stream is ahead, webhooks are taken in batches; a webhook that
// arrives at a projector that has caught up is committed at once. No timer is
// involved. How the stream was cut into batches cannot be seen in the read model.
//
// # Shutdown
//
// When its context ends, [Projector.Run] commits the batch in hand and returns nil.
package projector
