package eventlog

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// WebhookIn reads a record of the server's files as a webhook, whose body is the
// record's. It returns [ErrUnfit] for a subject that is not one of this program's.
func WebhookIn(r *brokerfile.Record) (*domain.Webhook, error) {
	w := webhookIn(r)
	if w.Provider == "" {
		return nil, fmt.Errorf("%w: a subject", ErrUnfit)
	}
	return &w, nil
}

// webhookIn cannot fail: the names are empty where the subject is none of this program's.
func webhookIn(r *brokerfile.Record) domain.Webhook {
	storedAt := time.Unix(0, r.StoredAt).UTC()
	w := domain.Webhook{
		ID:             webhookID(headerValue(r.Header, headerWebhookID)),
		ContentType:    headerValue(r.Header, headerContentType),
		Trace:          headerValue(r.Header, headerTrace),
		Body:           r.Body,
		BodyDigest:     domain.DigestBody(r.Body),
		ReceivedAt:     instant(headerValue(r.Header, headerReceivedAt), storedAt),
		StoredAt:       domain.InstantOf(storedAt),
		StreamSequence: r.Sequence,
	}
	w.Provider, w.Source, w.Event, _ = ParseSubject(string(r.Subject))
	return w
}

// headerValue gives the first value of a name in a header as it is sent, a line for each
// value; it is empty where there is none.
func headerValue(header []byte, name string) string {
	for len(header) > 0 {
		var line []byte
		line, header, _ = bytes.Cut(header, []byte("\r\n"))
		if len(line) > len(name) && line[len(name)] == ':' && string(line[:len(name)]) == name {
			return string(bytes.TrimSpace(line[len(name)+1:]))
		}
	}
	return ""
}

// RecordOf gives the record of a webhook that was stored at a time: reading it gives
// the same webhook again, and the server tells the same duplicates by it. It returns
// [ErrUnfit] for what [Log.Append] would not take.
func RecordOf(w *domain.Webhook, storedAt domain.Instant) (*brokerfile.Record, error) {
	stored := *w
	if w.ReceivedAt == storedAt {
		stored.ReceivedAt = domain.Instant{} // the record's own time says it
	}
	n, err := webhookMessage(&stored)
	if err != nil {
		return nil, err
	}
	return &brokerfile.Record{
		Sequence: w.StreamSequence, StoredAt: storedAt.Time().UnixNano(),
		Subject: []byte(n.Subject), Header: encodeHeader(n.Header), Body: w.Body,
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
