package eventlog

import "fmt"

// Sync says when the embedded server's messages are on disk.
type Sync string

const (
	// SyncGroup has each message on disk before it is acknowledged; those that come
	// while one sync is under way share the next one.
	SyncGroup Sync = "group"
	// SyncEach has each message on disk before it is acknowledged, with a sync of its
	// own, by the server itself.
	SyncEach Sync = "each"
	// SyncPage acknowledges what the system has, and lets it write that when it likes:
	// a power cut loses what came last, a crash of the program nothing.
	SyncPage Sync = "page"
)

// check refuses what is none of them.
func (s Sync) check() error {
	switch s {
	case SyncGroup, SyncEach, SyncPage:
		return nil
	}
	return fmt.Errorf("durability %q is none of %s, %s and %s", string(s), SyncGroup, SyncEach, SyncPage)
}

// Durability is what a receipt of [Log.Append] promises, in one word.
type Durability string

const (
	// Synced says that the webhook is on disk and survives a power cut.
	Synced Durability = "synced"
	// Paged says that the system has the webhook, and will write it to disk: it
	// survives a crash of the program, and not a power cut.
	Paged Durability = "page"
	// Unknown says that the broker has the webhook, and that how well it keeps it
	// depends on settings that cannot be seen from here: an external server tells
	// whether it syncs to its system account alone, which no client should have.
	Unknown Durability = "unknown"
)

// Note explains what one word cannot; it is empty where nothing is left to say.
func (d Durability) Note() string {
	switch d {
	case Paged:
		return "what is answered with 200 is not on disk yet, and a power cut loses it; set stream.durability: group"
	case Unknown:
		return "an external NATS server does not tell whether it syncs before it acknowledges; " +
			"set jetstream sync_interval: always on every server"
	default:
		return ""
	}
}
