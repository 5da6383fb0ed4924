package provider_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// shop gives a provider that has something of everything.
func shop(t testing.TB) *provider.Mapped {
	t.Helper()
	p, err := provider.NewMapped(shopMapping(t))
	require.NoError(t, err)
	return p
}

func shopMapping(t testing.TB) provider.Mapping {
	t.Helper()
	return provider.Mapping{
		Name:          "shop",
		Signature:     provider.Signature{Scheme: "standard-webhooks"},
		Event:         provider.Place{Path: paths(t, "{type}:{data.status}", "type")},
		Order:         paths(t, "{data.store}:{data.id}", "/data/or.der"),
		Time:          paths(t, "data.at", "sent"),
		Store:         paths(t, "data.store"),
		Reference:     paths(t, "data.items.1.name"),
		Status:        paths(t, "data.status"),
		CreatedAt:     paths(t, "data.created"),
		Currency:      paths(t, "data.currency"),
		Total:         paths(t, "data.total"),
		Discount:      paths(t, "data.discount"),
		Refunded:      paths(t, "data.refunded"),
		MinorDigits:   2,
		MinorDigitsOf: map[string]int{"JPY": 0, "KWD": 3},
		Events: []provider.MappedEvent{
			{Name: "order.new"},
			{Name: "order:7", Kind: domain.Snapshot, Fulfillment: domain.FulfillmentReady, Payment: domain.PaymentPaid, Problem: "odd"},
			{Name: "Order/Gone", Outcome: domain.OutcomeCanceled, Without: []string{"total", "currency"}},
			{Name: "menu", Ignored: true},
		},
	}
}

// What a webhook of a mapped provider means: its paths, its alternatives, its texts that are
// put together, its amounts to the digit and its times in each form.
func TestMappedMeaning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want domain.Event
	}{
		"texts": {
			`{"type":"order.new","data":{"store":"s","id":"1","currency":"eur","total":"1250","created":"2026-01-02T03:04:05+01:00","at":"2026-01-02T03:04:06.5Z","items":[{"name":"a"},{"name":"b"}]}}`,
			domain.Event{Key: "s:1", Name: "order.new", OccurredAt: moment(t, "2026-01-02T03:04:06.5Z"), Facts: domain.Facts{
				StoreID: "s", Currency: "EUR", Total: "12.50", CreatedAt: moment(t, "2026-01-02T02:04:05Z"), Reference: "b",
			}},
		},
		"numbers": {
			`{"type":"order","data":{"store":"s","id":9007199254740993,"status":7,"currency":"KWD","total":1250,"discount":12.5,"at":1767323045}}`,
			domain.Event{Key: "s:9007199254740993", Name: "order:7", Kind: domain.Snapshot, OccurredAt: moment(t, "2026-01-02T03:04:05Z"),
				Standing: domain.Standing{Axes: domain.Axes{Fulfillment: domain.FulfillmentReady, Payment: domain.PaymentPaid}, Problem: "odd"},
				Facts:    domain.Facts{StoreID: "s", ProviderStatus: "7", Currency: "KWD", Total: "1.250", Discount: "0.0125"}},
		},
		"alternatives": {
			`{"type":"order.new","sent":1767323045123,"data":{"or.der":"x","at":"","currency":"JPY","total":1250,"refunded":"0"}}`,
			domain.Event{Key: "x", Name: "order.new", OccurredAt: moment(t, "2026-01-02T03:04:05.123Z"), Facts: domain.Facts{Currency: "JPY", Total: "1250", Refunded: "0"}},
		},
		"without": {
			`{"type":"Order/Gone","data":{"or.der":"x","currency":"EUR","total":1250}}`,
			domain.Event{Key: "x", Name: "Order/Gone", Standing: domain.Standing{Axes: domain.Axes{Outcome: domain.OutcomeCanceled}}},
		},
		"what cannot be read": {
			`{"type":"order.new","data":{"or.der":"x","at":"yesterday","currency":"euro","total":"a lot","created":{"a":1},"items":[0,{"name":1.5}]}}`,
			domain.Event{Key: "x", Name: "order.new", Anomalies: []domain.Anomaly{
				{Code: domain.AnomalyUnreadableValue, Detail: "/data/at"}, {Code: domain.AnomalyUnreadableValue, Detail: "/data/currency"},
				{Code: domain.AnomalyUnreadableValue, Detail: "/data/items/1/name"}, {Code: domain.AnomalyUnreadableValue, Detail: "/data/total"},
				{Code: domain.AnomalyUnreadableValue, Detail: "/data/created"},
			}},
		},
	} {
		event, err := shop(t).Translate(webhook(shop(t), c.body))
		require.NoError(t, err, name)
		require.NotZero(t, event.Stamp.Rank, name)
		c.want.Stamp = event.Stamp
		require.Equal(t, c.want.OccurredAt, event.Stamp.Clock, name)
		require.ElementsMatch(t, c.want.Anomalies, event.Anomalies, name)
		c.want.Anomalies = event.Anomalies
		require.Equal(t, &c.want, event, name)
	}
}

