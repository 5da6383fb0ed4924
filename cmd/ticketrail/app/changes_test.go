package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/orders"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// follow follows the changes after a stream sequence, and gives what gives the next event.
// Its kind is ended when there is none.
func (p *program) follow(lastID string) (next func() event) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Addresses().API+"/v1/changes", nil)
	require.NoError(p.t, err)
	request.Header.Set("Last-Event-ID", lastID)
	response, err := p.http.Do(request) //nolint:bodyclose // who reads it closes it
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, response.StatusCode)
	events, done := make(chan sse.Event), make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = response.Body.Close() }()
		for event, err := range sse.Read(response.Body, nil) {
			if err != nil {
				return
			}
			if event.Data == "" {
				continue
			}
			select {
			case events <- event:
			case <-ctx.Done():
				return
			}
		}
	}()
	p.t.Cleanup(func() {
		cancel()
		<-done
	})
	return func() event {
		select {
		case e := <-events:
			return event{e.Type, e.LastEventID, e.Data}
		case <-done:
			return event{kind: ended}
		}
	}
}

const ended = "ended"

// event is one of the feed's.
type event struct{ kind, id, data string }

// is gives the event without its data.
func (e event) is() event { return event{kind: e.kind, id: e.id} }

// Who follows the changes goes on where it was after a restart, and over a rebuild, without
// a gap, a repetition, or another id. Where a rebuild changed orders it is told to read them
// anew, also when it was away then.
func TestFeedGoesOnOverRestartsAndRebuilds(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	p.ordatic("order-accepted", "2")
	next := p.follow("0")
	require.Equal(t, event{kind: "change", id: "1"}, next().is())
	require.Equal(t, event{kind: "change", id: "2"}, next().is())
	p.stop()
	require.Equal(t, event{kind: ended}, next())

	p = run(t, c, options())
	p.ordatic("order-accepted", "3")
	next = p.follow("2")
	require.Equal(t, event{kind: "change", id: "3"}, next().is())
	require.Equal(t, domain.RebuildSwitched, p.ended(p.rebuild(api.RebuildRequest{}).ID).State)
	p.ordatic("order-accepted", "4")
	require.Equal(t, event{kind: "change", id: "4"}, next().is(), "the rebuilt read model has the same orders")
	require.Equal(t, event{kind: "change", id: "4"}, p.follow("3")().is())
	p.stop()

	changed, gate := newer()
	p = run(t, c, changed)
	next = p.follow("3")
	require.Equal(t, event{kind: "change", id: "4"}, next().is())
	close(gate)
	require.Equal(t, event{kind: "reset", id: "4"}, next().is())
	require.Equal(t, domain.StateInKitchen, p.state("1"))
	p.stop()
	p = run(t, c, changed)
	require.Equal(t, event{kind: "reset", id: "4"}, p.follow("3")().is())
}

// Who was away when an order was made anew, and became another one, is told to read the
// orders anew, also after a restart.
func TestRebuiltOrderIsToldOverRestarts(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	p.ordatic("order-accepted", "2")
	p.stop()
	tamper(t, c.Data, "s:1")

	p = run(t, c, options())
	var rebuilt api.OrderRebuild
	for _, replaced := range []bool{true, false} {
		p.change(http.MethodPost, api.PathOfOrder("ordatic", "s:1")+"/rebuild", map[string]any{}, &rebuilt)
		require.Equal(t, replaced, rebuilt.Replaced)
	}
	p.stop()
	p = run(t, c, options())
	require.Equal(t, event{kind: "reset", id: "2"}, p.follow("1")().is())
}

// tamper has the read model hold another order than its webhooks make.
func tamper(t *testing.T, data, key string) {
	t.Helper()
	path, err := app.CurrentReadModel(data)
	require.NoError(t, err)
	model, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	order, err := model.Order(t.Context(), "ordatic", key)
	require.NoError(t, err)
	timeline, err := model.Timeline(t.Context(), "ordatic", key, domain.TimelinePosition{}, 10)
	require.NoError(t, err)
	order.Description.Value = "another"
	_, err = model.ReplaceOrder(t.Context(), &domain.OrderRows{Order: order, Timeline: timeline}, false)
	require.NoError(t, errors.Join(err, model.Close()))
}

