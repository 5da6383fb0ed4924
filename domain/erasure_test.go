package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// An erasure is read back from its body as it was, every webhook with its digest.
func TestErasuresAreReadBack(t *testing.T) {
	t.Parallel()
	w := &domain.Webhook{
		Provider: "ivy", Source: "shop", Event: "order_updated", ID: "id/æ", ContentType: "text/plain",
		ReceivedAt: domain.UnixInstant(7), StoredAt: domain.UnixInstant(8), StreamSequence: 4, BodyDigest: domain.DigestBody([]byte("{}")),
		Remains: &domain.Remains{Length: 2, Event: &domain.Event{Key: "o-1", Name: "order_updated"}},
	}
	e := &domain.Erasure{Key: "o-1", By: "somebody", Reason: "asked for", Webhooks: []*domain.Webhook{w}}
	body, err := e.Body()
	require.NoError(t, err)
	tombstone := &domain.Webhook{Provider: "ivy", Source: "shop", Event: domain.EventErased, Body: body, StreamSequence: 5}
	again, err := domain.ParseErasure(tombstone)
	require.NoError(t, err)
	require.Equal(t, e, again)
	require.Equal(t, w.Chain(domain.Digest{}), again.Webhooks[0].Chain(domain.Digest{}))

	tombstone.StreamSequence = 4
	_, err = domain.ParseErasure(tombstone)
	require.Error(t, err, "nothing erases what comes after it")
}
