package domain

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWebhookID is the longest webhook id that is taken, in bytes. Providers send
// about 40; a longer one would be a cost in every index and header.
const maxWebhookID = 200

// Digest is a SHA-256 sum.
type Digest [sha256.Size]byte

// Webhook is one HTTP delivery as it was received. It is never changed, but that an
// erasure takes its body away.
type Webhook struct {
	// Provider and Source are names from the configuration of the day it came.
	Provider, Source string
	// Event is the token of the provider's published event, or "other": what
	// the stream's subject holds, not what the sender wrote.
	Event string
	// ID is the provider's id of the webhook, empty where it gives none that
	// IsWebhookID takes.
	ID string
	// ContentType is empty where it is application/json.
	ContentType string
	// Body is the raw body, byte for byte.
	Body []byte
	// BodyDigest is the SHA-256 of Body, set where the webhook is read from the
	// stream, since more than one reader needs it.
	BodyDigest Digest
	// Remains are set where an erasure took the body away, and nil for every other
	// webhook. Body is then empty, and BodyDigest that of the body that came: the
	// digest chain and the duplicates stay as they were.
	Remains *Remains
	// ReceivedAt is when it first came: the stream's own timestamp, or, for a
	// rejected webhook that was released later, when it was rejected.
	ReceivedAt Instant
	// StoredAt is when the stream took it, and so when readers could see it; zero before.
	StoredAt Instant
	// Trace is the W3C's traceparent of what stored it, where that is traced, else empty. It
	// is kept with the webhook in the stream alone, and no read model depends on it.
	Trace string
	// StreamSequence is its position in the stream, from 1; 0 before it has one.
	StreamSequence uint64
}

// IsWebhookID tells whether a text can serve as a webhook's id: it is not empty,
// at most 200 bytes long, valid UTF-8 and without control characters.
func IsWebhookID(id string) bool {
	return id != "" && len(id) <= maxWebhookID &&
		!strings.ContainsFunc(id, unicode.IsControl) &&
		!strings.ContainsRune(id, utf8.RuneError)
}

// Length gives the length in bytes of the body that came.
func (w *Webhook) Length() int {
	if w.Remains != nil {
		return w.Remains.Length
	}
	return len(w.Body)
}

// DigestBody gives the digest of a raw body.
func DigestBody(body []byte) Digest { return sha256.Sum256(body) }

// Chain gives the digest of the stream up to and including w, from the digest
// up to the webhook before it (the zero Digest before the first). Two streams
// with the same digest at the same stream sequence hold the same webhooks, in
// all that a read model is made from; the stream's own times of webhooks that bear
// another one are left out, since nothing that keeps a stream changes them.
func (w *Webhook) Chain(previous Digest) Digest {
	h := make([]byte, 0, 256)
	h = append(h, previous[:]...)
	h = binary.BigEndian.AppendUint64(h, w.StreamSequence)
	for _, part := range []string{w.Provider, w.Source, w.Event, w.ID, w.ContentType} {
		h = binary.BigEndian.AppendUint32(h, uint32(len(part)))
		h = append(h, part...)
	}
	var room [longestInstant]byte
	received, _ := w.ReceivedAt.AppendText(room[:0]) // which has no error to tell
	h = binary.BigEndian.AppendUint32(h, uint32(len(received)))
	h = append(h, received...)
	h = append(h, w.BodyDigest[:]...)
	return sha256.Sum256(h)
}
