package domain

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// QuarantineKind is what an entry of the quarantine is.
type QuarantineKind string

// The kinds. A rejected request is not in the stream of webhooks, an
// untranslatable webhook is.
const (
	RejectedRequest       QuarantineKind = "rejected"
	UntranslatableWebhook QuarantineKind = "untranslatable"
)

// ErrQuarantineID says that a text is no QuarantineID.
var ErrQuarantineID = errors.New("not the id of a quarantine entry, such as r-12 or w-812")

// QuarantineID names an entry of the quarantine: as text it is "r-" and the
// sequence in the stream of rejected requests, or "w-" and the stream sequence of
// the webhook.
type QuarantineID struct {
	Kind     QuarantineKind
	Sequence uint64
}

// ParseQuarantineID reads what String wrote, and returns [ErrQuarantineID] for
// any other text.
func ParseQuarantineID(text string) (QuarantineID, error) {
	prefix, digits, _ := strings.Cut(text, "-")
	sequence, err := strconv.ParseUint(digits, 10, 63) // as far as a database counts
	kinds := map[string]QuarantineKind{"r": RejectedRequest, "w": UntranslatableWebhook}
	id := QuarantineID{Kind: kinds[prefix], Sequence: sequence}
	if err != nil || sequence == 0 || id.String() != text {
		return QuarantineID{}, ErrQuarantineID
	}
	return id, nil
}

// String gives the id as text.
func (id QuarantineID) String() string {
	prefix := "w"
	if id.Kind == RejectedRequest {
		prefix = "r"
	}
	return fmt.Sprintf("%s-%d", prefix, id.Sequence)
}

// MarshalText gives what String gives.
func (id QuarantineID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *QuarantineID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseQuarantineID(string(text))
	return err
}

// QuarantineEntry is a request or a webhook that was set aside, and why.
type QuarantineEntry struct {
	ID               QuarantineID
	Source, Provider string
	// Event is the token of a webhook's event; empty for a rejected request, of
	// which nothing is believed.
	Event string
	// Cause is the reason for which a request was rejected, or the Cause of an
	// Untranslatable; Where is that of the latter.
	Cause, Where string
	ReceivedAt   Instant
	// Header holds the headers of a rejected request that were kept. No secret is.
	Header map[string][]string
	// Size is that of the body in bytes, and Body the raw bytes, nil in a list.
	Size int
	Body []byte
	// Gone is set where the stream forgot the webhook: size and body are lost. Erased is
	// where an erasure took the body away.
	Gone, Erased bool
	// Decision is the last one about it; nil where nobody has decided.
	Decision *Decision
}

// Mark gives the mark of the entry.
func (e *QuarantineEntry) Mark() QuarantineMark {
	return QuarantineMark{ID: e.ID, ReceivedAt: e.ReceivedAt}
}

// QuarantineMark tells an entry from every other for good: sequences begin anew
// with a stream that is made anew, and a decision must not meet a stranger.
type QuarantineMark struct {
	ID         QuarantineID `json:"id"`
	ReceivedAt Instant      `json:"received_at"`
}

// Verdict is what was decided about an entry.
type Verdict string

// The verdicts. A discarded entry may still be released, a released one is final.
const (
	Released  Verdict = "released"
	Discarded Verdict = "discarded"
)

// Decision is what an operator decided about entries of the quarantine. It is no
// function of the stream, and so it is kept by itself.
type Decision struct {
	Verdict Verdict          `json:"verdict"`
	Entries []QuarantineMark `json:"entries"`
	Ruling
	// At is when it was decided, by this machine's clock.
	At Instant `json:"at"`
	// StreamSequence is where a released request is among the webhooks.
	StreamSequence uint64 `json:"stream_sequence,omitzero"`
}

// ErrReason says that a ruling needs a reason and has none that can be kept.
var ErrReason = errors.New("a reason of 1 to 500 characters, none of them a control character, is needed")

// maxReason is the longest reason, in characters: a few sentences.
const maxReason = 500

