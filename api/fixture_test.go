package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/ingest/quarantine"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// opening is when the first webhook of every ledger came; each later one comes a
// minute after the one before.
var opening = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// now is what the API's clock shows: two hours after the opening.
func now() time.Time { return opening.Add(2 * time.Hour) }

// ledger keeps webhooks with what they did, in a real read model and in a stream
// of its own. It is an api.Webhooks.
type ledger struct {
	t      *testing.T
	Model  *sqlite.Model
	sent   []*domain.Webhook
	events map[uint64]domain.Event // what the webhooks of orders say
	orders map[string]*domain.Order
	counts domain.Counts
	broken error // what the stream answers with, if not nil
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "1.db"))
	require.NoError(t, err)
	model := sqlite.NewModel(db)
	t.Cleanup(func() { require.NoError(t, model.Close()) })
	return &ledger{t: t, Model: model, events: map[uint64]domain.Event{}, orders: map[string]*domain.Order{}}
}

func (l *ledger) receive(source, provider, event, body string) *domain.Webhook {
	w := &domain.Webhook{
		Provider:       provider,
		Source:         source,
		Event:          event,
		Body:           []byte(body),
		BodyDigest:     domain.DigestBody([]byte(body)),
		ReceivedAt:     at(len(l.sent)),
		StoredAt:       at(len(l.sent)),
		StreamSequence: uint64(len(l.sent) + 1),
	}
	l.sent = append(l.sent, w)
	return w
}

// at gives the time of receipt of the webhook with so many before it.
func at(before int) domain.Instant {
	i, err := domain.ParseInstant(opening.Add(time.Duration(before) * time.Minute).Format(time.RFC3339))
	if err != nil {
		panic(err)
	}
	return i
}

// apply folds one event into its order and commits what it did, as one webhook.
func (l *ledger) apply(source, provider string, e domain.Event) *domain.Order {
	l.t.Helper()
	return l.applyWebhook(l.receive(source, provider, e.Name, `{"event":"`+e.Name+`"}`), e)
}

// release is apply of a webhook that came with so many before it, and was rejected then.
func (l *ledger) release(source, provider string, before int, e domain.Event) *domain.Order {
	l.t.Helper()
	w := l.receive(source, provider, e.Name, `{"event":"`+e.Name+`"}`)
	w.ReceivedAt = at(before)
	return l.applyWebhook(w, e)
}

func (l *ledger) applyWebhook(w *domain.Webhook, e domain.Event) *domain.Order {
	l.t.Helper()
	source, provider := w.Source, w.Provider
	l.events[w.StreamSequence] = e
	order, known := l.orders[source+"/"+e.Key]
	if !known {
		order = domain.NewOrder(source, provider, e.Key)
		l.orders[source+"/"+e.Key] = order
	}
	change := order.Apply(&e, w.StreamSequence, w.ReceivedAt, w.StoredAt)
	l.counts.Applied++
	batch := &domain.Batch{Orders: []*domain.Order{order}, Timeline: entries(order, &e, w, change), Tallies: tallies(order, w, change, !known)}
	if change.InBefore > 0 {
		batch.Stays = []domain.Stay{{
			StreamSequence: w.StreamSequence, Source: source, Store: order.StoreID.Value, State: change.Before,
			EndedAt: w.ReceivedAt.Time().Unix(), Class: domain.DurationClass(change.InBefore),
		}}
	}
	if e.Proof != nil {
		batch.Proofs = []domain.OrderProof{{Order: order, Proof: e.Proof}}
	}
	l.commit(batch)
	return order
}

func entries(order *domain.Order, e *domain.Event, w *domain.Webhook, change domain.Change) []domain.OrderEntry {
	all := []domain.OrderEntry{{Order: order, TimelineEntry: domain.TimelineEntry{
		StreamSequence: w.StreamSequence,
		Event:          e.Name,
		Status:         e.ProviderStatus,
		Effect:         change.Effect,
		Note:           change.Note,
		State:          change.After,
		OccurredAt:     e.OccurredAt,
		ReceivedAt:     w.ReceivedAt,
		IsNews:         change.IsNews(),
	}}}
	for i, status := range change.Backfilled {
		all = append(all, domain.OrderEntry{Order: order, TimelineEntry: domain.TimelineEntry{
			StreamSequence: w.StreamSequence,
			Ordinal:        i + 1,
			Status:         status.Status,
			Effect:         domain.EffectBackfilled,
			Note:           status.Reason,
			State:          change.After,
			OccurredAt:     status.At,
			ReceivedAt:     w.ReceivedAt,
		}})
	}
	return all
}

