package eventlog

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
)

// The headers of a stored webhook. Each costs every reader, so a message has
// only those that say what its body, its subject and the stream do not.
const (
	headerWebhookID   = "Ticketrail-Webhook-Id"
	headerContentType = "Content-Type"
	headerReceivedAt  = "Ticketrail-Received-At"
	headerTrace       = "traceparent"             // as the W3C writes it: to NATS, another case is another name
	headerUUID        = "Ticketrail-Message-Uuid" // of Watermill messages that have one
)

// natsPrefix is that of the headers with which NATS is told what to do. Of these
// only the message id is ever sent.
const natsPrefix = "Nats-"

// maxHeaderValue bounds a header's value in bytes.
const maxHeaderValue = 1 << 10

// NewMessage gives the Watermill message of a webhook and the topic to publish
// it to. Its errors are those of [Log.Append] about the webhook itself.
func NewMessage(w *domain.Webhook) (topic string, m *message.Message, err error) {
	n, err := webhookMessage(w)
	if err != nil {
		return "", nil, err
	}
	m = message.NewMessage("", n.Data)
	for name, values := range n.Header {
		m.Metadata.Set(name, values[0])
	}
	return n.Subject, m, nil
}

// webhookMessage gives what is sent to store a webhook. It returns [ErrUnfit] where its
// names are no tokens, for an id that domain.IsWebhookID does not take, and for a content
// type or a trace that a header cannot hold exactly.
func webhookMessage(w *domain.Webhook) (*nats.Msg, error) {
	subject, err := Subject(w.Provider, w.Source, w.Event)
	if err != nil {
		return nil, err
	}
	n := &nats.Msg{Subject: subject, Data: w.Body}
	if w.ID != "" {
		if !domain.IsWebhookID(w.ID) {
			return nil, fmt.Errorf("%w: a webhook's id", ErrUnfit)
		}
		// Escaped, an id comes back as it was whatever bytes it is made of.
		setHeader(n, headerWebhookID, url.PathEscape(w.ID))
		setHeader(n, jetstream.MsgIDHeader, messageID(w))
	}
	if w.ContentType != "" {
		if !isHeader(headerContentType, w.ContentType) {
			return nil, fmt.Errorf("%w: a webhook's content type", ErrUnfit)
		}
		setHeader(n, headerContentType, w.ContentType)
	}
	if w.Trace != "" {
		if !isHeader(headerTrace, w.Trace) {
			return nil, fmt.Errorf("%w: a webhook's trace", ErrUnfit)
		}
		setHeader(n, headerTrace, w.Trace)
	}
	if !w.ReceivedAt.IsZero() {
		setHeader(n, headerReceivedAt, w.ReceivedAt.String())
	}
	return n, nil
}

// setHeader sets a header. Most webhooks have none, and a map for each costs.
func setHeader(n *nats.Msg, name, value string) {
	if n.Header == nil {
		n.Header = nats.Header{}
	}
	n.Header[name] = []string{value}
}

// messageID is what the server tells duplicates by: only the same body under the
// same id of the same source is one. The id alone would drop a webhook whose
// sender uses an id twice.
func messageID(w *domain.Webhook) string {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(w.Source), []byte(w.ID), w.Body} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// natsMessage gives what is sent for a Watermill message: its metadata become
// headers. It returns [ErrUnfit] for metadata that a header cannot hold exactly,
// and for any that NATS would take as an order.
func natsMessage(subject string, m *message.Message) (*nats.Msg, error) {
	n := &nats.Msg{Subject: subject, Data: m.Payload}
	if len(m.Metadata) > 0 || m.UUID != "" {
		n.Header = make(nats.Header, len(m.Metadata)+1)
	}
	if m.UUID != "" {
		n.Header[headerUUID] = []string{m.UUID}
	}
	for name, value := range m.Metadata {
		if !isReceiptMetadata(name) {
			n.Header[name] = []string{value}
		}
	}
	for name, values := range n.Header {
		if !isHeader(name, values[0]) || strings.HasPrefix(name, natsPrefix) && name != jetstream.MsgIDHeader {
			return nil, fmt.Errorf("%w: a header", ErrUnfit)
		}
	}
	return n, nil
}

func isHeader(name, value string) bool {
	return name != "" && len(value) <= maxHeaderValue &&
		strings.IndexFunc(name, isNoNameByte) < 0 &&
		!strings.ContainsAny(value, "\r\n\x00") && strings.TrimSpace(value) == value
}

func isNoNameByte(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }

// stored is a message as the stream holds it.
type stored struct {
	Delivery
	delivered uint64 // the consumer's count of its deliveries, from 1; 0 where it was asked for
	header    nats.Header
	body      []byte
	left      *domain.Webhook // what is left of an erased webhook, which has no message; else nil
}

// storedDelivered reads what a consumer was given.
func storedDelivered(m *nats.Msg) (*stored, error) {
	about, err := m.Metadata()
	if err != nil {
		return nil, fmt.Errorf("read a delivery: %w", err)
	}
	return &stored{
		Delivery: Delivery{
			Subject:        m.Subject,
			StreamSequence: about.Sequence.Stream,
			Pending:        about.NumPending,
			StoredAt:       about.Timestamp,
		},
		delivered: about.Sequence.Consumer,
		header:    m.Header,
		body:      m.Data,
	}, nil
}

func storedRaw(m *jetstream.RawStreamMsg) *stored {
	return &stored{
		Delivery: Delivery{Subject: m.Subject, StreamSequence: m.Sequence, StoredAt: m.Time},
		header:   m.Header,
		body:     m.Data,
	}
}

// storedErased stands for the message that an erased webhook had. Pending is as in
// Delivery.
func storedErased(w *domain.Webhook, pending uint64) *stored {
	subject, _ := Subject(w.Provider, w.Source, w.Event) // empty for names that are no tokens
	return &stored{
		Delivery: Delivery{Subject: subject, StreamSequence: w.StreamSequence, Pending: pending, StoredAt: w.StoredAt.Time()},
		left:     w,
	}
}

// webhook reads a message as a webhook. It cannot fail: of a message that this
// program did not write it takes what can be read, and leaves the names empty
// where the subject is not one of its own.
func (s *stored) webhook() *domain.Webhook {
	if s.left != nil {
		return s.left
	}
	w := &domain.Webhook{
		Body:           s.body,
		BodyDigest:     domain.DigestBody(s.body),
		StreamSequence: s.StreamSequence,
	}
	w.Provider, w.Source, w.Event, _ = ParseSubject(s.Subject)
	var receivedAt string
	if len(s.header) > 0 {
		w.ID = webhookID(s.header.Get(headerWebhookID))
		w.ContentType = s.header.Get(headerContentType)
		w.Trace = s.header.Get(headerTrace)
		receivedAt = s.header.Get(headerReceivedAt)
	}
	w.ReceivedAt, w.StoredAt = instant(receivedAt, s.StoredAt), domain.InstantOf(s.StoredAt)
	return w
}

// webhookID reads an id; what cannot serve as one is none, as where a provider
// sent it.
func webhookID(text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil || !domain.IsWebhookID(plain) {
		return ""
	}
	return plain
}

// instant reads a time, or gives the fallback where there is none to read.
func instant(text string, fallback time.Time) domain.Instant {
	if text != "" {
		if at, err := domain.ParseInstant(text); err == nil {
			return at
		}
	}
	return domain.InstantOf(fallback)
}
