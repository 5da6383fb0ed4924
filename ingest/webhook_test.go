package ingest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/ingest"
)

const firstReceipt = `{"stream_sequence":1,"duplicate":false}`

// An authentic webhook of every provider gets exactly the documented answer, and
// the stream holds exactly its bytes.
func TestWebhookIsStoredAsItCame(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		source, body, event, id string
	}{
		{"runa", `{ "id":"o-1", "status":"COMPLETED" }`, "order-completion", "msg_1"},
		{"ivy", `{"id":"wh-1","type":"order_updated","payload":{"id":"o-1"}}`, "order_updated", "wh-1"},
		{"ordatic", "{\"eventType\":\"rider-picking\",\r\n\"storeId\":\"s\"}\n", "rider-picking", ""},
		{"payway", `{"event":"order_closed"}`, "", ""},
	} {
		t.Run(test.source, func(t *testing.T) {
			t.Parallel()
			r := start(t)

			got := r.do(t, r.signed(t, test.source, "msg_1", []byte(test.body)))

			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Equal(t, firstReceipt, got.body)
			require.Equal(t, "application/json", got.header.Get("Content-Type"))
			w := r.webhook(t, 1)
			require.Equal(t, test.body, string(w.Body))
			require.Equal(t, domain.DigestBody([]byte(test.body)), w.BodyDigest)
			require.Equal(t, test.source, w.Provider)
			require.Equal(t, test.source, w.Source)
			require.Equal(t, test.id, w.ID)
			require.Empty(t, w.ContentType)
			if test.event != "" {
				require.Equal(t, test.event, w.Event)
			}
		})
	}
}

// A retransmission gets the first answer again, as a duplicate; another body
// under the same id is another webhook.
func TestRetransmission(t *testing.T) {
	t.Parallel()
	r := start(t)
	body, other := []byte(`{"id":"o-1","status":"FAILED"}`), []byte(`{"id":"o-2","status":"FAILED"}`)

	require.Equal(t, firstReceipt, r.do(t, r.signed(t, "runa", "msg_1", body)).body)
	require.Equal(t, `{"stream_sequence":1,"duplicate":true}`, r.do(t, r.signed(t, "runa", "msg_1", body)).body)
	require.Equal(t, `{"stream_sequence":2,"duplicate":false}`, r.do(t, r.signed(t, "runa", "msg_1", other)).body)
	require.EqualValues(t, 2, r.stored(t))
}

// Where the provider gives no id, byte-identical webhooks are all stored: a
// second rider looks like a retry of the first.
func TestWebhooksWithoutIDAreNeverAbsorbed(t *testing.T) {
	t.Parallel()
	r := start(t)
	body := []byte(`{"eventType":"rider-created","storeId":"s","data":{"orderId":"o-1"}}`)

	require.Equal(t, firstReceipt, r.do(t, r.signed(t, "ordatic", "", body)).body)
	require.Equal(t, `{"stream_sequence":2,"duplicate":false}`, r.do(t, r.signed(t, "ordatic", "", body)).body)
}

