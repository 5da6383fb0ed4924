// Package app puts the parts of ticketrail together into one running program,
// and takes them apart again.
//
// # Start
//
// The data folder is locked first, so that no two programs share it. Then come
// the broker, the stream, the read model, the projector, and last the two
// listeners: nobody is answered before everything behind the answer stands. A
// start that fails half-way stops what it had started.
//
// # Shutdown
//
// [App.Stop] goes the way back: it says "not ready", stops accepting HTTP and
// finishes the requests in flight, lets the projector commit the batch in hand,
// closes the read model, the stream and the server, and unlocks the folder. Each
// step has a limit, so the whole ends in [StopLimit] at the latest.
//
// # When a part fails
//
// A listener that fails ends the program, see [App.Failed]. A projector that
// stops does not: webhooks are still taken and the API still reads, and says why
// it stands still.
package app