// The status stands in each line of a timeline, so it is a word and no text.
func TestMappedStatusIsAWord(t *testing.T) {
	t.Parallel()
	m := shopMapping(t)
	m.Event.Path = m.Event.Path[1:]
	p, err := provider.NewMapped(m)
	require.NoError(t, err)
	for length, want := range map[int]int{256: 256, 257: 0} {
		event, err := p.Translate(webhook(p, `{"type":"order.new","data":{"or.der":"x","status":"`+strings.Repeat("s", length)+`"}}`))
		require.NoError(t, err)
		require.Len(t, event.ProviderStatus, want)
		require.Equal(t, want == 0, len(event.Anomalies) == 1)
	}
}

// What is no webhook of an order is told apart from what should be one and is not.
func TestMappedWebhooksWithoutAnEvent(t *testing.T) {
	t.Parallel()
	for body, cause := range map[string]string{
		`{"type":"menu","data":{}}`:                    "",
		`{"type":"order.old","data":{"or.der":"x"}}`:   "",
		`{"type":["order.new"],"data":{"or.der":"x"}}`: "",
		`{}`:                             "",
		`{"type":"order.new","data":{}}`: domain.CauseKeyMissing,
		`{"type":"order.new","data":{"store":"s","or.der":""}}`: domain.CauseKeyMissing,
		`{"type":"order.new","data":{"or.der":[1]}}`:            domain.CauseWrongType,
		`{"type":"order.new","data":{"or.der":1.5}}`:            domain.CauseWrongType,
		`{"type":"order.new","data":{"or.der":true}}`:           domain.CauseWrongType,
		`{"type":"order.new","data":{"or.der":"a\u0000"}}`:      domain.CauseKeyUnusable,
		`{"type":"order.new","type":"menu"}`:                    domain.CauseMalformed,
		`[]`:                                                    domain.CauseWrongType,
	} {
		_, err := shop(t).Translate(webhook(shop(t), body))
		var u *domain.Untranslatable
		if cause == "" {
			require.ErrorIs(t, err, domain.ErrNotAboutOrder, body)
			continue
		}
		require.True(t, errors.As(err, &u), body)
		require.Equal(t, cause, u.Cause, body)
	}
}

// An event that is named in a header has its name in the stream as a token only, and no
// body can claim another one. What the mapping does not list is "other".
func TestMappedEventsInHeaders(t *testing.T) {
	t.Parallel()
	m := shopMapping(t)
	m.Event, m.WebhookID = provider.Place{Header: "x-topic"}, provider.Place{Path: paths(t, "no")}
	p, err := provider.NewMapped(m)
	require.NoError(t, err)
	for topic, want := range map[string]string{"Order/Gone": "order-gone", "order.new": "order-new", "order-gone": "other", "": "other"} {
		r := &provider.Request{Header: map[string][]string{"X-Topic": {topic}}, Body: []byte(`{"no":12,"type":"menu","data":{"or.der":"x"}}`)}
		identity, err := p.Identify(r)
		require.NoError(t, err)
		require.Equal(t, provider.Identity{Event: want, WebhookID: "12"}, identity, topic)

		w := webhook(p, string(r.Body))
		w.Event = identity.Event
		event, err := p.Translate(w)
		if want == provider.Other {
			require.ErrorIs(t, err, domain.ErrNotAboutOrder)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, topic, event.Name)

		asked := &provider.Request{}
		p.SetEvent(asked, want)
		require.Equal(t, []string{topic}, asked.Header["X-Topic"], "the token stands for the name")
	}
}

