package simulate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

// Whatever order of whatever provider it is and however its webhooks came, the order
// that is folded from them and then erased is the one that is folded from what their
// erasure left. No personal text is in that, nor in the order.
func TestErasureOfEveryProvider(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 4, 1, 18, 0, 0, 0, time.UTC)
	personal := 0
	rapid.Check(t, func(t *rapid.T) {
		sender := rapid.SampledFrom(provider.All()).Draw(t, "provider")
		sent := simulate.New(rapid.Uint64Max(1000).Draw(t, "seed")).Order(sender.Name(), 1, began)
		repeats := rapid.SliceOfN(rapid.SampledFrom(sent), 0, 3).Draw(t, "repeats")
		live, again := domain.NewOrder("s", sender.Name(), "k"), domain.NewOrder("s", sender.Name(), "k")
		texts, left := map[string]bool{}, []byte{}
		for i, w := range rapid.Permutation(append(sent, repeats...)).Draw(t, "arrivals") {
			webhook := &domain.Webhook{Provider: w.Provider, Event: w.Event, Body: w.Body, BodyDigest: domain.DigestBody(w.Body), StreamSequence: uint64(i + 1)}
			event, err := provider.NewSet(nil).Translate(webhook)
			if err != nil {
				continue
			}
			event.Redact(func(text string) string { texts[text] = true; return text })
			erased, text := throughJSON(t, webhook.Erased(event, domain.Tokens([]byte("key"))))
			left = append(left, text...)
			remains, err := provider.NewSet(nil).Translate(erased)
			require.NoError(t, err)
			at := domain.UnixInstant(int64(i))
			one, other := live.Apply(event, webhook.StreamSequence, at, at), again.Apply(remains, webhook.StreamSequence, at, at)
			require.Equal(t, []any{one.Effect, one.Note, one.News, len(one.Backfilled)}, []any{other.Effect, other.Note, other.News, len(other.Backfilled)})
		}
		tombstone, end := &domain.Event{Kind: domain.Tombstone}, domain.UnixInstant(1000)
		require.Equal(t, live.Apply(tombstone, 1000, end, end), again.Apply(tombstone, 1000, end, end))
		require.Equal(t, live, again)
		document, err := json.Marshal(live)
		require.NoError(t, err)
		for text := range texts {
			personal++
			require.False(t, strings.Contains(string(left)+string(document), text), text)
		}
	})
	require.Positive(t, personal)
}

// throughJSON gives an erased webhook as its tombstone holds it, and the tombstone.
func throughJSON(t *rapid.T, w *domain.Webhook) (*domain.Webhook, []byte) {
	body, err := (&domain.Erasure{Key: "k", Webhooks: []*domain.Webhook{w}}).Body()
	require.NoError(t, err)
	erasure, err := domain.ParseErasure(&domain.Webhook{Provider: w.Provider, Source: w.Source, Event: domain.EventErased, Body: body, StreamSequence: 1000})
	require.NoError(t, err)
	require.Equal(t, w.BodyDigest, erasure.Webhooks[0].BodyDigest)
	require.Equal(t, w.Length(), erasure.Webhooks[0].Length())
	return erasure.Webhooks[0], body
}