// Every authentic JSON object is taken, whatever it says: what it means is for
// the projector to find out, or to quarantine.
func TestEveryAuthenticObjectIsTaken(t *testing.T) {
	t.Parallel()
	r := start(t)
	for name, body := range map[string]string{
		"empty object":        `{}`,
		"white space":         " \t\r\n{}\n",
		"unknown event":       `{"eventType":"order-teleported","storeId":"s","data":{"orderId":"o"}}`,
		"no order id":         `{"eventType":"order-accepted","storeId":"s","data":{}}`,
		"empty order id":      `{"eventType":"order-accepted","storeId":"s","data":{"orderId":""}}`,
		"numeric order id":    `{"eventType":"order-accepted","storeId":"s","data":{"orderId":42}}`,
		"long order id":       `{"eventType":"order-accepted","storeId":"s","data":{"orderId":"` + strings.Repeat("x", 10_000) + `"}}`,
		"subject characters":  `{"eventType":"order-accepted","storeId":"a.*.>","data":{"orderId":"../..:>* "}}`,
		"event as a subject":  `{"eventType":"a.b.> *","storeId":"s","data":{"orderId":"o"}}`,
		"NUL and quotes":      `{"eventType":"order-accepted","storeId":"\u0000","data":{"orderId":"\"'\u0000"}}`,
		"markup":              `{"eventType":"order-accepted","storeId":"s","data":{"orderId":"<script>\u202e"}}`,
		"duplicate keys":      `{"eventType":"order-accepted","eventType":"order-canceled"}`,
		"keys by case":        `{"eventType":"order-accepted","EVENTTYPE":"order-canceled"}`,
		"invalid UTF-8":       "{\"eventType\":\"\xff\xfe\"}",
		"number out of range": `{"eventType":1e400}`,
		"nested":              `{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`,
		"values missing":      `{"eventType":null,"storeId":{},"data":""}`,
		"proof not base64":    `{"eventType":"rider-proof-delivery","data":{"proofDelivery":"%%%"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			before := r.stored(t)

			got := r.do(t, r.signed(t, "ordatic", "", []byte(body)))

			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Equal(t, fmt.Sprintf(`{"stream_sequence":%d,"duplicate":false}`, before+1), got.body)
			require.Equal(t, body, string(r.webhook(t, before+1).Body))
		})
	}
	require.Empty(t, r.kept(t))
}

// All secrets of a source are active at once, and only those.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		t.Run(p.Name(), func(t *testing.T) {
			t.Parallel()
			r := start(t, func(c *ingest.Config) {
				c.Sources = []ingest.Source{{Name: p.Name(), Provider: p, Secrets: []string{secretOf(p, 1), secretOf(p, 2)}}}
			})
			status := func(seed byte) int {
				return r.do(t, r.signedWith(t, p.Name(), secretOf(p, seed), "msg_1", []byte(`{}`))).status
			}
			require.Equal(t, http.StatusOK, status(1))
			require.Equal(t, http.StatusOK, status(2))
			require.Equal(t, http.StatusUnauthorized, status(3))
		})
	}
}

// No header of a request changes the stream: not what it holds, not what it
// takes for a duplicate.
func TestNatsHeadersDoNothing(t *testing.T) {
	t.Parallel()
	r := start(t)
	require.Equal(t, http.StatusOK, r.do(t, r.signed(t, "ordatic", "", []byte(`{"n":0}`))).status)
	for i := range 2 {
		request := r.signed(t, "ordatic", "", []byte(`{"n":1}`))
		for name, value := range map[string]string{
			"Nats-Rollup":                 "all",
			"Nats-Msg-Id":                 "the-same",
			"Nats-Expected-Last-Sequence": "99",
			"Nats-TTL":                    "1s",
			"Ticketrail-Webhook-Id":       "forged",
			"Ticketrail-Received-At":      "2001-01-01T00:00:00Z",
		} {
			request.Header.Set(name, value)
		}
		require.Equal(t, fmt.Sprintf(`{"stream_sequence":%d,"duplicate":false}`, i+2), r.do(t, request).body)
	}
	require.EqualValues(t, 3, r.stored(t))
	w := r.webhook(t, 2)
	require.Empty(t, w.ID)
	require.NotEqual(t, 2001, w.ReceivedAt.Time().Year())
}

// The media type is stored in our own writing, and only where it is not JSON.
func TestContentType(t *testing.T) {
	t.Parallel()
	r := start(t)
	for name, test := range map[string]struct{ sent, stored string }{
		"none":           {"", ""},
		"JSON":           {"Application/JSON; charset=utf-8", ""},
		"other":          {"TEXT/Plain;charset=UTF-8", "text/plain; charset=UTF-8"},
		"unreadable":     {"nonsense; =;;", ""},
		"long parameter": {"text/plain; a=" + strings.Repeat("x", 200), "text/plain"},
		"long type":      {"text/" + strings.Repeat("x", 200), ""},
	} {
		t.Run(name, func(t *testing.T) {
			next := r.stored(t) + 1
			request := r.signed(t, "ordatic", "", []byte(`{}`))
			request.Header.Set("Content-Type", test.sent)

			require.Equal(t, http.StatusOK, r.do(t, request).status)
			require.Equal(t, test.stored, r.webhook(t, next).ContentType)
		})
	}
}

// Concurrent senders each get the stream sequence of their own bytes.
func TestConcurrentSenders(t *testing.T) {
	t.Parallel()
	const senders, each = 32, 8
	r := start(t)
	var receipts sync.Map // body → receipt
	var group errgroup.Group
	for sender := range senders {
		for i := range each {
			body := fmt.Sprintf(`{"sender":%d,"i":%d}`, sender, i)
			request := r.signed(t, "ordatic", "", []byte(body))
			group.Go(func() error {
				got, err := r.send(request)
				receipts.Store(body, got.body)
				return err
			})
		}
	}
	require.NoError(t, group.Wait())

	require.EqualValues(t, senders*each, r.stored(t))
	for streamSequence := range uint64(senders * each) {
		body := string(r.webhook(t, streamSequence+1).Body)
		got, _ := receipts.Load(body)
		require.Equal(t, fmt.Sprintf(`{"stream_sequence":%d,"duplicate":false}`, streamSequence+1), got)
	}
}

// A proof of delivery may fill the default limit of 4 MiB, and arrives whole.
func TestLargestDefaultBody(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *ingest.Config) { c.MaxBody = 0 })
	body := padded(ingest.DefaultMaxBody)

	require.Equal(t, firstReceipt, r.do(t, r.signed(t, "ordatic", "", body)).body)
	require.True(t, bytes.Equal(body, r.webhook(t, 1).Body))
}

// padded gives a JSON object of exactly that many bytes.
func padded(size int) []byte {
	return fmt.Appendf(nil, `{"a":"%s"}`, strings.Repeat("x", size-len(`{"a":""}`)))
}