// No mapping can put a tombstone on the stream: the token of an erasure is ticketrail's own.
func TestNoMappingErases(t *testing.T) {
	t.Parallel()
	for _, name := range []string{domain.EventErased, "ERASED"} {
		m := shopMapping(t)
		m.Events = append(m.Events, provider.MappedEvent{Name: name})
		_, err := provider.NewMapped(m)
		var wrong *provider.MappingError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, "events."+name, wrong.Key)
	}
}

// The id of Standard Webhooks is the signed one, unless the mapping knows of a better one.
func TestMappedWebhookIDs(t *testing.T) {
	t.Parallel()
	p := shop(t)
	r := &provider.Request{Body: []byte(`{"type":"order.new"}`)}
	p.Sign(r, p.NewSecret([24]byte{1}), "msg_1")
	identity, err := p.Identify(r)
	require.NoError(t, err)
	require.Equal(t, provider.Identity{Event: "order-new", WebhookID: "msg_1"}, identity)
	require.Equal(t, []string{"order-new", "order-7", "order-gone", "menu"}, p.Events())
}

// A digest changes with all that decides what a stored webhook means, and with nothing else:
// it has read models made anew.
func TestMappingDigest(t *testing.T) {
	t.Parallel()
	plain := shop(t).Digest()
	digest := func(change func(m *provider.Mapping)) string {
		m := shopMapping(t)
		change(&m)
		p, err := provider.NewMapped(m)
		require.NoError(t, err)
		return p.Digest()
	}
	for i, change := range []func(m *provider.Mapping){
		func(*provider.Mapping) {},
		func(m *provider.Mapping) { m.Signature = provider.Signature{Scheme: "basic"} },
		func(m *provider.Mapping) { m.WebhookID = provider.Place{Header: "x-id"} },
		func(m *provider.Mapping) { m.Examples = []provider.Example{{}} },
	} {
		require.Equal(t, plain, digest(change), i)
	}
	for i, change := range []func(m *provider.Mapping){
		func(m *provider.Mapping) { m.Name = "other-shop" },
		func(m *provider.Mapping) { m.Event = provider.Place{Header: "x-topic"} },
		func(m *provider.Mapping) { m.Order = m.Order[:1] },
		func(m *provider.Mapping) { m.Time = m.Time[1:] },
		func(m *provider.Mapping) { m.Refunded = nil },
		func(m *provider.Mapping) { m.MinorDigits = 3 },
		func(m *provider.Mapping) { m.MinorDigitsOf = map[string]int{"JPY": 0} },
		func(m *provider.Mapping) { m.Events = m.Events[1:] },
		func(m *provider.Mapping) { m.Events[0], m.Events[1] = m.Events[1], m.Events[0] },
		func(m *provider.Mapping) { m.Events[0].Payment = domain.PaymentPaid },
		func(m *provider.Mapping) { m.Events[2].Without = nil },
	} {
		require.NotEqual(t, plain, digest(change), i)
	}
}

