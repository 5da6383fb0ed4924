package provider_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// The event is the token of a published name, and "other" for every other text:
// nothing of the sender's gets further than this.
func TestIdentifyEvent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		provider    provider.Provider
		body, event string
	}{
		{provider.Ivy{}, `{"type":"order_updated"}`, "order_updated"},
		{provider.Ivy{}, `{"type":"refund.succeeded"}`, "refund-succeeded"},
		{provider.Ivy{}, `{"type":"refund_succeeded"}`, "refund_succeeded"},
		{provider.Ivy{}, `{"type":"refund-succeeded"}`, provider.Other},
		{provider.Ivy{}, `{"type":"ORDER_UPDATED"}`, provider.Other},
		{provider.Ivy{}, `{"type":"other"}`, provider.Other},
		{provider.Ivy{}, `{"Type":"order_updated"}`, provider.Other},
		{provider.Ivy{}, `{"type":7}`, provider.Other},
		{provider.Ivy{}, `{"payload":{"type":"order_updated"}}`, provider.Other},
		{provider.Ordatic{}, `{"eventType":"rider-created"}`, "rider-created"},
		{provider.Ordatic{}, `{"eventType":"order-*.>"}`, provider.Other},
		{provider.Ordatic{}, `{"\u0065ventType":"rider\u002dcreated"}`, "rider-created"},
		{provider.Ordatic{}, `{}`, provider.Other},
		{provider.Payway{}, `{"event":"order_closed"}`, "order_closed"},
		{provider.Payway{}, `{"event_name":"order_closed"}`, provider.Other},
		{provider.Runa{}, `{"id":"O-1","status":"COMPLETED"}`, "order-completion"},
		{provider.Runa{}, `{"product_code":"TEA","id":"O-1","status":"COMPLETED"}`, "product-update"},
		{provider.Runa{}, `{"product_code":"TEA"}`, "product-update"},
		{provider.Runa{}, `{"id":"O-1"}`, provider.Other},
	} {
		identity, err := c.provider.Identify(&provider.Request{Body: []byte(c.body)})
		require.NoError(t, err, c.body)
		require.Equal(t, c.event, identity.Event, c.body)
	}
}

// An authentic JSON object is always taken, odd as it may be; anything else is
// told apart by whether it is JSON.
func TestIdentifyTakesEveryObject(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]error{
		`{}`:                          nil,
		" \n{ \"a\" : [ ] }\t":        nil,
		`{"id":1,"id":2}`:             nil,
		"{\"a\":\"\xff\"}":            nil,
		`{"a":"\ud800"}`:              nil,
		`{"a":1e400}`:                 nil,
		`{"a":` + nested(9_000) + `}`: nil,

		`[]`:   provider.ErrNotObject,
		`[{}]`: provider.ErrNotObject,
		`null`: provider.ErrNotObject,
		`"{}"`: provider.ErrNotObject,
		`12`:   provider.ErrNotObject,

		``:                             provider.ErrNotJSON,
		` `:                            provider.ErrNotJSON,
		`{`:                            provider.ErrNotJSON,
		`{"a":1,}`:                     provider.ErrNotJSON,
		`{"a" 1}`:                      provider.ErrNotJSON,
		`{a:1}`:                        provider.ErrNotJSON,
		`{1:1}`:                        provider.ErrNotJSON,
		`{"a":01}`:                     provider.ErrNotJSON,
		`{"a":NaN}`:                    provider.ErrNotJSON,
		`{} {}`:                        provider.ErrNotJSON,
		`{}x`:                          provider.ErrNotJSON,
		`[]x`:                          provider.ErrNotJSON,
		`a=1&b=2`:                      provider.ErrNotJSON,
		"\ufeff{}":                     provider.ErrNotJSON,
		"{\"a\":\"\n\"}":               provider.ErrNotJSON,
		"\x1f\x8b\x08":                 provider.ErrNotJSON,
		"{\"a\":\"\x00\"}":             provider.ErrNotJSON,
		`{"a":` + nested(10_001) + `}`: provider.ErrNotJSON,
	} {
		for _, p := range provider.All() {
			_, err := p.Identify(&provider.Request{Body: []byte(body)})
			require.ErrorIs(t, err, want, "%s %.40s", p.Name(), body)
		}
	}
}

// The webhook id is where the provider puts it, and is nothing where it could not
// serve as an id: too long, or with characters that headers cannot carry.
func TestIdentifyWebhookID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"wh-1":                   "wh-1",
		"":                       "",
		strings.Repeat("w", 200): strings.Repeat("w", 200),
		strings.Repeat("w", 201): "",
		"wh\r\nNats-Rollup: all": "",
		"wh\x00":                 "",
		"wh\xff":                 "",
		"wh 1/ø":                 "wh 1/ø",
	} {
		svix := &provider.Request{Body: []byte(`{}`), At: now}
		provider.Runa{}.Sign(svix, vectorSecret, id)
		identity, err := provider.Runa{}.Identify(svix)
		require.NoError(t, err)
		require.Equal(t, want, identity.WebhookID, "%q", id)
	}
	for body, want := range map[string]string{
		`{"id":"wh-1","type":"test"}`: "wh-1",
		`{"id":""}`:                   "",
		`{"id":12}`:                   "",
		`{"id":"a\u0000b"}`:           "",
		"{\"id\":\"a\xffb\"}":         "",
		`{"id":"` + strings.Repeat("w", 201) + `"}`: "",
		`{"payload":{"id":"order"},"id":"wh-2"}`:    "wh-2",
	} {
		identity, err := provider.Ivy{}.Identify(&provider.Request{Body: []byte(body)})
		require.NoError(t, err)
		require.Equal(t, want, identity.WebhookID, body)
	}
	for _, p := range []provider.Provider{provider.Ordatic{}, provider.Payway{}} {
		identity, err := p.Identify(&provider.Request{Body: []byte(`{"id":"not a webhook's"}`)})
		require.NoError(t, err)
		require.Empty(t, identity.WebhookID, p.Name())
	}
}

// nested gives arrays in arrays.
func nested(levels int) string {
	return strings.Repeat("[", levels) + strings.Repeat("]", levels)
}

// No sender can put a tombstone on the stream: no provider publishes an event of that
// token, and what calls itself so is an event like any unknown one.
func TestNoSenderErases(t *testing.T) {
	t.Parallel()
	body := []byte(`{"type":"erased","eventType":"erased","event":"erased","id":"erased","status":"erased","key":"o-1","webhooks":[]}`)
	for _, p := range provider.All() {
		require.NotContains(t, p.Events(), domain.EventErased)
		identity, err := p.Identify(&provider.Request{Body: body, Header: map[string][]string{"X-Event": {domain.EventErased}}})
		require.NoError(t, err)
		require.NotEqual(t, domain.EventErased, identity.Event, p.Name())
	}
}
