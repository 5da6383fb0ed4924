package projector_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

// acme gives a mapped provider, in whose webhooks the order key is at a path.
func acme(t *testing.T, order string) provider.Provider {
	t.Helper()
	var key, event provider.Path
	require.NoError(t, key.UnmarshalText([]byte(order)))
	require.NoError(t, event.UnmarshalText([]byte("type")))
	p, err := provider.NewMapped(provider.Mapping{
		Name: "acme", Signature: provider.Signature{Scheme: "basic"}, Event: provider.Place{Path: provider.Paths{event}}, Order: provider.Paths{key},
		Events: []provider.MappedEvent{{Name: "paid", Payment: domain.PaymentPaid}},
	})
	require.NoError(t, err)
	return p
}

// A read model remembers by which mappings it was made, of the providers of its webhooks
// alone, and goes on with these only: another one would give other orders, and none none.
func TestAReadModelGoesOnWithItsOwnMappings(t *testing.T) {
	t.Parallel()
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	log := projectortest.StartBroker(t, t.TempDir())
	same := append(provider.All(), acme(t, "id"))

	last := log.Accept(projectortest.Ordatic("order-accepted", "o-1"))
	run(t, log, model, last, projector.Config{Providers: same})
	checkpoint, err := model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Empty(t, checkpoint.Mappings, "of a provider without webhooks nothing is remembered")

	last = log.AcceptAs(&domain.Webhook{Provider: "acme", Source: "shop", Event: "paid", Body: []byte(`{"type":"paid","id":7,"no":8}`)})
	run(t, log, model, last, projector.Config{Providers: same})
	checkpoint, err = model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, checkpoint.Counts.Applied)
	require.Equal(t, domain.Mappings("").With("acme", acme(t, "id").(*provider.Mapped).Digest()), checkpoint.Mappings)

	require.ErrorIs(t, stopped(t, log, model, append(provider.All(), acme(t, "no"))...), projector.ErrOtherMapping)
	require.ErrorIs(t, stopped(t, log, model, provider.All()...), projector.ErrOtherMapping)
	last = log.AcceptAs(&domain.Webhook{Provider: "acme", Source: "shop", Event: "paid", Body: []byte(`{"type":"paid","id":9,"no":8}`)})
	run(t, log, model, last, projector.Config{Providers: same})
}

// Webhooks that came while no mapping was configured are quarantined, and the read model
// knows: once there is one, it is none of that mapping's.
func TestAReadModelKnowsWhatItCouldNotRead(t *testing.T) {
	t.Parallel()
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	log := projectortest.StartBroker(t, t.TempDir())
	last := log.AcceptAs(&domain.Webhook{Provider: "acme", Source: "shop", Event: "paid", Body: []byte(`{"type":"paid","id":7}`)})
	run(t, log, model, last, projector.Config{})
	checkpoint, err := model.Checkpoint(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, checkpoint.Counts.Quarantined)
	require.Equal(t, domain.Mappings("acme="), checkpoint.Mappings)
	require.ErrorIs(t, stopped(t, log, model, append(provider.All(), acme(t, "id"))...), projector.ErrOtherMapping)
}
