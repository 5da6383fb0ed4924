package orders

import (
	"encoding/json"
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

// event gives the message of a change, of so many bytes at the most. It returns
// [eventlog.ErrUnfit] for a source that is no token.
func (c *Change) event(most int) (*nats.Msg, error) {
	subject, err := eventlog.OrderSubject(c.Source, c.State.String())
	if err != nil {
		return nil, fmt.Errorf("publish change %d: %w", c.StreamSequence, err)
	}
	id := strconv.FormatUint(c.StreamSequence, 10)
	m := &nats.Msg{Subject: subject, Data: c.Data, Header: nats.Header{
		"ce-specversion":      {specVersion},
		"ce-id":               {id},
		"ce-type":             {eventType},
		"ce-source":           {"/v1/orders/" + c.Source},
		"ce-subject":          {escape(c.Key)},
		"ce-time":             {c.ReceivedAt.String()},
		"Content-Type":        {contentType},
		jetstream.MsgIDHeader: {id},
	}}
	if m.Size()+expectationRoom > most {
		m.Data, err = withoutOrder(c.Data)
	}
	if err != nil {
		return nil, fmt.Errorf("publish change %d: %w", c.StreamSequence, err)
	}
	return m, nil
}

// expectationRoom is more than the headers take by which a message is the next one, in bytes.
const expectationRoom = 256

// withoutOrder gives a change whose order is null, since an order may grow to more than the
// broker takes; one that is never taken would hold up all behind it. The API has the order.
func withoutOrder(data []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	members["order"] = json.RawMessage("null")
	return json.Marshal(members)
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
