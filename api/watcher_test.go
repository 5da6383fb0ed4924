package api_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// lookout is a watcher of a ledger, whose clock a test moves, with what it told.
type lookout struct {
	*ledger
	*api.Watcher
	clock   *stoppedClock
	metrics *prometheus.Registry
	log     *strings.Builder
	alerts  []domain.Alert
}

// Alert keeps the alert.
func (l *lookout) Alert(_ context.Context, a domain.Alert) { l.alerts = append(l.alerts, a) }

func newLookout(t *testing.T, pulse *api.Pulse) *lookout {
	t.Helper()
	l := &lookout{ledger: newLedger(t), clock: &stoppedClock{}, metrics: prometheus.NewRegistry(), log: &strings.Builder{}}
	untimed := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	l.Watcher = api.NewWatcher(l.Model, api.WatcherConfig{
		Limits: shopLimits, Sources: []string{"ordatic", "ivy"}, Pulse: pulse, Alerts: l, Now: l.clock.now,
		Logger: slog.New(slog.NewTextHandler(l.log, untimed)), Registerer: l.metrics,
	})
	return l
}

// look moves the clock on, has the watcher look, and gives what it told.
func (l *lookout) look(to time.Time) (alerts []domain.Alert, log string) {
	l.t.Helper()
	l.clock.set(to)
	l.log.Reset()
	l.alerts = nil
	l.Look(l.t.Context())
	return l.alerts, l.log.String()
}

func (l *lookout) requireMetric(want string) {
	l.t.Helper()
	page := l.serve(func(c *api.Config) { c.Gatherer = l.metrics }).get("/metrics")
	require.Contains(l.t, page.Body, want+"\n")
}