func tallies(order *domain.Order, w *domain.Webhook, change domain.Change, isNew bool) domain.Tallies {
	t := domain.Tallies{
		Orders:  map[domain.OrderTally]int{{Source: order.Source, State: change.After}: 1},
		Minutes: map[domain.MinuteTally]domain.MinuteCounts{{Source: order.Source, Minute: w.ReceivedAt.Time().Unix() / 60}: {Counts: domain.Counts{Applied: 1}}},
	}
	if isNew {
		minute := domain.MinuteTally{Source: order.Source, Minute: w.ReceivedAt.Time().Unix() / 60}
		t.Minutes[minute] = domain.MinuteCounts{Counts: domain.Counts{Applied: 1}, Orders: 1}
	} else {
		t.Orders[domain.OrderTally{Source: order.Source, State: change.Before}]--
	}
	return t
}

// quarantine commits one webhook that could not be translated.
func (l *ledger) quarantine(source, cause, where string) {
	l.t.Helper()
	w := l.receive(source, source, "other", "{}")
	l.counts.Quarantined++
	l.commit(&domain.Batch{Quarantined: []domain.QuarantinedWebhook{{
		StreamSequence: w.StreamSequence,
		Source:         source,
		Event:          "other",
		Cause:          cause,
		Where:          where,
		ReceivedAt:     w.ReceivedAt,
	}}})
}

func (l *ledger) commit(b *domain.Batch) {
	l.t.Helper()
	b.Checkpoint = domain.Checkpoint{StreamSequence: uint64(len(l.sent)), Stream: identity(), Counts: l.counts, Version: 1}
	require.NoError(l.t, l.Model.Commit(l.t.Context(), b))
}

func identity() domain.StreamIdentity {
	return domain.StreamIdentity{Name: "WEBHOOKS", CreatedAt: at(0)}
}

// Webhook gives a received webhook as the stream would.
func (l *ledger) Webhook(_ context.Context, streamSequence uint64) (*domain.Webhook, error) {
	if l.broken != nil {
		return nil, l.broken
	}
	if streamSequence == 0 || streamSequence > uint64(len(l.sent)) || l.sent[streamSequence-1] == nil {
		return nil, domain.ErrNotFound
	}
	return l.sent[streamSequence-1], nil
}

// Info gives where the stream stands.
func (l *ledger) Info(context.Context) (domain.StreamInfo, error) {
	return domain.StreamInfo{Identity: identity(), First: 1, Last: uint64(len(l.sent))}, l.broken
}

// serve starts the API on what the ledger holds.
func (l *ledger) serve(configure ...func(*api.Config)) *client {
	l.t.Helper()
	return serve(l.t, l.handler(configure...))
}

func (l *ledger) handler(configure ...func(*api.Config)) http.Handler {
	config := api.Config{Now: now, Sources: []api.Source{{Name: "ordatic", Provider: "ordatic", Currency: "SEK"}, {Name: "ivy", Provider: "ivy"}}}
	config.LookBack = l.lookBack()
	config.Quarantine = quarantine.New(nothingRejected{ledger: l}, l.Model, quarantine.Config{})
	for _, change := range configure {
		change(&config)
	}
	return api.New(l.Model, l, config)
}

// client asks a real server, over a real connection.
type client struct {
	t    *testing.T
	base string
	http *http.Client
}

func serve(t *testing.T, handler http.Handler) *client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &client{t: t, base: server.URL, http: server.Client()}
}

// listen has a server of the program answer.
func listen(t *testing.T, server *http.Server) *client {
	t.Helper()
	listener, err := net.Listen("tcp", server.Addr)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return &client{t: t, base: "http://" + listener.Addr().String(), http: &http.Client{Transport: &http.Transport{}}}
}

// reply is an answer with its body read.
type reply struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   string
}

// get asks for a path; headers are "Name: value".
func (c *client) get(path string, headers ...string) reply {
	c.t.Helper()
	return c.do(http.MethodGet, path, headers...)
}

func (c *client) do(method, path string, headers ...string) reply {
	c.t.Helper()
	return c.send(method, path, "", headers...)
}

