package eventlog

// Durability is what a receipt of [Log.Append] promises, in one word.
type Durability string

const (
	// Synced says that the webhook is on disk and survives a power cut.
	Synced Durability = "synced"
	// Unknown says that the broker has the webhook, and that how well it keeps it
	// depends on settings that cannot be seen from here: an external server tells
	// whether it syncs to its system account alone, which no client should have.
	Unknown Durability = "unknown"
)

// Note explains what one word cannot; it is empty where nothing is left to say.
func (d Durability) Note() string {
	if d == Synced {
		return ""
	}
	return "an external NATS server does not tell whether it syncs before it acknowledges; " +
		"set jetstream sync_interval: always on every server"
}