// A path that is written in another language, or cannot be meant, is refused.
func TestPaths(t *testing.T) {
	t.Parallel()
	for text, pointer := range map[string]string{
		"id": "/id", "a.b.0": "/a/b/0", "/a.b/c~1d": "/a.b/c~1d", "{a.b}": "/a/b", "x-{a}-{/b.c}": "/a", "order": "/order",
	} {
		var path provider.Path
		require.NoError(t, path.UnmarshalText([]byte(text)), text)
		require.Equal(t, pointer, path.Pointer(), text)
		written, err := path.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, string(written))
	}
	for _, text := range []string{"", ".", "a..b", "$.a", "a[0]", "items[*].id", "a b", "{a", "a}", "{{a}}", "{}", "{a}}", "/a~2b", "{/a~}", string(make([]byte, 200))} {
		require.Error(t, new(provider.Path).UnmarshalText([]byte(text)), text)
	}
}

// What is put together of several values is taken apart again, for who makes webhooks.
func TestPathsAreTakenApart(t *testing.T) {
	t.Parallel()
	split := func(path, text string) map[string]string { return paths(t, path)[0].Split(text) }
	require.Equal(t, map[string]string{"/a": "x:y"}, split("a", "x:y"))
	require.Equal(t, map[string]string{"/a": "x", "/b": "y:z"}, split("{a}:{b}", "x:y:z"))
	require.Equal(t, map[string]string{"/b": "y"}, split("{a}:{b}", "y"))
	require.Equal(t, map[string]string{"/a": "7"}, split("order-{a}", "order-7"))
}

// Whatever the path and whatever the body, it leads to a value or to none.
func FuzzPath(f *testing.F) {
	f.Add("a.0.b", []byte(`{"a":[{"b":1}]}`))
	f.Add("{a}:{b/c}", []byte(`{"a":"x","b":{"c":true}}`))
	f.Add("/a~1b", []byte(`{"a/b":null}`))
	f.Add("\x83", []byte("0"))
	f.Fuzz(func(t *testing.T, text string, body []byte) {
		var path provider.Path
		if path.UnmarshalText([]byte(text)) != nil {
			return
		}
		p, err := provider.NewMapped(provider.Mapping{
			Name: "acme", Signature: provider.Signature{Scheme: "basic"}, Event: provider.Place{Path: provider.Paths{path}}, Order: provider.Paths{path},
			Reference: provider.Paths{path}, Status: provider.Paths{path}, Events: []provider.MappedEvent{{Name: "1"}, {Name: "x:true"}},
		})
		require.NoError(t, err)
		path.Split(string(body))
		fuzzedIdentity(t, p, body)
		event, err := p.Translate(webhook(p, string(body)))
		if err == nil {
			requireKeepable(t, event)
		}
	})
}

// Whatever the bytes, a mapping gives an event that a read model can keep, or one of the
// documented errors.
func FuzzTranslateMapped(f *testing.F) {
	p := shop(f)
	f.Add([]byte(`{"type":"order.new","data":{"store":"s","id":"1","currency":"eur","total":"1250","at":"2026-01-02T03:04:06.5Z","items":[{"name":"a"},{"name":"b"}]}}`))
	f.Add([]byte(`{"type":"order","data":{"or.der":"x","status":7,"currency":"KWD","total":1250,"at":1767323045}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		fuzzedIdentity(t, p, body)
		event, err := p.Translate(webhook(p, string(body)))
		var u *domain.Untranslatable
		switch {
		case errors.As(err, &u):
			require.Contains(t, []string{domain.CauseMalformed, domain.CauseTooDeep, domain.CauseWrongType, domain.CauseKeyMissing, domain.CauseKeyUnusable}, u.Cause)
		case err != nil:
			require.ErrorIs(t, err, domain.ErrNotAboutOrder)
		default:
			requireKeepable(t, event)
		}
	})
}

func fuzzedIdentity(t *testing.T, p *provider.Mapped, body []byte) {
	identity, err := p.Identify(&provider.Request{Body: body})
	if err != nil {
		require.True(t, errors.Is(err, provider.ErrNotJSON) != errors.Is(err, provider.ErrNotObject))
		return
	}
	require.Contains(t, append(p.Events(), provider.Other), identity.Event)
}

func moment(t *testing.T, text string) domain.Instant {
	t.Helper()
	at, err := domain.ParseInstant(text)
	require.NoError(t, err)
	return at
}