// post sends a body as JSON.
func (c *client) post(path, body string, headers ...string) reply {
	c.t.Helper()
	return c.send(http.MethodPost, path, body, append([]string{"Content-Type: application/json"}, headers...)...)
}

func (c *client) send(method, path, body string, headers ...string) reply {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	require.NoError(c.t, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
		if name == "Host" {
			request.Host = value
		}
	}
	response, err := c.http.Do(request)
	require.NoError(c.t, err)
	from := io.Reader(response.Body)
	if response.Header.Get("Content-Type") == "text/event-stream" { // which has no end
		from = io.LimitReader(from, 1)
	}
	answer, err := io.ReadAll(from)
	require.NoError(c.t, err)
	require.NoError(c.t, response.Body.Close())
	return reply{t: c.t, Status: response.StatusCode, Header: response.Header, Body: string(answer)}
}

// into reads a success as JSON.
func (r reply) into(value any) {
	r.t.Helper()
	require.Equal(r.t, http.StatusOK, r.Status, r.Body)
	require.Equal(r.t, "application/json", r.Header.Get("Content-Type"))
	require.NoError(r.t, json.Unmarshal([]byte(r.Body), value), r.Body)
}

// refused requires problem details of a status and a code.
func (r reply) refused(status int, code string) api.Problem {
	r.t.Helper()
	require.Equal(r.t, status, r.Status, r.Body)
	require.Equal(r.t, "application/problem+json", r.Header.Get("Content-Type"))
	var problem api.Problem
	require.NoError(r.t, json.Unmarshal([]byte(r.Body), &problem), r.Body)
	require.Equal(r.t, code, problem.Code)
	require.Equal(r.t, status, problem.Status)
	require.Equal(r.t, "/problems/"+code, problem.Type)
	require.NotEmpty(r.t, problem.Title)
	require.NotEmpty(r.t, problem.Detail)
	return problem
}

// accepted is an event that makes an order accepted.
func accepted(key string) domain.Event {
	return domain.Event{
		Key:      key,
		Name:     "order-accepted",
		Stamp:    stamp("order-accepted"),
		Standing: domain.Standing{Axes: domain.Axes{Fulfillment: domain.FulfillmentAccepted}},
		Facts:    domain.Facts{ProviderStatus: "order-accepted"},
	}
}

func stamp(body string) domain.Stamp {
	return domain.NewStamp(domain.Instant{}, 0, 0, domain.DigestBody([]byte(body)))
}

// pizza is the order that the examples of the document speak of: four webhooks,
// a rider in trouble, a proof, a refund and an anomaly.
func (l *ledger) pizza() {
	l.t.Helper()
	const key = "store-7:o-1"
	first := accepted(key)
	first.StoreID, first.FulfillmentKind = "store-7", "delivery"
	l.apply("ordatic", "ordatic", first)
	ready := accepted(key)
	ready.Name, ready.Stamp, ready.ProviderStatus = "order-ready-to-pick-up", domain.Stamp{Rank: 2}, "order-ready-to-pick-up"
	ready.Standing.Fulfillment = domain.FulfillmentReady
	l.apply("ordatic", "ordatic", ready)
	l.apply("ordatic", "ordatic", domain.Event{
		Key:      key,
		Name:     "rider-delivering",
		Stamp:    domain.Stamp{Rank: 3},
		Standing: domain.Standing{Axes: domain.Axes{Delivery: domain.DeliveryDelivering}},
		Facts:    domain.Facts{ProviderStatus: "rider-delivering"},
		Proof:    &domain.Proof{ProofInfo: domain.ProofInfo{ID: proofID, Type: "image/png", Size: len(picture)}, Content: []byte(picture)},
		Refunds:  []domain.Refund{{ID: "r-1", Amount: "11.50", Reason: "late"}},
	})
	l.apply("ordatic", "ordatic", domain.Event{
		Key:       key,
		Name:      "rider-error",
		Standing:  domain.Standing{Problem: "rider-error"},
		Anomalies: []domain.Anomaly{{Code: domain.AnomalyUnknownStatus, Detail: "lost"}},
	})
}

// The one proof of the pizza; the API does not look into it.
const (
	proofID = "4bf5122f344554c53bde2ebb8cd2b7e3"
	picture = "\x89PNG\r\n\x1a\n<script>alert(1)</script>"
)
