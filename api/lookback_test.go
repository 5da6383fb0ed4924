package api_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector/lookback"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// lookBack folds the ledger's orders again, from what its webhooks said.
func (l *ledger) lookBack() *lookback.Lookback {
	return lookback.New(lookback.Config{
		Log: l, Model: l.Model, Live: still{}, Version: 1,
		Providers: []provider.Provider{recorded{provider.Ordatic{}, l}, recorded{provider.Ivy{}, l}},
	})
}

// recorded translates the webhooks of a ledger to the events they were made of.
type recorded struct {
	provider.Provider
	ledger *ledger
}

func (r recorded) Translate(w *domain.Webhook) (*domain.Event, error) {
	event := r.ledger.events[w.StreamSequence]
	return &event, nil
}

// still stands for a projector that commits nothing.
type still struct{}

func (still) Hold(_ context.Context, act func() error) error { return act() }

// damage changes the read model behind everybody's back.
func (l *ledger) damage(statement string) {
	l.t.Helper()
	db, err := sql.Open("sqlite3", sqlite.DSN(l.Model.Path()))
	require.NoError(l.t, err)
	_, err = db.ExecContext(l.t.Context(), statement)
	require.NoError(l.t, err)
	require.NoError(l.t, db.Close())
}

const pizzaPath = "/v1/orders/ordatic/store-7:o-1"

// An order as it was is given by a stream sequence or a time, with an ETag of its
// own; and before its first webhook it was not there.
func TestOrderAsItWas(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.apply("ivy", "ivy", accepted("i-1"))
	l.pizza()
	c := l.serve()
	etags := map[string]bool{}
	for moment, state := range map[string]domain.State{
		"2": domain.StateAccepted, "2026-03-01T12:01:59Z": domain.StateAccepted,
		"3": domain.StateReady, "2026-03-01T13:02:00+01:00": domain.StateReady,
		"4": domain.StateRiderDelivering, "2026-03-01T12:03:30.5Z": domain.StateRiderDelivering,
	} {
		var order api.Order
		path := pizzaPath + "?at=" + url.QueryEscape(moment)
		answer := c.get(path)
		answer.into(&order)
		require.Equal(t, state, order.State, moment)
		require.Equal(t, http.StatusNotModified, c.get(path, "If-None-Match: "+answer.Header.Get("ETag")).Status)
		etags[answer.Header.Get("ETag")] = true
	}
	require.Len(t, etags, 3)
	require.Equal(t, c.get(pizzaPath).Body, c.get(pizzaPath+"?at=5").Body, "as it was last is as it is")

	for _, moment := range []string{"1", "2026-03-01T12:00:59Z", "2020-01-01T00:00:00Z"} {
		problem := c.get(pizzaPath+"?at="+moment).refused(http.StatusNotFound, "order-not-found")
		require.Contains(t, problem.Detail, "by then")
	}
	c.get("/v1/orders/ordatic/nobody?at=3").refused(http.StatusNotFound, "order-not-found")
}

// What is no moment, or one that has not come, is a problem of the parameter.
func TestMomentsThatAreNone(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve()
	for _, moment := range []string{"0", "-1", "5", "18446744073709551616", "yesterday", "2026-03-01", "2026-03-01T12:00:00", strings.Repeat("9", 65)} {
		problem := c.get(pizzaPath+"?at="+moment).refused(http.StatusBadRequest, "invalid-parameter")
		require.Equal(t, "query.at", problem.Errors[0].Parameter, moment)
	}
}

// An explanation gives each webhook: as it was received, how it was verified, what
// it said, what it did and why, and where the order stood then.
func TestExplanationInJSON(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	late := accepted("store-7:o-1")
	late.Stamp = domain.Stamp{}
	l.apply("ordatic", "ordatic", late)
	c := l.serve()
	var explanation struct {
		Order    json.RawMessage
		Webhooks []json.RawMessage
	}
	c.get(pizzaPath + "/explanation").into(&explanation)
	require.Equal(t, strings.TrimSpace(c.get(pizzaPath).Body), string(explanation.Order))
	require.Len(t, explanation.Webhooks, 5)
	require.Equal(t, strings.Join([]string{
		`{"webhook":` + strings.TrimSpace(c.get("/v1/webhooks/5").Body) + `,`,
		`"verified":"the whole Authorization header, compared with the configured values","released":null,`,
		`"said":{"kind":"step","event":"order-accepted","occurred_at":null,"clock":null,`,
		`"fulfillment":"accepted","delivery":null,"payment":null,"outcome":null,"problem":null,"status_unknown":false,`,
		`"facts":{"provider_status":"order-accepted","store_id":null,"reference":null,"description":null,"fulfillment_kind":null,`,
		`"currency":null,"total":null,"discount":null,"refunded":null,"created_at":null,"completed_at":null,"receipt":null},`,
		`"refunds":[],"payments":[],"proofs":[],"history":[],"anomalies":[]},`,
		`"effect":"late","note":"fulfillment is ready already, accepted ranks below",`,
		`"reason":"fulfillment is ready already, accepted ranks below","backfilled":[],`,
		`"standing":{"state":"rider-delivering","fulfillment":"ready","delivery":"delivering","payment":"none","outcome":"open","problem":"rider-error"}}`,
	}, ""), string(explanation.Webhooks[4]))

	var third api.ExplainedWebhook
	require.NoError(t, json.Unmarshal(explanation.Webhooks[2], &third))
	require.Equal(t, proofID, third.Said.Proofs[0].ID)
	require.Equal(t, "r-1", third.Said.Refunds[0].ID)
	require.Equal(t, "a step raises what it names, and this one moves delivery from none to delivering", third.Reason)
	var fourth api.ExplainedWebhook
	require.NoError(t, json.Unmarshal(explanation.Webhooks[3], &fourth))
	require.EqualValues(t, 4, fourth.Said.Anomalies[0].StreamSequence)
}

