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
// The tombstone of an erased order takes its personal texts, the notes of what was
// back-filled and the bytes of its proofs with it, in the transaction of the tombstone.
// A later webhook of the order is quarantined, so that it does not bring these back
// without anybody noticing.
//
// # What is checked, and when
//
// The projector trusts nothing it reads. Its [Guard] compares the checkpoint with
// the stream: that it is the same stream by name and time of creation, that it
// reaches up to the checkpoint, that nothing right after the checkpoint is gone,
// and that the webhook at the checkpoint is still the one that was applied, by a
// digest over it and all before it. (Where that one has expired, the digest
// cannot be compared.) It does so
//
//   - before the stream is subscribed to,
//   - again when a subscription has given its first batch, before that is
//     committed: so it has seen the very history that the subscription reads,
//   - each second from then on, beside the projecting.
//
// A subscription ends where its connection, its server or its consumer did not
// last, so each reconnection begins with these checks. And every single webhook
// must have the stream sequence after the last one.
//
// Where the stream is not the one that the checkpoint was made from, the projector
// stops with a [StopError] that says what happened and what to do. It never skips.
// Where a server of a cluster says so that may be behind the others, it is asked again
// until that is known, and nothing is taken meanwhile.
// [Projector.AwaitMend] tells when it can go on, as after a backup was put back.
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
