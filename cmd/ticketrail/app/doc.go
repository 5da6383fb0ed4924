// Package app puts the parts of ticketrail together into one running program,
// and takes them apart again.
//
// # Start
//
// The data folder is locked first, so that no two programs share it. The broker's files
// are looked at before the broker opens them: it would cut off what it cannot read. Then
// come the broker, the stream, the archive, the read model, the projector, and last the two
// listeners: nobody is answered before everything behind the answer stands. A
// start that fails half-way stops what it had started. [Open] starts the same
// without the listeners, for a command on a folder that no program serves.
//
// # Read models
//
// The read model in use is one of a folder of versions, and a rebuild may put
// another one in its place at any time. One that an older version of the projection
// built is served as it is, while a rebuild that the start begins makes the new
// one. The projector, which must not go on with the old one, goes on with the new.
//
// # Shutdown
//
// [App.Stop] goes the way back: it says "not ready", stops accepting HTTP and
// finishes the requests in flight, cancels a rebuild, lets the projector commit
// the batch in hand, closes the read model, the archive, the stream and the server, and unlocks
// the folder. Each step has a limit, so the whole ends in [StopLimit] at the latest.
//
// # When a part fails
//
// A listener that fails ends the program, see [App.Failed]. A projector that
// stops does not: webhooks are still taken and the API still reads, and says why
// it stands still. The embedded broker, which takes nothing after a write that failed, is
// started again when its disk works; its files are looked at first, as at the start.
package app
