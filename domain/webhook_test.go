package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// The chain changes with every field that a read model is made from, and with the
// chain before it; text that moves from one field to the next is a change too.
func TestChainChangesWithEveryField(t *testing.T) {
	t.Parallel()
	original := domain.Webhook{
		Provider: "ivy", Source: "shop", Event: "order_updated", ID: "w-1", ContentType: "text/json",
		Body: []byte("{}"), BodyDigest: domain.DigestBody([]byte("{}")), ReceivedAt: second(1), StreamSequence: 1,
	}
	changes := map[string]func(*domain.Webhook){
		"nothing":         func(*domain.Webhook) {},
		"provider":        func(w *domain.Webhook) { w.Provider = "runa" },
		"source":          func(w *domain.Webhook) { w.Source = "shop2" },
		"event":           func(w *domain.Webhook) { w.Event = "other" },
		"id":              func(w *domain.Webhook) { w.ID = "" },
		"content type":    func(w *domain.Webhook) { w.ContentType = "" },
		"body":            func(w *domain.Webhook) { w.BodyDigest = domain.DigestBody([]byte("{ }")) },
		"received":        func(w *domain.Webhook) { w.ReceivedAt = second(2) },
		"stream sequence": func(w *domain.Webhook) { w.StreamSequence = 2 },
		"moved text":      func(w *domain.Webhook) { w.Provider, w.Source = "iv", "yshop" },
	}
	seen := map[domain.Digest]string{original.Chain(domain.Digest{1}): "the chain before"}
	for name, change := range changes {
		changed := original
		change(&changed)
		chain := changed.Chain(domain.Digest{})
		require.NotContains(t, seen, chain, name)
		require.Equal(t, chain, changed.Chain(domain.Digest{}), "the same webhook gives the same chain")
		seen[chain] = name
	}
}
