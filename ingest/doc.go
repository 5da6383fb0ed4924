// Package ingest is the HTTP receiver: it takes webhooks from their senders,
// puts their raw bytes into the stream and answers.
//
//	POST /webhooks/{source}   takes one webhook
//	GET  /healthz             the process is alive
//	GET  /readyz              webhooks can be taken, and how durable a 200 is
//
// It is thin on purpose. It checks who sent the request, asks the provider for
// the event's name and the webhook's id, and appends. It knows nothing of orders.
//
// # Guarantees
//
// A 200 means that the webhook is in the stream, as durable as [Log] promises.
// Every authentic JSON object is taken, whatever it says. A request that cannot
// be taken through no fault of its sender gets a 503 with Retry-After, never a
// 4xx, so that the sender tries again. A sender who hangs up while its webhook
// is being appended interrupts nothing: it is appended, and the retry finds it.
//
// What was refused as not authentic or not a JSON object is kept in the stream
// of rejected requests, as far as a limit for each source allows.
//
// # What a stranger can do
//
// Bodies, bytes in memory, requests in flight, requests kept and lines logged
// are all bounded. A stranger cannot use up a sender's rate, since only
// authentic requests count. A request that is refused for its head is read only
// as far as it is kept, and no source holds more than its share of all bodies, so
// that nobody shuts out the senders of another one. Nothing that a request holds
// is echoed, logged or made part of a subject, a label or an error, and of its
// headers only a fixed few are stored.
package ingest
