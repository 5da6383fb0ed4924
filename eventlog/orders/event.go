package orders

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// Change is a change of an order, as others are told of it.
type Change struct {
	// StreamSequence is that of the webhook that made it.
	StreamSequence uint64
	Source, Key    string
	State          domain.State // after it
	ReceivedAt     domain.Instant
	// Data is the change in JSON, without what is personal.
	Data []byte
}

// The attributes that are the same in every event.
const (
	specVersion = "1.0"
	eventType   = "ticketrail.order.changed"
	contentType = "application/json"
)

// event gives the message of a change. It returns [eventlog.ErrUnfit] for a source that is
// no token.
func (c *Change) event() (*nats.Msg, error) {
	subject, err := eventlog.OrderSubject(c.Source, c.State.String())
	if err != nil {
		return nil, fmt.Errorf("publish change %d: %w", c.StreamSequence, err)
	}
	id := strconv.FormatUint(c.StreamSequence, 10)
	return &nats.Msg{Subject: subject, Data: c.Data, Header: nats.Header{
		"ce-specversion":      {specVersion},
		"ce-id":               {id},
		"ce-type":             {eventType},
		"ce-source":           {"/v1/orders/" + c.Source},
		"ce-subject":          {escape(c.Key)},
		"ce-time":             {c.ReceivedAt.String()},
		"Content-Type":        {contentType},
		jetstream.MsgIDHeader: {id},
	}}, nil
}

// escape gives a text as the value of a header: percent-encoded are what is not printable
// ASCII, the space, the quote and the percent sign (CloudEvents, HTTP protocol binding,
// "HTTP Header Values", which that of NATS goes by).
func escape(text string) string {
	var escaped strings.Builder
	for _, b := range []byte(text) {
		if b <= ' ' || b >= 0x7f || b == '"' || b == '%' {
			fmt.Fprintf(&escaped, "%%%02X", b)
		} else {
			escaped.WriteByte(b)
		}
	}
	return escaped.String()
}
