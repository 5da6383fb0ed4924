// Package orders publishes the changes of orders for other services, on the stream ORDERS.
//
// Each is a message under orders.<source>.<state>, and a CloudEvent in binary mode
// (CloudEvents 1.0, NATS protocol binding): its attributes are headers, its data is the
// change in JSON, without what is personal. Its id is the stream sequence of the webhook
// that made the change. Where the order has grown to more than the broker takes, or than half
// of the stream, the change has null in its place.
//
// Alerts go between them, under orders.<source>.alert.<kind>.
//
// # Guarantees
//
// Every change is published at least once, and in the order of the stream: a message is
// stored only behind the one before it. What came last is read from ORDERS itself, so a
// restart goes on there, and a read model that is made anew publishes nothing again. Programs
// that publish beside each other publish each change once, whoever comes first with it. A
// stream that is new begins with what changes after it was made, and so does one that has
// lost all of its messages to their age.
//
// Alerts are in their order among themselves, and each names the change before it. They are at
// most once: where ORDERS does not take one at once, it is dropped.
//
// ORDERS is no second truth: it forgets its oldest messages, is not synced before readers
// get them, and has no copy.
//
// Nobody waits for it: while it cannot be published to, changes wait in the read model.
package orders
