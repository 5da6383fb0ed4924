package app

import "context"

// Parts say what of the program runs in a process. On one machine all of it does; on many
// they share the stream, and nothing else.
type Parts uint8

const (
	// Ingest takes webhooks. There may be any number.
	Ingest Parts = 1 << iota
	// Reads projects the stream into a read model of its own, and answers from that. There may
	// be any number.
	Reads
	// Acts does what each of many must not do: it makes the streams, publishes changes and
	// alerts, keeps the archive, and does what operators decide. It needs Reads.
	Acts

	// All is the whole program.
	All = Ingest | Reads | Acts
)

func (p Parts) has(part Parts) bool { return p&part != 0 }

// String gives the command that runs the parts.
func (p Parts) String() string {
	switch p {
	case Ingest:
		return "ingest"
	case Reads:
		return "api"
	case Reads | Acts:
		return "project"
	}
	return "serve"
}

// starting are the steps of a start, in their order, each with the parts that need it.
var starting = []struct {
	of    Parts
	start func(*App, context.Context) error
}{
	{All, (*App).lockFolder},
	{All, (*App).startTraces},
	{All, (*App).makeSources},
	{All, (*App).checkFiles},
	{All, (*App).openStream},
	{All, (*App).openHistory},
	{Acts, (*App).warnOfAge},
	{Acts, (*App).startArchive},
	{Reads, (*App).adoptReadModel},
	{Reads, (*App).openReadModel},
	{Reads, (*App).startProjector},
	{Acts, (*App).startCarrier},
	{Reads, (*App).update},
	{Reads, (*App).startForgetting},
	{Reads, (*App).startPulse},
	{Reads, (*App).startFeed},
	{Acts, (*App).startPublishing},
	{Reads, (*App).startWatcher},
	{Ingest, (*App).startIngest},
	{All, (*App).startAPI},
	{All, (*App).keepSources},
	{All, (*App).announce},
	{All, (*App).startMending},
}
