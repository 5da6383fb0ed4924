// Package recovery looks at the files of the embedded server before the server opens
// them. The server cuts off what it cannot read, and says nothing: so what it would
// cut must be found first.
//
// # What is looked at
//
// [Check] reads the stream of webhooks, block by block: each record's own checksum,
// that stream sequences follow one another, that the stream's settings are what was
// written. Then it compares the stream with the archive: identity, beginning, end, and
// the outline of all webhooks in between. What a crash leaves is mended: an end that
// is torn is cut off, and webhooks that the archive has and the stream's end lacks
// are put back, at the same stream sequences and with the same times. What a tombstone
// says was erased is not missing, and is overwritten where it is still there. Everything else
// is a [Refusal], which says what was found, where, and what to do.
//
// Every byte is read at every start, but not everything is found out again: what was
// found of a block or of a sealed segment is kept with the digest of all its bytes, and
// is so still where the digest is the same. The server has such a file too, its index, and
// believes it only if it is of the newest record. A crash leaves one that is not; then Check writes
// the index that the server would make of the blocks.
//
// [Restore] makes the stream's files anew from an archive, and [Compare] reads every
// byte of both.
//
// # What it knows
//
// The form of the server's blocks is the server's own affair, and is known here as it
// is in the version that go.mod names. The tests have the server write what is read
// here, and read what is written here.
//
// # Concurrency
//
// Check and Restore need the lock of the data folder. Compare reads only, also while
// a server runs.
package recovery
