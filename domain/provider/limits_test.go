package provider_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// A text of 1 KiB is kept, and a longer one is left out and told like any that
// cannot be read; an element whose id is too long is found by its content.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("t", 1<<10)
	for _, c := range []struct {
		provider    provider.Provider
		body, where string
		kept        func(*domain.Event) string
	}{
		{
			provider.Ivy{}, `{"type":"order_updated","payload":{"id":"o1","status":"paid","referenceId":"TEXT"}}`,
			"/payload/referenceId", func(e *domain.Event) string { return e.Reference },
		},
		{
			provider.Ivy{}, `{"type":"order_updated","payload":{"id":"o1","status":"paid","statusHistoryList":[{"reason":"TEXT"}]}}`,
			"/payload/statusHistoryList/reason", func(e *domain.Event) string { return e.History[0].Reason },
		},
		{
			provider.Ivy{}, `{"type":"order_updated","payload":{"id":"o1","status":"paid","statusHistoryList":[{"currentStatus":"TEXT"}]}}`,
			"/payload/statusHistoryList/currentStatus", func(e *domain.Event) string { return e.History[0].Status },
		},
		{
			provider.Ivy{}, `{"type":"refund.failed","payload":{"orderId":"o1","id":"r","status":"TEXT"}}`,
			"/payload/status", func(e *domain.Event) string { return strings.TrimSuffix(e.Refunds[0].Status, "failed") },
		},
		{
			provider.Ordatic{}, `{"eventType":"rider-refund","storeId":"s","data":{"orderId":"o1","refund":{"id":"r","reason":"TEXT"}}}`,
			"/data/refund/reason", func(e *domain.Event) string { return e.Refunds[0].Reason },
		},
		{
			provider.Payway{}, `{"event":"order_closed","payload":{"order":{"id":"o1","state":"closed","payments":[{"id":"p","type":"TEXT"}]}}}`,
			"/payload/order/payments/type", func(e *domain.Event) string { return e.Payments[0].Type },
		},
		{
			provider.Runa{}, `{"id":"o1","status":"COMPLETED","description":"TEXT"}`,
			"/description", func(e *domain.Event) string { return e.Description },
		},
	} {
		event := translated(t, c.provider, strings.Replace(c.body, "TEXT", longest, 1))
		require.Empty(t, event.Anomalies)
		require.Equal(t, longest, c.kept(event))

		event = translated(t, c.provider, strings.Replace(c.body, "TEXT", longest+"t", 1))
		require.Equal(t, []domain.Anomaly{anomaly("unreadable-value", c.where)}, event.Anomalies)
		require.Empty(t, c.kept(event))
	}
	refund := `{"eventType":"rider-refund","storeId":"s","data":{"orderId":"o1","refund":{"id":"` + longest + `t"}}}`
	require.Len(t, translated(t, provider.Ordatic{}, refund).Refunds[0].ID, 32)
}

// One webhook may list a thousand of anything, whatever is odd about them, and is
// quarantined for one more; no value is none of them.
func TestManyElements(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		provider    provider.Provider
		body, where string
		count       func(*domain.Event) int
	}{
		{
			provider.Ivy{}, `{"type":"order_updated","payload":{"id":"o1","status":"paid","refunds":[LIST]}}`,
			"/payload/refunds", func(e *domain.Event) int { return len(e.Refunds) },
		},
		{
			provider.Ivy{}, `{"type":"order_updated","payload":{"id":"o1","status":"paid","statusHistoryList":[LIST]}}`,
			"/payload/statusHistoryList", func(e *domain.Event) int { return len(e.History) },
		},
		{
			provider.Payway{}, `{"event":"order_closed","payload":{"order":{"id":"o1","state":"closed","payments":[LIST]}}}`,
			"/payload/order/payments", func(e *domain.Event) int { return len(e.Payments) },
		},
	} {
		odd := `{"id":7,"amount":"much","status":7,"state":7,"type":7,"reason":7,"createdAt":"soon","created":"soon"},`
		list := strings.Repeat(odd, 1000) + strings.Repeat(`null,{},`, 1000)
		event := translated(t, c.provider, strings.Replace(c.body, "LIST", list+`""`, 1))
		require.Equal(t, 1000, c.count(event))
		require.Less(t, len(event.Anomalies), 10, "an odd field is told once")

		require.Equal(t, domain.Untranslatable{Cause: domain.CauseTooManyElements, Where: c.where},
			untranslatable(t, c.provider, strings.Replace(c.body, "LIST", list+`{"id":"x"}`, 1)))
	}
}