// Orders that became late are told once, by source, state, number and keys, and what a sender
// wrote is in no line of the log.
func TestWatcherTellsLateOrdersOnce(t *testing.T) {
	t.Parallel()
	l := newLookout(t, nil)
	for _, key := range []string{"secret-a", "secret-b", "secret-c"} { // at 12:00, 12:01 and 12:02
		l.apply("ordatic", "ordatic", accepted(key))
	}
	minute := func(past int) time.Time { return opening.Add(time.Duration(past) * time.Minute) }
	late := func(past int, keys ...string) []domain.Alert {
		return []domain.Alert{{
			Kind: domain.AlertLate, Source: "ordatic", At: minute(past), State: domain.StateAccepted,
			Orders: uint64(len(keys)), Keys: keys, Limit: 15 * time.Minute,
		}}
	}
	alerts, log := l.look(minute(15).Add(-1))
	require.Empty(t, alerts)
	require.Empty(t, log)

	alerts, log = l.look(minute(16))
	require.Equal(t, late(16, "secret-a", "secret-b"), alerts)
	require.Equal(t, "level=WARN msg=\"orders are late\" source=ordatic state=accepted orders=2 late=2\n", log)
	l.requireMetric(`ticketrail_late_orders{source="ordatic",state="accepted"} 2`)

	alerts, log = l.look(minute(16))
	require.Empty(t, alerts)
	require.Empty(t, log)

	cancel := func(key string) {
		l.apply("ordatic", "ordatic", domain.Event{Key: key, Standing: domain.Standing{Axes: domain.Axes{Outcome: domain.OutcomeCanceled}}})
	}
	cancel("secret-a") // as many are late as before, but one of them is another
	alerts, _ = l.look(minute(17))
	require.Equal(t, late(17, "secret-c"), alerts)

	cancel("secret-b")
	cancel("secret-c")
	alerts, _ = l.look(minute(18))
	require.Empty(t, alerts)
	l.requireMetric(`ticketrail_late_orders{source="ordatic",state="accepted"} 0`)

	l.apply("ordatic", "ordatic", accepted("secret-d")) // received long ago, and applied only now
	alerts, log = l.look(minute(60))
	require.Equal(t, late(60, "secret-d"), alerts)
	require.NotContains(t, log, "secret")
	problems, err := testutil.GatherAndLint(l.metrics)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// However many orders become late at once, an alert names a few, and those that are late the
// longest.
func TestAnAlertNamesFewOrders(t *testing.T) {
	t.Parallel()
	l := newLookout(t, nil)
	for i := range domain.MostAlertKeys + 5 { // a minute each
		l.apply("ordatic", "ordatic", accepted(fmt.Sprint("o-", i)))
	}
	alerts, _ := l.look(opening.Add(time.Hour))
	require.Len(t, alerts, 1)
	require.EqualValues(t, domain.MostAlertKeys+5, alerts[0].Orders)
	require.Len(t, alerts[0].Keys, domain.MostAlertKeys)
	require.Equal(t, "o-0", alerts[0].Keys[0])
	require.Equal(t, "o-19", alerts[0].Keys[19])
}

// days commits a source's traffic of some days before the opening, an order a minute.
func (l *lookout) days(days int) {
	l.t.Helper()
	l.apply("ordatic", "ordatic", accepted("first"))
	minutes := map[domain.MinuteTally]domain.MinuteCounts{}
	for minute := opening.AddDate(0, 0, -days).Unix() / 60; minute < opening.Unix()/60; minute++ {
		minutes[domain.MinuteTally{Source: "ordatic", Minute: minute}] = domain.MinuteCounts{Counts: domain.Counts{Applied: 1}, Orders: 1}
	}
	l.receive("ordatic", "ordatic", "other", "{}")
	l.counts.NotAboutOrder++
	l.commit(&domain.Batch{Tallies: domain.Tallies{Minutes: minutes}})
}

// A source that falls silent is told once, and again when it is heard; the list of sources
// and the metrics say the same. One that is not known for long enough is not waited for.
func TestWatcherTellsSilentSources(t *testing.T) {
	t.Parallel()
	l := newLookout(t, nil)
	l.days(3)
	c := l.serve(func(c *api.Config) { c.Watcher = l.Watcher })
	quiet := func(minutes int) time.Time { return opening.Add(time.Duration(minutes) * time.Minute) }
	alerts, _ := l.look(quiet(14))
	require.Empty(t, alerts, "thirteen orders should have begun")
	require.Contains(t, c.get("/v1/sources").Body, `"last_heard_at":"2026-03-01T12:00:00Z","silent":null`)

	alerts, log := l.look(quiet(21))
	silent := domain.Alert{Kind: domain.AlertSilent, Source: "ordatic", At: quiet(21), Orders: 20, Since: opening}
	require.Equal(t, silent, alerts[len(alerts)-1])
	require.Contains(t, log, `level=WARN msg="a source is silent" source=ordatic last_heard=2026-03-01T12:00:00.000Z missed_orders=20`)
	require.Contains(t, c.get("/v1/sources").Body, `"silent":{"since":"2026-03-01T12:00:00Z","missed_orders":20}`)
	l.requireMetric(`ticketrail_source_silent{source="ordatic"} 1`)

	alerts, _ = l.look(quiet(30))
	require.Empty(t, alerts)
	require.Contains(t, c.get("/v1/sources").Body, `"missed_orders":29`)

	for len(l.sent) < 40 {
		l.quarantine("ivy", domain.CauseKeyMissing, "") // a minute each
	}
	l.apply("ordatic", "ordatic", accepted("second"))
	alerts, log = l.look(quiet(41))
	require.Equal(t, []domain.Alert{{Kind: domain.AlertHeard, Source: "ordatic", At: quiet(41), Since: opening}}, alerts)
	require.Contains(t, log, "a source is heard again")
	require.Contains(t, c.get("/v1/sources").Body, `"last_heard_at":"2026-03-01T12:40:00Z","silent":null`)
	l.requireMetric(`ticketrail_source_silent{source="ordatic"} 0`)
	require.NotContains(t, c.get("/v1/sources").Body, `"provider":"ivy","currency":null,"last_heard_at":"`)
}

// While the stream does not answer nothing is told, and a source is not waited for from
// before that on.
func TestWatcherBelievesNoReadModelThatIsBehind(t *testing.T) {
	t.Parallel()
	model := newLedger(t)
	pulse := api.NewPulse(model.Model, model, now, nil)
	l := newLookout(t, pulse)
	l.days(3)
	model.broken = errors.New("away")
	pulse.Look(t.Context())
	alerts, log := l.look(opening.Add(30 * time.Minute))
	require.Empty(t, alerts)
	require.Empty(t, log)

	model.broken = nil
	pulse.Look(t.Context())
	alerts, _ = l.look(opening.Add(31 * time.Minute))
	for _, a := range alerts {
		require.Equal(t, domain.AlertLate, a.Kind)
	}
	alerts, _ = l.look(opening.Add(51 * time.Minute))
	require.Equal(t, domain.AlertSilent, alerts[len(alerts)-1].Kind)
	require.EqualValues(t, 21, alerts[len(alerts)-1].Orders)
}