// Ruling is who decides, and why.
type Ruling struct {
	// By is the fingerprint of a token, or "local": never a name.
	By string `json:"by"`
	// Reason is in the operator's words.
	Reason string `json:"reason,omitzero"`
	// Trust releases a request on the operator's word, without verifying it: what
	// it could be verified by may be a secret, and those are never kept.
	Trust bool `json:"trusted,omitzero"`
}

// Justified returns [ErrReason] unless the ruling gives a reason.
func (r Ruling) Justified() error {
	n := utf8.RuneCountInString(r.Reason)
	if strings.TrimSpace(r.Reason) == "" || n > maxReason || !utf8.ValidString(r.Reason) || strings.ContainsFunc(r.Reason, unicode.IsControl) {
		return ErrReason
	}
	return nil
}

// QuarantineFilter selects entries. Empty values select everything.
type QuarantineFilter struct {
	Kind          QuarantineKind
	Source, Cause string
}

// Takes tells whether the filter leaves room for entries of a kind.
func (f QuarantineFilter) Takes(kind QuarantineKind) bool { return f.Kind == "" || f.Kind == kind }

// QuarantineQuery selects a page of entries that nobody released.
type QuarantineQuery struct {
	QuarantineFilter
	// Discarded has those shown, too, that were discarded.
	Discarded bool
	After     QuarantinePosition
	// Until leaves out what came after it; nil leaves out nothing.
	Until *QuarantinePosition
	Limit int // from 1
}

// Ends tells whether an entry, and all of its kind that follow, came too late.
func (q QuarantineQuery) Ends(id QuarantineID) bool {
	switch {
	case q.Until == nil:
		return false
	case id.Kind == RejectedRequest:
		return id.Sequence > q.Until.Rejected
	}
	return id.Sequence > q.Until.Webhook
}

// QuarantinePosition is where a page ended: in the stream of rejected requests,
// and among the webhooks. The zero value is before the first entry.
type QuarantinePosition struct{ Rejected, Webhook uint64 }

// Pass gives the position after an entry that comes after p.
func (p QuarantinePosition) Pass(id QuarantineID) QuarantinePosition {
	if id.Kind == RejectedRequest {
		p.Rejected = id.Sequence
	} else {
		p.Webhook = id.Sequence
	}
	return p
}

// QuarantinePage is a part of the list, by time of receipt within each kind.
type QuarantinePage struct {
	Entries []*QuarantineEntry
	// More tells whether another page follows.
	More bool
	// RejectedSince is when the oldest rejected request that is still kept came:
	// those before it are gone. Zero where none was ever forgotten.
	RejectedSince Instant
}

// QuarantineGroup counts the entries of one kind, source and cause.
type QuarantineGroup struct {
	QuarantineFilter
	Count uint64
	// First and Last are the times of receipt of the oldest and the newest.
	First, Last Instant
}

// RetryResult is what came of trying an entry again.
type RetryResult string

// The results. A request that is released leaves the quarantine at once. A webhook
// that can be translated by now leaves it with a rebuild, since a read model is
// made of the stream by one version of the program.
const (
	RetryReleased            RetryResult = "released"
	RetryAlreadyReleased     RetryResult = "already-released"
	RetryStillRejected       RetryResult = "still-rejected"
	RetryUnknownSource       RetryResult = "unknown-source"     // configured no more, or with another provider
	RetryWouldApply          RetryResult = "would-apply"        // to an order
	RetryNotAboutOrder       RetryResult = "not-about-an-order" // and would be counted as such
	RetryStillUntranslatable RetryResult = "still-untranslatable"
	RetryGone                RetryResult = "gone" // from the stream
)

// Retry says how an entry is tried again.
type Retry struct {
	Ruling
	// Plan tells what would come of it, and changes nothing.
	Plan bool
}

// Retried tells what came of trying one entry again.
type Retried struct {
	ID     QuarantineID
	Result RetryResult
	// Cause and Where say why it stays, by today's secrets and today's program.
	Cause, Where string
	// StreamSequence is where a released request is among the webhooks; 0 where it
	// was only planned. Duplicate says that it was there already.
	StreamSequence uint64
	Duplicate      bool
	// Event and OrderKey say what a webhook would become.
	Event, OrderKey string
}
