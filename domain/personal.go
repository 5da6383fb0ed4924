package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// replacePersonal puts what replace gives in the place of each text of an event or of
// an order that is personal: what people wrote. Personal too are the bytes of a proof,
// and the note of what was back-filled, which is the reason of an entry of a history.
// There is no other list of them but the names below.
func replacePersonal(reference, description *string, refunds []Refund, history []HistoryEntry, replace func(text string) string) {
	*reference, *description = replace(*reference), replace(*description)
	for i := range refunds {
		refunds[i].Reason = replace(refunds[i].Reason)
	}
	for i := range history {
		history[i].Reason = replace(history[i].Reason)
	}
}

// personalNames are what replacePersonal replaces, as an order in JSON names it.
var personalNames = []string{"reference", "description", "reason"}

// Redact gives the event with a token in the place of each personal text, and without
// the bytes of its proof. Where the same text has the same token and no two have one,
// the redacted event does to an order what the event does, apart from the texts.
func (e *Event) Redact(token func(text string) string) *Event {
	redacted := *e
	redacted.Refunds, redacted.History = slices.Clone(e.Refunds), slices.Clone(e.History)
	replacePersonal(&redacted.Reference, &redacted.Description, redacted.Refunds, redacted.History, func(text string) string {
		if text == "" {
			return "" // which says nothing, and must go on saying it
		}
		return token(text)
	})
	if e.Proof != nil {
		redacted.Proof = &Proof{ProofInfo: e.Proof.ProofInfo}
	}
	return &redacted
}

// NoText stands for a personal text that is not to be told at all.
func NoText(string) string { return "" }

// Tokens makes tokens for [Event.Redact]. Without the key, of which only one erasure
// may know, a token tells nothing of its text, not even to who guesses that.
func Tokens(key []byte) func(text string) string {
	return func(text string) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return "erased-" + hex.EncodeToString(mac.Sum(nil)[:16])
	}
}

// Redacted gives a copy of the order without what is personal, for who may not see that.
func (o *Order) Redacted() *Order {
	redacted := *o
	redacted.Refunds, redacted.History = slices.Clone(o.Refunds), slices.Clone(o.History)
	redacted.forget()
	return &redacted
}

// forget empties the personal texts. Entries of the history that nothing tells apart
// any more become one.
func (o *Order) forget() {
	replacePersonal(&o.Reference.Value, &o.Description.Value, o.Refunds, o.History, NoText)
	o.History = slices.Compact(o.History)
}

// ErasedAfter gives a copy of the order as it was before what is personal of it was
// erased: without that, and with the time of the erasure.
func (o *Order) ErasedAfter(erasedAt Instant) *Order {
	redacted := o.Redacted()
	redacted.ErasedAt = erasedAt
	return redacted
}

// Redacted gives the change without the reasons of what it back-filled.
func (c *Change) Redacted() Change {
	redacted := *c
	redacted.Backfilled = slices.Clone(c.Backfilled)
	for i := range redacted.Backfilled {
		redacted.Backfilled[i].Reason = ""
	}
	return redacted
}

// Redacted gives the entry without what is personal.
func (e TimelineEntry) Redacted() TimelineEntry {
	if e.Effect == EffectBackfilled {
		e.Note = ""
	}
	return e
}

// Personal tells whether what differs may be personal. All of a document is that could
// not be read.
func (f *FieldDifference) Personal() bool {
	names := strings.Split(f.Pointer, "/")
	isNote := len(names) > 1 && names[1] == "timeline" && names[len(names)-1] == "note"
	return f.Pointer == "" || isNote || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(personalNames, name) })
}
