package api

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// Change is what one webhook changed of an order: the data of an event change.
type Change struct {
	StreamSequence uint64          `json:"stream_sequence" example:"812" doc:"The webhook that changed it: the id of the event."`
	Source         string          `json:"source" example:"ordatic" doc:"The source of the order."`
	Key            string          `json:"key" example:"store-7:o-1" doc:"The key of the order."`
	Event          *string         `json:"event" example:"rider-delivering" doc:"The provider's own name of the event."`
	Effect         domain.Effect   `json:"effect" enum:"advanced,updated,late,contradiction,erased" example:"advanced" doc:"What it did to the order. A late one filled in what was missing."`
	State          domain.State    `json:"state" enum:"placed,accepted,in-kitchen,ready,rider-delivering,failed,completed,closed,canceled" example:"rider-delivering" doc:"The headline after it."`
	OccurredAt     *domain.Instant `json:"occurred_at" format:"date-time" doc:"When it happened, as the provider says."`
	ReceivedAt     domain.Instant  `json:"received_at" format:"date-time" doc:"When its webhook came."`
	Order          Order           `json:"order" doc:"The order as the read model has it when the change is sent: never older than the change."`
}

// Reset tells who follows the changes that some are left out: the data of an event reset.
type Reset struct {
	StreamSequence uint64 `json:"stream_sequence" example:"900" doc:"The changes after it follow. What was read of orders before is to be read anew."`
	Reason         string `json:"reason" enum:"too-far-behind,orders-revised,stream-sequence-unknown" example:"too-far-behind" doc:"More changes than are sent after one another; another read model came into use, or an order was rebuilt; or the read model has not come as far as was asked."`
}

// frame is a change with its event of the feed, which is encoded once for everybody of a
// scope, when the first asks for it.
type frame struct {
	change      domain.OrderChange
	size        int // in bytes, about
	whole, bare func() (frameText, error)
}

// copies is how often a frame may hold its order: as it is, and encoded for each scope.
const copies = 4

// frameText is a change as JSON, and as an event of the feed.
type frameText struct{ data, event []byte }

func newFrame(t *terms, now func() time.Time, c domain.OrderChange) *frame {
	encode := func(redacted bool) func() (frameText, error) {
		return sync.OnceValues(func() (frameText, error) { return encodeChange(&c, t.order(c.Order, redacted, now())) })
	}
	return &frame{change: c, size: copies * c.Size, whole: encode(false), bare: encode(true)}
}

// text gives the frame for who may see what is personal, or may not.
func (f *frame) text(personal bool) (frameText, error) {
	if personal {
		return f.whole()
	}
	return f.bare()
}

func (f *frame) compare(streamSequence uint64) int {
	return cmp.Compare(f.change.StreamSequence, streamSequence)
}

func encodeChange(c *domain.OrderChange, order Order) (frameText, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "id: %d\nevent: change\ndata: ", c.StreamSequence)
	head := out.Len()
	err := huma.DefaultJSONFormat.Marshal(&out, Change{
		StreamSequence: c.StreamSequence,
		Source:         c.Order.Source,
		Key:            c.Order.Key,
		Event:          orNull(c.Event),
		Effect:         c.Effect,
		State:          c.State,
		OccurredAt:     orNull(c.OccurredAt),
		ReceivedAt:     c.ReceivedAt,
		Order:          order,
	})
	event := append(bytes.TrimRight(out.Bytes(), "\n"), "\n\n"...)
	return frameText{data: event[head : len(event)-2], event: event}, err
}

// changeFilter selects changes; its zero value all of them.
type changeFilter struct {
	states             []domain.State
	source, store, key string
}

func (f *changeFilter) takes(c *domain.OrderChange) bool {
	return (len(f.states) == 0 || slices.Contains(f.states, c.State)) &&
		cmp.Or(f.source, c.Order.Source) == c.Order.Source &&
		cmp.Or(f.store, c.Order.StoreID.Value) == c.Order.StoreID.Value &&
		cmp.Or(f.key, c.Order.Key) == c.Order.Key
}
