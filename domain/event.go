package domain

// Kind is the way an event changes an order.
type Kind uint8

const (
	// Step raises each axis that it names, and lowers none.
	Step Kind = iota
	// Snapshot states where the whole order stands; the greatest stamp wins.
	Snapshot
	// Tombstone takes away what is personal of the order, and says nothing else.
	Tombstone
)

var kindNames = []string{"step", "snapshot", "tombstone"}

func (k Kind) String() string { return nameOf(kindNames, k) }

// MarshalText gives the name of the kind.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a name; an unknown one is an error.
func (k *Kind) UnmarshalText(text []byte) (err error) {
	*k, err = valueOf[Kind]("kind", kindNames, text)
	return err
}

// Standing is where an order stands, as one event or all of them say.
type Standing struct {
	Axes
	// Problem is why somebody should look at the order, empty where nobody need:
	// "rider-error", "in-dispute", "disputed". It never changes the state.
	Problem string `json:"problem,omitzero"`
}

// Join joins the axes and keeps a problem that either has.
func (s Standing) Join(t Standing) Standing {
	return Standing{Axes: s.Axes.Join(t.Axes), Problem: max(s.Problem, t.Problem)}
}

// Event is what one webhook says about one order, in ticketrail's words. It is
// made by a provider's translation, and stored only where an erasure took the
// webhook's own words away. Zero values mean that the webhook says nothing of the kind.
type Event struct {
	Kind Kind `json:"kind"`
	// Key is the order key: unique among the orders of one source.
	Key string `json:"key"`
	// Name is the provider's own name of the event, such as "order_updated".
	Name string `json:"name"`
	// Stamp ranks the event's statements against those of other events.
	Stamp Stamp `json:"stamp"`
	// OccurredAt is when the provider says that it happened.
	OccurredAt Instant `json:"occurred_at,omitzero"`
	// Standing is what the event says of the axes. A snapshot whose status is
	// not known has StandingUnknown set, and leaves the order's standing alone.
	Standing        Standing `json:"standing,omitzero"`
	StandingUnknown bool     `json:"standing_unknown,omitzero"`

	Facts
	Refunds   []Refund        `json:"refunds,omitempty"`
	Payments  []PaymentRecord `json:"payments,omitempty"`
	Proof     *Proof          `json:"proof,omitempty"`
	History   []HistoryEntry  `json:"history,omitempty"` // that a snapshot carries
	Anomalies []Anomaly       `json:"anomalies,omitempty"`
}

// Facts are the single values that an event may state about its order.
type Facts struct {
	ProviderStatus  string  `json:"provider_status,omitzero"` // verbatim
	StoreID         string  `json:"store_id,omitzero"`
	Reference       string  `json:"reference,omitzero"` // what the merchant calls the order
	Description     string  `json:"description,omitzero"`
	FulfillmentKind string  `json:"fulfillment_kind,omitzero"` // "delivery", "takeaway" or "at-table"
	Currency        string  `json:"currency,omitzero"`         // ISO 4217, where the provider states it
	Total           Amount  `json:"total,omitzero"`
	Discount        Amount  `json:"discount,omitzero"`
	Refunded        Amount  `json:"refunded,omitzero"` // the sum of the refunds that succeeded, as the provider says
	CreatedAt       Instant `json:"created_at,omitzero"`
	CompletedAt     Instant `json:"completed_at,omitzero"`
	Receipt         Receipt `json:"receipt,omitzero"`
}

// Receipt is the proof of purchase that a provider issued for an order.
type Receipt struct {
	ID     string  `json:"id,omitzero"`
	Total  Amount  `json:"total,omitzero"`
	Method string  `json:"method,omitzero"`
	PaidAt Instant `json:"paid_at,omitzero"`
}

// Refund is money that goes back. Its ID is the provider's, or a hash of its
// content where the provider gives none.
type Refund struct {
	ID       string  `json:"id"`
	Amount   Amount  `json:"amount,omitzero"`
	Currency string  `json:"currency,omitzero"`
	Status   string  `json:"status,omitzero"` // verbatim
	Reason   string  `json:"reason,omitzero"`
	At       Instant `json:"at,omitzero"`
	Stamp    Stamp   `json:"stamp,omitzero"`
}

// PaymentRecord is one payment of an order, where a provider lists them.
type PaymentRecord struct {
	ID     string  `json:"id"`
	Type   string  `json:"type,omitzero"`
	Status string  `json:"status,omitzero"` // verbatim
	Amount Amount  `json:"amount,omitzero"`
	At     Instant `json:"at,omitzero"`
	Stamp  Stamp   `json:"stamp,omitzero"`
}

// Proof is a proof of delivery with its bytes.
type Proof struct {
	ProofInfo
	Content []byte `json:"-"`
}

// ProofInfo describes a proof of delivery. Its ID is the head of the SHA-256 of
// its bytes, as 32 hex digits, so the same picture twice is one proof.
type ProofInfo struct {
	ID string `json:"id"`
	// Type is the media type found from the bytes, never from what was claimed:
	// image/png, image/jpeg, image/gif, text/plain or application/octet-stream.
	Type string `json:"type"`
	Size int    `json:"size"` // bytes
}

// HistoryEntry is one status that an order had, from the history that a
// provider sends along. Entries are the same when all of it is the same.
type HistoryEntry struct {
	Status string  `json:"status"` // verbatim
	Reason string  `json:"reason,omitzero"`
	At     Instant `json:"at,omitzero"`
}

// The codes of anomalies: what an operator should know about an order although
// it was folded like any other.
const (
	AnomalyStatusOutsideContract = "status-outside-contract"
	AnomalyUnknownStatus         = "unknown-status"
	AnomalyContradictingOutcomes = "contradicting-outcomes"
	AnomalyWebhookIDReused       = "webhook-id-reused"
	AnomalyUnreadableValue       = "unreadable-value"
	AnomalyProofNotBase64        = "proof-not-base64"
	AnomalyProofNotPicture       = "proof-not-a-picture"
	AnomalyUnknownEvent          = "unknown-event"
)

// Anomaly is something odd that an event said. It never stops an order. Two
// anomalies of an order are the same when code and detail are.
type Anomaly struct {
	Code string `json:"code"`
	// Detail is what it is about: a status, a field's name, a webhook id.
	Detail string `json:"detail,omitzero"`
	// StreamSequence is where it was first seen; about arrival.
	StreamSequence uint64 `json:"stream_sequence"`
}