// The explanation of a snapshot tells its clock, its history, and what was learnt
// from that.
func TestExplanationOfASnapshot(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	snapshot := withHistory("i-1")
	snapshot.Kind, snapshot.Stamp, snapshot.StandingUnknown = domain.Snapshot, domain.Stamp{Clock: at(7)}, true
	l.apply("ivy", "ivy", snapshot)
	var explanation api.Explanation
	l.serve().get("/v1/orders/ivy/i-1/explanation").into(&explanation)
	explained := explanation.Webhooks[0]
	require.Equal(t, "snapshot", explained.Said.Kind)
	require.Equal(t, at(7), *explained.Said.Clock)
	require.True(t, explained.Said.StatusUnknown)
	require.Len(t, explained.Said.History, len(snapshot.History))
	require.NotEmpty(t, explained.Backfilled)
}

// The pages of an explanation hold every webhook once, and a page is as short as
// the bodies are large.
func TestExplanationIsPaged(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	for range 2 {
		l.apply("ordatic", "ordatic", accepted("store-7:o-1"))
	}
	l.sent[3].Body = []byte(strings.Repeat("x", 5<<20)) // alone too large
	l.sent[4].Body = []byte("\xff")
	c := l.serve()
	var sizes []int
	var seen uint64
	path := pizzaPath + "/explanation?limit=2"
	for next := path; next != ""; {
		var page api.Explanation
		c.get(next).into(&page)
		for _, explained := range page.Webhooks {
			seen++
			require.Equal(t, seen, explained.Webhook.StreamSequence)
			require.True(t, (explained.Webhook.Body == nil) != (explained.Webhook.BodyBase64 == nil))
		}
		sizes = append(sizes, len(page.Webhooks))
		if next = ""; page.NextCursor != nil {
			next = path + "&cursor=" + *page.NextCursor
		}
	}
	require.Equal(t, []int{2, 1, 1, 2}, sizes)
	c.get(path+"&cursor=AAAA").refused(http.StatusBadRequest, "invalid-cursor")
	c.get("/v1/orders/ordatic/nobody/explanation").refused(http.StatusNotFound, "order-not-found")
}

// One order is rebuilt alone: a plan tells what differs, without it that is
// replaced, and then nothing differs any more.
func TestOrderIsRebuilt(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	before := l.serve().get(pizzaPath).Body
	c := l.serve() // which has kept nothing of it
	l.damage(`UPDATE orders SET document = json_set(document, '$.steps.fulfillment', 'accepted')`)
	damaged := c.get(pizzaPath).Body
	require.NotEqual(t, before, damaged)

	var rebuild api.OrderRebuild
	c.post(pizzaPath+"/rebuild", `{"plan":true}`).into(&rebuild)
	require.True(t, rebuild.Differs)
	require.False(t, rebuild.Replaced)
	require.Equal(t, []api.FieldDifference{{Pointer: "/steps/fulfillment", InUse: new(`"accepted"`), Rebuilt: new(`"ready"`)}}, rebuild.Fields)
	require.Equal(t, []api.TableDifference{
		{Table: "orders", InUse: 1, Rebuilt: 1, Changed: 1}, {Table: "timeline", InUse: 4, Rebuilt: 4}, {Table: "changes", InUse: 4, Rebuilt: 4},
	}, rebuild.Tables)
	require.Equal(t, damaged, c.get(pizzaPath).Body)

	c.post(pizzaPath+"/rebuild", `{}`).into(&rebuild)
	require.True(t, rebuild.Replaced)
	require.Equal(t, domain.FulfillmentReady, rebuild.Order.Fulfillment)
	require.Equal(t, before, c.get(pizzaPath).Body)
	c.post(pizzaPath+"/rebuild", `{}`).into(&rebuild)
	require.False(t, rebuild.Differs)
	require.False(t, rebuild.Replaced)
	require.Empty(t, rebuild.Fields)
}

