package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// A webhook that was released from quarantine came long before readers could see it: the
// order tells both, whoever asks for what became known since has it, and nobody who looks
// back sees it before the stream took it.
func TestReleasedWebhook(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.apply("ivy", "ivy", accepted("i-1"))
	l.apply("ordatic", "ordatic", accepted("o-1"))
	l.apply("ivy", "ivy", accepted("i-2"))
	ready := accepted("o-1")
	ready.Stamp, ready.Standing.Fulfillment = domain.Stamp{Rank: 2}, domain.FulfillmentReady
	l.release("ordatic", "ordatic", 0, ready)
	c := l.serve()

	var order api.Order
	c.get("/v1/orders/ordatic/o-1").into(&order)
	require.Equal(t, at(0), order.FirstSeenAt)
	require.Equal(t, at(1), order.LastSeenAt)
	require.Equal(t, at(3), order.UpdatedAt)
	var page api.OrderList
	c.get("/v1/orders?updated_since=" + at(2).String()).into(&page)
	require.Equal(t, []string{"o-1", "i-2"}, keysOf(page))
	for moment, state := range map[domain.Instant]domain.State{at(1): domain.StateAccepted, at(2): domain.StateAccepted, at(3): domain.StateReady} {
		c.get("/v1/orders/ordatic/o-1?at=" + moment.String()).into(&order)
		require.Equal(t, state, order.State, moment)
	}
	var webhook api.Webhook
	c.get("/v1/webhooks/4").into(&webhook)
	require.Equal(t, at(0), webhook.ReceivedAt)
	require.Equal(t, at(3), webhook.StoredAt)
}
