package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// tombstone is an erasure as it is on the stream.
func tombstone(t testing.TB, erased ...*domain.Webhook) *domain.Webhook {
	t.Helper()
	body, err := (&domain.Erasure{Key: "o-1", By: "local", Reason: "asked for", Webhooks: erased}).Body()
	require.NoError(t, err)
	return &domain.Webhook{
		Provider: "ivy", Source: "shop", Event: domain.EventErased, Body: body, BodyDigest: domain.DigestBody(body),
		StreamSequence: 9, ReceivedAt: second(9), StoredAt: second(9),
	}
}

// A tombstone tells what is left of each webhook: all of it but the body. The digest of
// a stream does not tell one from the other.
func TestTombstoneKeepsWhatIsLeft(t *testing.T) {
	t.Parallel()
	came := &domain.Webhook{
		Provider: "ivy", Source: "shop", Event: "order_updated", ID: "evt_1", ContentType: "text/plain", Body: []byte("Alva"),
		BodyDigest: domain.DigestBody([]byte("Alva")), StreamSequence: 3, ReceivedAt: second(1), StoredAt: second(3),
	}
	means := &domain.Event{Kind: domain.Snapshot, Key: "o-1", Name: "order_updated", Facts: domain.Facts{Reference: "Alva", StoreID: "s"}}
	left := came.Erased(means, tokens)
	require.Equal(t, "Alva", string(came.Body), "the webhook that came stays as it is")
	require.Equal(t, "Alva", means.Reference)
	require.Equal(t, 4, left.Length())

	erasure, err := domain.ParseErasure(tombstone(t, left))
	require.NoError(t, err)
	require.Equal(t, &domain.Erasure{Key: "o-1", By: "local", Reason: "asked for", Webhooks: []*domain.Webhook{left}}, erasure)
	require.Equal(t, came.Chain(domain.Digest{}), erasure.Webhooks[0].Chain(domain.Digest{}))
}

// What a webhook says in ticketrail's own words is what is left of it, or that it erases
// its order; and nothing, where it is a sender's. Who adds to what it says changes no
// webhook.
func TestOwnWords(t *testing.T) {
	t.Parallel()
	came := &domain.Webhook{Event: "order_updated", Body: []byte(`{"key":"o-1"}`), StreamSequence: 3}
	event, err := came.Own()
	require.NoError(t, err)
	require.Nil(t, event)

	left := came.Erased(&domain.Event{Key: "o-1", Anomalies: make([]domain.Anomaly, 1, 8)}, tokens)
	for range 2 {
		event, err = left.Own()
		require.NoError(t, err)
		require.Equal(t, []domain.Anomaly{{}}, event.Anomalies)
		event.Key, event.Anomalies = "o-2", append(event.Anomalies, domain.Anomaly{Code: "more"})
		event.Anomalies[0].Code = "other"
	}
	event, err = tombstone(t).Own()
	require.NoError(t, err)
	require.Equal(t, tomb.Kind, event.Kind)
	require.Equal(t, "o-1", event.Key)
}

// No erasure is made of what is none: a webhook that is listed came before it, and has
// something left.
func TestNoErasure(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{}`, `[]`, `{"key":"","webhooks":[]}`, `{"key":7}`, `{"key":"o-1","webhooks":[{}]}`, `{"key":"o-1","webhooks":[{"stream_sequence":3}]}`,
		`{"key":"o-1","webhooks":[{"stream_sequence":9,"sha256":"` + digits64 + `","remains":{"length":1,"event":{"kind":"step","key":"o-1"}}}]}`,
		`{"key":"o-1","webhooks":[{"stream_sequence":3,"sha256":"00","remains":{"length":1,"event":{"kind":"step","key":"o-1"}}}]}`,
		`{"key":"o-1","webhooks":[{"stream_sequence":3,"sha256":"` + digits64 + `","remains":{"length":1,"event":{"kind":"leap","key":"o-1"}}}]}`,
	} {
		w := tombstone(t)
		w.Body = []byte(body)
		_, err := domain.ParseErasure(w)
		require.Error(t, err, body)
		_, err = w.Own()
		require.Equal(t, &domain.Untranslatable{Cause: domain.CauseErasure}, err, body)
	}
	w := tombstone(t)
	w.Event = "order_updated"
	_, err := domain.ParseErasure(w)
	require.Error(t, err, "the body alone makes no erasure")
}

const digits64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// Whatever a tombstone holds, it is read or refused; and what is read can be written, and
// is read the same again.
func FuzzParseErasure(f *testing.F) {
	f.Add(tombstone(f, (&domain.Webhook{StreamSequence: 3, Body: []byte("{}")}).Erased(&domain.Event{Key: "o-1"}, tokens)).Body)
	f.Add([]byte(`{"key":"o-1","webhooks":[]}`))
	f.Add([]byte(`{"key":"o-1","webhooks":[{"stream_sequence":3,"sha256":"` + digits64 + `","remains":{"event":{"kind":"snapshot","stamp":"///"}}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := tombstone(t)
		w.Body = body
		erasure, err := domain.ParseErasure(w)
		if err != nil {
			return
		}
		w.Body, err = erasure.Body()
		require.NoError(t, err)
		again, err := domain.ParseErasure(w)
		require.NoError(t, err)
		written, err := again.Body()
		require.NoError(t, err)
		require.Equal(t, string(w.Body), string(written))
	})
}