// Each change is published for other services, with a broker inside and with an external
// one, over restarts and rebuilds, and without what is personal.
func TestChangesArePublished(t *testing.T) {
	t.Parallel()
	for name, external := range map[string]bool{"embedded": false, "external": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := settings(t)
			c.Orders.Publish = "true"
			if external {
				b := startBroker(t)
				c.NATS.URL, c.Stream.MaxBytes = "nats://"+b.address, 64<<20
			}
			p := run(t, c, options())
			p.send("ivy", ivyOrder("o", 1, "processing", person))
			p.ordatic("order-accepted", "1")
			p.published(2)
			require.Contains(t, p.follow("0")().data, person)
			p.erase("ivy", "o", api.ErasureRequest{Reason: "asked for"})
			require.NotContains(t, p.follow("0")().data, person, "nor does the feed keep it")
			p.published(3)
			p.stop()
			p = run(t, c, options())
			p.published(3)
			require.Equal(t, domain.RebuildSwitched, p.ended(p.rebuild(api.RebuildRequest{}).ID).State)
			p.ordatic("order-in-kitchen", "1")
			p.published(4)
			p.stop()

			told := ordersStream(t, c)
			require.Len(t, told, 4)
			for i, subject := range []string{"orders.ivy.placed", "orders.ordatic.accepted", "orders.ivy.placed", "orders.ordatic.in-kitchen"} {
				require.Equal(t, subject, told[i].Subject)
				require.Equal(t, fmt.Sprint(i+1), told[i].Header.Get("ce-id"))
				var change api.Change
				require.NoError(t, json.Unmarshal(told[i].Data, &change))
				require.EqualValues(t, i+1, change.StreamSequence)
				require.True(t, change.Order.Redacted)
				require.NotContains(t, string(told[i].Data), person)
			}
		})
	}
}

// Who follows ORDERS hears of late orders as well, with a broker inside and with an external
// one, and of what a sender wrote by their keys alone.
func TestAlertsArePublished(t *testing.T) {
	t.Parallel()
	for name, external := range map[string]bool{"embedded": false, "external": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := settings(t)
			c.Orders.Publish = "true"
			c.Limits = config.Limits{domain.StateAccepted: config.Duration(time.Nanosecond)}
			if external {
				b := startBroker(t)
				c.NATS.URL, c.Stream.MaxBytes = "nats://"+b.address, 64<<20
			}
			p := run(t, c, options())
			p.ordatic("order-accepted", hostile)
			p.published(1)
			p.shows(`ticketrail_alerts_published_total{kind="late"} 1`) // the watcher looks every few seconds
			p.stop()
			told := ordersStream(t, c)
			require.Len(t, told, 2)
			require.Equal(t, "orders.ordatic.alert.late", told[1].Subject)
			require.Equal(t, "1", told[1].Header.Get("ce-afterchange"))
			var data struct {
				Source, State, Path string
				Limit               float64 `json:"limit_seconds"`
				Orders              int
				Keys                []string
			}
			require.NoError(t, json.Unmarshal(told[1].Data, &data))
			require.Equal(t, "ordatic accepted /v1/orders?late=true&sort=since&source=ordatic&state=accepted", data.Source+" "+data.State+" "+data.Path)
			require.InDelta(t, 1e-9, data.Limit, 1e-12)
			require.Equal(t, 1, data.Orders)
			require.Len(t, data.Keys, 1)
			require.Contains(t, data.Keys[0], hostile)
			p = run(t, c, options())
			p.ordatic("order-in-kitchen", hostile)
			p.published(2)
		})
	}
}

// published waits until a change is on the stream ORDERS.
func (p *program) published(streamSequence uint64) {
	p.t.Helper()
	p.shows(fmt.Sprint("ticketrail_changes_published_stream_sequence ", streamSequence))
}

// shows waits until the metrics have a line.
func (p *program) shows(line string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		_, text, err := p.ask(http.MethodGet, "/metrics", nil)
		return err == nil && strings.Contains(string(text), "\n"+line+"\n")
	}, patience, 5*time.Millisecond)
}

// ordersStream gives the messages of the stream ORDERS of a program that has ended.
func ordersStream(t *testing.T, c *config.Config) (all []*jetstream.RawStreamMsg) {
	t.Helper()
	var conn *nats.Conn
	if c.NATS.Embedded() {
		server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: app.StreamFolder(c.Data)})
		require.NoError(t, err)
		defer func() { require.NoError(t, server.Close()) }()
		conn = server.Conn()
	} else {
		var err error
		conn, err = eventlog.Connect(app.Servers(c), nil)
		require.NoError(t, err)
		defer conn.Close()
	}
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), orders.Stream)
	require.NoError(t, err)
	for sequence := range stream.CachedInfo().State.LastSeq {
		m, err := stream.GetMsg(t.Context(), sequence+1)
		require.NoError(t, err)
		all = append(all, m)
	}
	return all
}
