package domain

import "time"

// TimelineEntry is one line of an order's timeline: what a webhook did to the
// order, or a status that it back-filled.
type TimelineEntry struct {
	StreamSequence uint64
	// Ordinal is 0 for the webhook itself, and from 1 for what it back-filled.
	Ordinal int
	Event   string // the provider's name; empty for what was back-filled
	Status  string // the provider's status, verbatim; empty where it gives none
	Effect  Effect
	Note    string
	State   State // the headline after it
	// OccurredAt is the provider's time, zero where it gives none; ReceivedAt the
	// stream's.
	OccurredAt, ReceivedAt Instant
	// IsNews is as Change.IsNews says: it makes the entry one of those that Changes of a
	// read model gives. It is written, and not read back.
	IsNews bool `json:"-"`
}

// TimelinePosition is where a page of a timeline ended. The zero value is before
// the first entry.
type TimelinePosition struct {
	StreamSequence uint64
	Ordinal        int
}

// QuarantinedWebhook is an accepted webhook that could not be translated. Its
// bytes are in the stream, under its stream sequence.
type QuarantinedWebhook struct {
	StreamSequence uint64
	Source, Event  string
	Cause, Where   string // of the Untranslatable
	ReceivedAt     Instant
}

// StreamIdentity tells one stream from another of the same name.
type StreamIdentity struct {
	Name      string
	CreatedAt Instant
}

// Counts tells what became of the webhooks up to the checkpoint. Every stream
// sequence is in exactly one of them.
type Counts struct {
	Applied, Duplicate, NotAboutOrder, Quarantined uint64
}

// Sum is the checkpoint that the counts must add up to.
func (c Counts) Sum() uint64 { return c.Applied + c.Duplicate + c.NotAboutOrder + c.Quarantined }

// Checkpoint is how far a read model is, and of which stream.
type Checkpoint struct {
	// StreamSequence is the last one whose effects are committed; 0 before any.
	StreamSequence uint64
	Stream         StreamIdentity // zero before the first commit
	// Chain is the digest of the stream up to the checkpoint (Webhook.Chain), and
	// PreviousChain the digest before the webhook at the checkpoint, so that this
	// one webhook can be checked without reading the others.
	Chain, PreviousChain Digest
	Counts               Counts
	// Version is the version of the projection that built the read model, and Mappings
	// are those by which it read the webhooks.
	Version  int
	Mappings Mappings
}

// Batch is all that a run of consecutive webhooks does to a read model. It is
// committed whole or not at all.
type Batch struct {
	Checkpoint Checkpoint // after the batch
	// Orders holds each changed order once, as it is after the batch; the new ones
	// (ID 0) in order of first appearance.
	Orders     []*Order
	Timeline   []OrderEntry
	WebhookIDs []WebhookID
	Proofs     []OrderProof
	// Erased are orders that are among Orders, each after all that the batch has of it:
	// their proofs lose the bytes, and their timelines what is personal.
	Erased      []*Order
	Quarantined []QuarantinedWebhook
	Tallies     Tallies
	// Stays are those that ended, in the order of the stream.
	Stays []Stay
}

// OrderEntry is a timeline entry with its order. The order is one of the
// batch's, or one that is stored already.
type OrderEntry struct {
	Order *Order
	TimelineEntry
}

// OrderChange is what one webhook changed of an order, with the order as the read model
// has it: never older than the change, and maybe newer.
type OrderChange struct {
	Order *Order
	TimelineEntry
	// Size is what the stored order takes, in bytes.
	Size int
}

// OrderChanges are a run of changes, in the order of the stream.
type OrderChanges struct {
	Changes []OrderChange
	// Through is the stream sequence up to which the run leaves no change out, and More
	// tells that the read model may have others after it.
	Through uint64
	More    bool
}

// Revision tells when orders may last have become others without a webhook, as where
// another read model came into use whose orders differ: at which stream sequence, and how
// often so far. Who follows changes learns of those orders nowhere else.
type Revision struct {
	StreamSequence uint64
	Number         int
}

// OrderProof is a proof of delivery with its order.
type OrderProof struct {
	Order *Order
	*Proof
}

// WebhookID is a webhook id that a provider gave, with the body that came under
// it: what tells a duplicate from a reused id, for ever.
type WebhookID struct {
	Source, ID     string
	Body           Digest
	StreamSequence uint64
}

