package archive

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/fnv"

	"github.com/go-json-experiment/json"

	"github.com/ticketrail/ticketrail/domain"
)

// Entry is a webhook as an archive holds it.
type Entry struct {
	*domain.Webhook
	// StoredAt is the stream's own timestamp.
	StoredAt domain.Instant
}

// Mark says what a stream holds up to and including a stream sequence. The zero
// Mark is that of the beginning.
type Mark struct {
	StreamSequence uint64
	// Outline is the sum of the outlines of the webhooks: what a look at a stream's
	// files can compare without reading bodies.
	Outline Outline
	// Chain is the digest chain of domain.Webhook.
	Chain domain.Digest
}

// After gives the mark of the stream with one webhook more.
func (m Mark) After(e Entry) Mark {
	return Mark{
		StreamSequence: e.StreamSequence,
		Outline:        m.Outline + OutlineOf(e.StreamSequence, e.StoredAt.Time().UnixNano(), e.Length()),
		Chain:          e.Chain(m.Chain),
	}
}

// Outline is a sum over webhooks, in any order and modulo 2^64, so that two of
// them give by subtraction that of the webhooks between.
type Outline uint64

// OutlineOf gives the outline of one webhook: its stream sequence, the time it was
// stored at in nanoseconds since the Unix epoch, and its body's length in bytes.
func OutlineOf(streamSequence uint64, storedAt int64, length int) Outline {
	var text [24]byte
	binary.BigEndian.PutUint64(text[:], streamSequence)
	binary.BigEndian.PutUint64(text[8:], uint64(storedAt))
	binary.BigEndian.PutUint64(text[16:], uint64(length))
	h := fnv.New64a()
	h.Write(text[:])
	return Outline(h.Sum64())
}

// MarshalText gives sixteen hexadecimal digits: as a number it would lose some in
// what reads JSON with floats.
func (o Outline) MarshalText() ([]byte, error) { return o.AppendText(nil) }

// AppendText appends what MarshalText gives.
func (o Outline) AppendText(text []byte) ([]byte, error) {
	return hex.AppendEncode(text, binary.BigEndian.AppendUint64(make([]byte, 0, 8), uint64(o))), nil
}

// UnmarshalText reads what MarshalText wrote.
func (o *Outline) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != 8 {
		return errors.New("an outline has 16 hexadecimal digits")
	}
	*o = Outline(binary.BigEndian.Uint64(raw))
	return nil
}

// line is a line of a segment that is no webhook's; it holds one of the three.
type line struct {
	Segment *head `json:"segment,omitempty"`
	Mark    *mark `json:"mark,omitempty"`
	Seal    *seal `json:"seal,omitempty"`
}

// head is the first line of a segment.
type head struct {
	Version   int            `json:"version"`
	Stream    string         `json:"stream"`
	CreatedAt domain.Instant `json:"stream_created_at"`
	Before    mark           `json:"before"` // what the segments before it end with
}

// webhook is a webhook's line.
type webhook struct {
	StreamSequence uint64         `json:"stream_sequence"`
	Provider       string         `json:"provider"`
	Source         string         `json:"source"`
	Event          string         `json:"event"`
	ID             string         `json:"id,omitempty"`
	ContentType    string         `json:"content_type,omitempty"`
	ReceivedAt     domain.Instant `json:"received_at"`
	StoredAt       domain.Instant `json:"stored_at"`
	Body           string         `json:"body,omitempty"`
	Base64         []byte         `json:"body_base64,omitempty"` // where it is no UTF-8
	// Remains and SHA256, the digest of the body that came, stand for the body of a
	// webhook that was erased.
	Remains *domain.Remains `json:"remains,omitempty"`
	SHA256  *domain.Digest  `json:"sha256,omitempty"`
}

// mark is the last line of a group.
type mark struct {
	Last    uint64  `json:"stream_sequence"`
	Outline Outline `json:"outline"`
	Chain   string  `json:"chain"` // hexadecimal
}

// sealStart begins the only line of the frame that seals a segment.
var sealStart = []byte(`{"seal":`)

// seal is the last line of a segment that is full.
type seal struct {
	mark
	SHA256 string `json:"sha256"` // of the file before the seal, hexadecimal
}

func (w *webhook) entry() Entry {
	e := Entry{StoredAt: w.StoredAt, Webhook: &domain.Webhook{
		StreamSequence: w.StreamSequence, Provider: w.Provider, Source: w.Source, Event: w.Event,
		ID: w.ID, ContentType: w.ContentType, ReceivedAt: w.ReceivedAt,
	}}
	if w.Remains != nil {
		e.Remains, e.BodyDigest = w.Remains, *w.SHA256
		return e
	}
	if e.Body = w.Base64; e.Body == nil {
		e.Body = []byte(w.Body)
	}
	e.BodyDigest = domain.DigestBody(e.Body)
	return e
}

func markOf(m Mark) mark {
	return mark{Last: m.StreamSequence, Outline: m.Outline, Chain: hex.EncodeToString(m.Chain[:])}
}

// read gives what the line says.
func (m mark) read() (Mark, error) {
	raw, err := hex.DecodeString(m.Chain)
	read := Mark{StreamSequence: m.Last, Outline: m.Outline}
	if err != nil || len(raw) != len(read.Chain) {
		return Mark{}, errors.New("a mark without a digest")
	}
	copy(read.Chain[:], raw)
	return read, nil
}

var errLine = errors.New("a line that is none of an archive's")

func parseLine(text []byte) (l line, err error) {
	if json.Unmarshal(text, &l) != nil || l == (line{}) {
		return l, errLine
	}
	return l, nil
}

func parseWebhook(text []byte) (*webhook, error) {
	w := &webhook{}
	if json.Unmarshal(text, w) != nil || w.StreamSequence == 0 {
		return nil, errLine
	}
	if w.Remains != nil && (w.SHA256 == nil || w.Remains.Event == nil || w.Body != "" || w.Base64 != nil) {
		return nil, errLine
	}
	return w, nil
}
