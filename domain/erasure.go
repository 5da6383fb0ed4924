package domain

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
)

// EventErased is the event token of an erasure, a webhook that ticketrail itself adds
// to the stream. No provider has an event of that name.
const EventErased = "erased"

// Remains are what an erasure leaves of a webhook's body.
type Remains struct {
	// Length is that of the body that came, in bytes.
	Length int `json:"length"`
	// Event is what the body said, without what is personal. It is what the webhook
	// means from then on: the rules of a later program have no body to read.
	Event *Event `json:"event"`
}

// said gives what the webhook said, for the caller to keep and to add to.
func (r *Remains) said() *Event {
	event := *r.Event
	event.Anomalies = slices.Clone(event.Anomalies)
	return &event
}

// Erased gives what is left of a webhook that means an event: all but its body, which
// is replaced by the event with tokens for what is personal.
func (w *Webhook) Erased(means *Event, token func(text string) string) *Webhook {
	left := *w
	left.Body, left.Remains = nil, &Remains{Length: w.Length(), Event: means.Redact(token)}
	return &left
}

// Own gives what a webhook says in ticketrail's own words, which no provider need
// translate: what an erasure left of it, or that it is an erasure. It gives nil for
// any other webhook, and an [*Untranslatable] for what is no usable erasure.
func (w *Webhook) Own() (*Event, error) {
	switch {
	case w.Remains != nil:
		return w.Remains.said(), nil
	case w.Event != EventErased:
		return nil, nil
	}
	erasure, err := ParseErasure(w)
	if err != nil {
		return nil, &Untranslatable{Cause: CauseErasure}
	}
	return &Event{Kind: Tombstone, Key: erasure.Key, Name: EventErased}, nil
}

// Erasure is the tombstone of one order: it says that what is personal of the order was
// erased, and holds what is left of the order's webhooks. An order of very many
// webhooks has several.
type Erasure struct {
	Key string
	// By names who erased it, Reason says why; empty where that was not given.
	By, Reason string
	// Webhooks are in the order of the stream, each with its Remains.
	Webhooks []*Webhook
}

// errNoErasure says that a body is no erasure's.
var errNoErasure = errors.New("not an erasure")

// erasureText and erasedText are the body of an erasure. Provider and source are those
// of the webhook that it is the body of.
type erasureText struct {
	Key      string       `json:"key"`
	By       string       `json:"by,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Webhooks []erasedText `json:"webhooks"`
}

type erasedText struct {
	StreamSequence uint64  `json:"stream_sequence"`
	Event          string  `json:"event"`
	ID             string  `json:"id,omitempty"`
	ContentType    string  `json:"content_type,omitempty"`
	ReceivedAt     Instant `json:"received_at"`
	StoredAt       Instant `json:"stored_at"`
	SHA256         Digest  `json:"sha256"`
	Remains        Remains `json:"remains"`
}

// Body gives the body of the webhook that is the erasure.
func (e *Erasure) Body() ([]byte, error) {
	text := erasureText{Key: e.Key, By: e.By, Reason: e.Reason, Webhooks: []erasedText{}}
	for _, w := range e.Webhooks {
		text.Webhooks = append(text.Webhooks, erasedText{
			StreamSequence: w.StreamSequence, Event: w.Event, ID: w.ID, ContentType: w.ContentType,
			ReceivedAt: w.ReceivedAt, StoredAt: w.StoredAt, SHA256: w.BodyDigest, Remains: *w.Remains,
		})
	}
	return json.Marshal(text, json.Deterministic(true))
}

// ParseErasure reads the erasure that a webhook is, one whose Event is EventErased.
func ParseErasure(w *Webhook) (*Erasure, error) {
	var text erasureText
	if err := json.Unmarshal(w.Body, &text); err != nil || w.Event != EventErased || text.Key == "" {
		return nil, fmt.Errorf("webhook %d: %w", w.StreamSequence, errNoErasure)
	}
	e := &Erasure{Key: text.Key, By: text.By, Reason: text.Reason}
	for _, left := range text.Webhooks {
		if left.Remains.Event == nil || left.StreamSequence == 0 || left.StreamSequence >= w.StreamSequence {
			return nil, fmt.Errorf("webhook %d: %w", w.StreamSequence, errNoErasure)
		}
		e.Webhooks = append(e.Webhooks, &Webhook{
			Provider: w.Provider, Source: w.Source, Event: left.Event, ID: left.ID, ContentType: left.ContentType,
			ReceivedAt: left.ReceivedAt, StoredAt: left.StoredAt, StreamSequence: left.StreamSequence,
			BodyDigest: left.SHA256, Remains: &left.Remains,
		})
	}
	return e, nil
}

// MarshalText gives 64 hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(d) {
		return errors.New("a digest has 64 hexadecimal digits")
	}
	copy(d[:], raw)
	return nil
}

// Erased is what an erasure took away, or would take.
type Erased struct {
	// Order is the order as it was found last.
	Order *Order
	// Webhooks are the stream sequences of its webhooks, Proofs how many of them brought
	// a proof of delivery, and Rejected how many rejected requests spoke of it.
	Webhooks         []uint64
	Proofs, Rejected int
	Copies           Copies
}

// Add adds what another round of the same erasure found.
func (e *Erased) Add(more Erased) {
	e.Order = more.Order
	e.Webhooks = append(e.Webhooks, more.Webhooks...)
	e.Proofs += more.Proofs
	e.Rejected += more.Rejected
}

// Copies are what was made of a read model and holds something of an order.
type Copies struct {
	// Previous tells that the read model of before does, Snapshots how many snapshots,
	// and Records how many records of rebuilds name the order.
	Previous           bool
	Snapshots, Records int
}
