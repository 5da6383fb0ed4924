package orders_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// noon is when the alerts of the tests begin to be seen.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// late is the alert of a second after noon.
func late(second int) domain.Alert {
	return domain.Alert{
		Kind: domain.AlertLate, Source: "ivy", At: noon.Add(time.Duration(second) * time.Second), State: domain.StateInKitchen, Orders: 3,
		Keys: []string{"store-7:o-1", "<\u202e>"}, Limit: 30 * time.Minute,
	}
}

// so many messages are enough.
func count(n int) func([]*jetstream.RawStreamMsg) bool {
	return func(all []*jetstream.RawStreamMsg) bool { return len(all) >= n }
}

// An alert is a CloudEvent in binary mode, under a subject that no state can have, and says
// what it is about; of a sender's words it has the keys of orders alone.
func TestAlertIsACloudEvent(t *testing.T) {
	t.Parallel()
	heardAt := noon.Add(-time.Hour)
	for name, conn := range brokers(t) {
		m := newModel()
		p := publish(t, conn, m)
		m.change(2)
		messages(t, conn, 2)
		for _, a := range []domain.Alert{
			late(0),
			{Kind: domain.AlertSilent, Source: "runa", At: noon, Orders: 21, Since: heardAt},
			{Kind: domain.AlertHeard, Source: "runa", At: noon, Since: heardAt},
		} {
			p.Alert(t.Context(), a)
		}
		told := messagesUntil(t, conn, count(5))[2:]
		for i, want := range []struct{ subject, id, kind, data string }{
			{
				"orders.ivy.alert.late", "ivy/late/in-kitchen/2026-03-01T12:00:00Z", "ticketrail.orders.late",
				`{"source":"ivy","state":"in-kitchen","limit_seconds":1800,"orders":3,"keys":["store-7:o-1","<` + "\u202e" + `>"],"path":"/v1/orders?late=true&sort=since&source=ivy&state=in-kitchen"}`,
			},
			{
				"orders.runa.alert.silent", "runa/silent//2026-03-01T12:00:00Z", "ticketrail.source.silent",
				`{"source":"runa","missed_orders":21,"since":"2026-03-01T11:00:00Z"}`,
			},
			{
				"orders.runa.alert.heard", "runa/heard//2026-03-01T12:00:00Z", "ticketrail.source.heard",
				`{"source":"runa","since":"2026-03-01T11:00:00Z"}`,
			},
		} {
			require.Equal(t, want.subject, told[i].Subject, name)
			require.Equal(t, want.data, string(told[i].Data), name)
			source, _, _ := strings.Cut(want.id, "/")
			require.Equal(t, nats.Header{
				"ce-specversion": {"1.0"}, "ce-id": {want.id}, "ce-type": {want.kind}, "ce-source": {"/v1/sources/" + source},
				"ce-time": {"2026-03-01T12:00:00Z"}, "ce-afterchange": {"2"}, "Content-Type": {"application/json"},
				"Nats-Msg-Id": {want.id}, "Nats-Expected-Stream": {"ORDERS"}, "Nats-Expected-Last-Sequence": {fmt.Sprint(2 + i)},
			}, published(told[i]), name)
		}
	}
}

// A source that is no token has no subject, and so no alert.
func TestAlertSubjects(t *testing.T) {
	t.Parallel()
	subject, err := eventlog.AlertSubject("ivy", "late")
	require.NoError(t, err)
	require.Equal(t, "orders.ivy.alert.late", subject)
	for _, state := range domain.States() {
		of, err := eventlog.OrderSubject("ivy", state.String())
		require.NoError(t, err)
		require.NotEqual(t, strings.Count(subject, "."), strings.Count(of, "."))
	}
	_, err = eventlog.AlertSubject("a.b", "late")
	require.ErrorIs(t, err, eventlog.ErrUnfit)
}

// Alerts come in their order and hold no change up. Where the stream ends with one, a
// publisher that is started again goes on from the change before it.
func TestChangesGoOnBehindAlerts(t *testing.T) {
	t.Parallel()
	for name, conn := range brokers(t) {
		m := newModel()
		m.change(3) // before there was a stream
		for round := range 10 {
			p := publish(t, conn, m)
			p.Alert(t.Context(), late(2*round))
			p.Alert(t.Context(), late(2*round+1))
			m.change(2)
			messagesUntil(t, conn, count(4*(round+1)+round))
			p.stop()
			m.change(1)
			p = publish(t, conn, m)
			messagesUntil(t, conn, count(4*(round+1)+1+round))
			p.stop()
		}
		var changes, alerts []string
		all := messagesUntil(t, conn, count(50))
		for _, told := range all {
			if id := told.Header.Get("ce-id"); strings.Contains(id, "/") {
				alerts = append(alerts, told.Header.Get("ce-time"))
				require.Equal(t, fmt.Sprint(3+len(changes)), told.Header.Get("ce-afterchange"), name)
			} else {
				changes = append(changes, id)
			}
		}
		require.Equal(t, counting(4, 33), changes, name)
		require.Len(t, alerts, 20)
		require.IsIncreasing(t, alerts, name)
	}
}

// Nobody waits for a broker that is away: alerts are dropped and counted, and come again
// when it is back.
func TestAlertsAreBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broker := external(t, dir, -1)
	port := netip.MustParseAddrPort(broker.Addr().String()).Port()
	conn := connect(t, broker)
	p := publish(t, conn, newModel())
	broker.Shutdown()
	broker.WaitForShutdown()
	for second := range 1000 {
		p.Alert(t.Context(), late(second))
	}
	dropped := func() float64 {
		families, err := p.metrics.Gather()
		require.NoError(t, err)
		for _, f := range families {
			if f.GetName() == "ticketrail_alerts_dropped_total" {
				return f.GetMetric()[0].GetCounter().GetValue()
			}
		}
		return 0
	}
	require.Greater(t, dropped(), 700.0)
	external(t, dir, int(port))
	told := messagesUntil(t, conn, count(1))
	require.Equal(t, "orders.ivy.alert.late", told[0].Subject)
	problems, err := testutil.GatherAndLint(p.metrics)
	require.NoError(t, err)
	require.Empty(t, problems)
}