// What cannot be folded again says why, and nothing of the inside; and a web page
// can have nothing rebuilt.
func TestWhatCannotBeFoldedAgain(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve()
	c.post("/v1/orders/ordatic/nobody/rebuild", `{}`).refused(http.StatusNotFound, "order-not-found")
	c.send(http.MethodPost, pizzaPath+"/rebuild", `{}`, "Content-Type: text/plain").refused(http.StatusUnsupportedMediaType, "not-json")

	l.damage("DELETE FROM timeline WHERE stream_sequence = 1")
	c.post(pizzaPath+"/rebuild", `{}`).refused(http.StatusConflict, "order-not-rebuilt-alone")

	l.broken = domain.ErrNotFound
	c.get(pizzaPath+"/explanation").refused(http.StatusGone, "webhooks-forgotten")
	c.post(pizzaPath+"/rebuild", `{}`).refused(http.StatusGone, "webhooks-forgotten")

	l.broken = errors.New("nats: secret internals")
	unreachable := l.serve(func(c *api.Config) { c.LookBack = nil })
	for _, problem := range []api.Problem{
		c.get(pizzaPath+"?at=2").refused(http.StatusServiceUnavailable, "stream-unavailable"),
		c.get(pizzaPath+"/explanation").refused(http.StatusServiceUnavailable, "stream-unavailable"),
		c.post(pizzaPath+"/rebuild", `{}`).refused(http.StatusServiceUnavailable, "stream-unavailable"),
		unreachable.get(pizzaPath+"?at=2").refused(http.StatusServiceUnavailable, "stream-unavailable"),
		unreachable.get(pizzaPath+"/explanation").refused(http.StatusServiceUnavailable, "stream-unavailable"),
		unreachable.post(pizzaPath+"/rebuild", `{}`).refused(http.StatusServiceUnavailable, "stream-unavailable"),
	} {
		require.NotContains(t, problem.Detail, "nats")
	}
}

// Of a webhook that was released from the quarantine the explanation names when it
// came, when it was released, and on whose word. What nobody checked is not called
// verified, and of a webhook that its sender sent again nothing was released.
func TestExplanationOfAReleasedWebhook(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	const paid = `{"id":"o-1","status":"COMPLETED"}`
	p.reject(provider.Runa{}, 1, paid, 3)
	p.reject(provider.Ordatic{}, 1, ordatic("order-accepted"), 5)
	var released api.Retried
	p.post("/v1/quarantine/r-1/retry", `{}`).into(&released)
	p.post("/v1/quarantine/r-2/retry", `{"trust":true,"reason":"they called"}`).into(&released)
	last := p.accept(ordatic("order-in-kitchen"))
	p.get(fmt.Sprintf("/v1/quarantine?min_stream_sequence=%d", last))

	var explanation api.Explanation
	p.get("/v1/orders/runa/o-1/explanation").into(&explanation)
	require.Equal(t, at(3), explanation.Webhooks[0].Webhook.ReceivedAt)
	require.NotEmpty(t, *explanation.Webhooks[0].Verified)
	require.Equal(t, &api.Release{Entry: "r-1", At: domain.InstantOf(now()), By: "local"}, explanation.Webhooks[0].Released)
	p.get(pizzaPath + "/explanation").into(&explanation)
	require.Len(t, explanation.Webhooks, 2)
	require.Equal(t, at(5), explanation.Webhooks[0].Webhook.ReceivedAt)
	require.Nil(t, explanation.Webhooks[0].Verified)
	require.Equal(t, &api.Release{
		Entry: "r-2", At: domain.InstantOf(now()), By: "local", Reason: new("they called"), Trusted: true,
	}, explanation.Webhooks[0].Released)
	require.NotEmpty(t, *explanation.Webhooks[1].Verified)
	require.Nil(t, explanation.Webhooks[1].Released)

	// One that was released, and of which the decision is lost.
	receipt, err := p.log.Append(t.Context(), &domain.Webhook{
		Provider: "ordatic", Source: "ordatic", Event: "other", Body: []byte(ordatic("rider-created")), ReceivedAt: at(7),
	})
	require.NoError(t, err)
	p.get(fmt.Sprintf("/v1/quarantine?min_stream_sequence=%d", receipt.StreamSequence))
	p.get(pizzaPath + "/explanation").into(&explanation)
	require.Nil(t, explanation.Webhooks[2].Verified)
	require.Nil(t, explanation.Webhooks[2].Released)
}

// Who looks back to the webhook just sent gets the order as that one left it.
func TestLookBackWaitsForItsMoment(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	for i, event := range []string{"order-accepted", "order-in-kitchen", "order-ready-to-pick-up"} {
		var order api.Order
		p.get(fmt.Sprintf("%s?at=%d", pizzaPath, p.accept(ordatic(event)))).into(&order)
		require.EqualValues(t, i+1, order.Version)
	}
	var explanation api.Explanation
	p.get(pizzaPath + "/explanation").into(&explanation)
	require.Len(t, explanation.Webhooks, 3)
	require.Equal(t, ordatic("order-in-kitchen"), *explanation.Webhooks[1].Webhook.Body)
	var rebuild api.OrderRebuild
	p.post(pizzaPath+"/rebuild", `{}`).into(&rebuild)
	require.False(t, rebuild.Differs)
}