// Tallies are the sums that a read model keeps so that no reader has to count.
type Tallies struct {
	// Orders counts orders by source and state; a batch holds differences.
	Orders map[OrderTally]int
	// Minutes counts webhooks by source and minute of receipt.
	Minutes map[MinuteTally]MinuteCounts
}

// NewTallies gives tallies of nothing.
func NewTallies() Tallies {
	return Tallies{Orders: map[OrderTally]int{}, Minutes: map[MinuteTally]MinuteCounts{}}
}

// OrderTally names a count of orders.
type OrderTally struct {
	Source string
	State  State
}

// MinuteTally names a count of webhooks; Minute counts from the Unix epoch.
type MinuteTally struct {
	Source string
	Minute int64
}

// MinuteCounts are what became of the webhooks of a minute, and how many orders began
// with one of them.
type MinuteCounts struct {
	Counts
	Orders uint64
}

// Add adds other counts.
func (c *MinuteCounts) Add(other MinuteCounts) {
	c.Applied += other.Applied
	c.Duplicate += other.Duplicate
	c.NotAboutOrder += other.NotAboutOrder
	c.Quarantined += other.Quarantined
	c.Orders += other.Orders
}

// OrderSort is an order of the list of orders.
type OrderSort string

// The sorts: by the last webhook that was applied, or by first appearance.
const (
	SortUpdatedDescending OrderSort = "-updated"
	SortUpdatedAscending  OrderSort = "updated"
	SortCreatedDescending OrderSort = "-created"
	SortCreatedAscending  OrderSort = "created"
	// SortSince is by WaitingSince, the longest first; for late orders alone.
	SortSince OrderSort = "since"
)

// OrderQuery selects a page of orders. Zero values select everything.
type OrderQuery struct {
	States        []State
	Source, Store string
	// Text is looked for, case-insensitively, in the order's key and reference; where
	// KeysOnly is set, in its key alone.
	Text         string
	KeysOnly     bool
	Problem      *bool   // with or without one
	UpdatedSince Instant // by the time at which the stream took the last applied webhook
	Sort         OrderSort
	// Late selects the orders that are late; nil for any.
	Late *Lateness
	// After is the Position of the last order of the page before; the zero value for the
	// first page.
	After OrderPosition
	Limit int // from 1
}

// OrderPosition is where an order stands in a sort.
type OrderPosition struct {
	// Since is the order's WaitingSince in Unix nanoseconds, in SortSince alone.
	Since uint64
	// Number is the order's stream sequence or its ID. Both are unique, so a page can
	// follow exactly on another.
	Number uint64
}

// Position is where an order stands in the sort.
func (s OrderSort) Position(o *Order) OrderPosition {
	switch s {
	case SortCreatedAscending, SortCreatedDescending:
		return OrderPosition{Number: o.ID}
	case SortSince:
		return OrderPosition{Since: uint64(o.WaitingSince().Time().UnixNano()), Number: o.ID}
	}
	return OrderPosition{Number: o.StreamSequence}
}

// Stats are the read model's tallies, as a reader wants them.
type Stats struct {
	Orders    []OrderCount
	PerMinute []MinuteCount
	Durations []Stays
}

// OrderCount is the number of orders of one source in one state.
type OrderCount struct {
	OrderTally
	Orders uint64
}

// MinuteCount is what became of the webhooks of one source in one minute, or in one
// step of several.
type MinuteCount struct {
	Source string
	Minute Instant // its start
	MinuteCounts
}

// MinuteQuery selects counts of webhooks.
type MinuteQuery struct {
	Source string // empty for all
	// The minutes are those from the one that From is in to the last that begins before
	// To; to the last of all where To is zero.
	From, To time.Time
	Step     time.Duration // whole minutes, from the Unix epoch on
	Most     int           // how many counts to give, one more tells that there are more; 0 for all
}

// StreamInfo is where the stream stands.
type StreamInfo struct {
	Identity StreamIdentity
	// First and Last are stream sequences; an empty stream has First = Last + 1.
	First, Last uint64
	// Bytes and MaxBytes are what the stream takes and may take on disk.
	Messages, Bytes, MaxBytes uint64
	LastAt                    Instant // when the last webhook was stored; zero before any
	// Unsure tells that one server of several says so that may be behind the others: the
	// stream may have more.
	Unsure bool
}
