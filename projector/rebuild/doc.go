// Package rebuild makes read models anew from the stream, beside the one in use.
//
// # The way of a rebuild
//
// A new file is loaded from stream sequence 1 while the read model in use keeps
// serving and moving; see [sqlite.Loader]. When it has nearly caught up, it is opened
// like any other, and read whole. The read model in use is held at its checkpoint by a
// read transaction, the new one is brought to exactly that stream sequence, and every
// row of every table is compared. Where nothing differs, or the difference is accepted,
// the new one catches up, takes the place between two batches of the projector, and the
// old file is kept for a rollback.
//
// # Guarantees
//
// No read fails and none sees half of a switch. Canceled or killed at any moment,
// a rebuild leaves the read model in use as it was; what it leaves behind is
// removed at the next start. Only the replacing of the pointer file makes another
// read model the current one, and that is atomic.
//
// # Concurrency
//
// One rebuild goes on at a time. All methods are safe for concurrent use.
package rebuild
