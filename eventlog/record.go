package eventlog

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ticketrail/ticketrail/domain"
)

// Record is a message of the stream of webhooks as the server's files hold it: for
// readers and writers of these files.
type Record struct {
	StreamSequence uint64
	StoredAt       time.Time
	Subject        string
	Header         []byte // as it is sent; empty where there is none
	Body           []byte
}

// Webhook reads a record as a webhook. It returns [ErrUnfit] for a header that is
// none and for a subject that is not one of this program's.
func (r *Record) Webhook() (*domain.Webhook, error) {
	s, err := storedRecord(r)
	if err != nil {
		return nil, fmt.Errorf("%w: a header", ErrUnfit)
	}
	w := s.webhook()
	if w.Provider == "" {
		return nil, fmt.Errorf("%w: a subject", ErrUnfit)
	}
	return w, nil
}

// RecordOf gives the record of a webhook that was stored at a time: reading it gives
// the same webhook again, and the server tells the same duplicates by it. It returns
// [ErrUnfit] for what [Log.Append] would not take.
func RecordOf(w *domain.Webhook, storedAt domain.Instant) (*Record, error) {
	stored := *w
	if w.ReceivedAt == storedAt {
		stored.ReceivedAt = domain.Instant{} // the record's own time says it
	}
	subject, m, err := NewMessage(&stored)
	if err != nil {
		return nil, err
	}
	n, err := natsMessage(subject, m)
	if err != nil {
		return nil, err
	}
	return &Record{
		StreamSequence: w.StreamSequence, StoredAt: storedAt.Time(),
		Subject: subject, Header: encodeHeader(n.Header), Body: w.Body,
	}, nil
}

// encodeHeader writes a header as the client sends it.
func encodeHeader(header nats.Header) []byte {
	if len(header) == 0 {
		return nil
	}
	var text bytes.Buffer
	text.WriteString("NATS/1.0\r\n")
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			fmt.Fprintf(&text, "%s: %s\r\n", name, value)
		}
	}
	text.WriteString("\r\n")
	return text.Bytes()
}
