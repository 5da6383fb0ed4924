package provider_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// A provider tells of the states that its webhooks bring, and of no others but placed,
// where an order begins.
func TestStatesAreThoseOfTheWebhooks(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		brought := map[domain.State]bool{domain.StatePlaced: true}
		for _, body := range files(t, filepath.Join(testdata, "webhooks", p.Name())) {
			if event, err := p.Translate(webhook(p, string(body))); err == nil && event.Kind != domain.Tombstone {
				brought[event.Standing.State()] = true
			}
		}
		var want []domain.State
		for _, state := range domain.States() {
			if brought[state] {
				want = append(want, state)
			}
		}
		require.Equal(t, want, provider.States(p.Name()), p.Name())
	}
	require.Equal(t, domain.States(), provider.States("no such"))
	require.Equal(t, provider.States("ivy"), provider.StatesOf(provider.Ivy{}))
}

// Of a provider with a mapping those are told that its events lead to.
func TestStatesOfAMapping(t *testing.T) {
	t.Parallel()
	path := func(text string) (p provider.Path) {
		require.NoError(t, p.UnmarshalText([]byte(text)))
		return p
	}
	mapped, err := provider.NewMapped(provider.Mapping{
		Name: "acme", Signature: provider.Signature{Scheme: "header", Header: "X-Acme"},
		Event: provider.Place{Path: provider.Paths{path("type")}}, Order: provider.Paths{path("{shop}:{number}")},
		Events: []provider.MappedEvent{
			{Name: "cooking", Fulfillment: domain.FulfillmentInKitchen},
			{Name: "done", Outcome: domain.OutcomeCompleted},
			{Name: "menu", Ignored: true},
		},
	})
	require.NoError(t, err)
	require.Equal(t, []domain.State{domain.StatePlaced, domain.StateInKitchen, domain.StateCompleted}, provider.StatesOf(mapped))

	_, err = mapped.Translate(&domain.Webhook{Provider: "acme", Body: []byte(`{"type":"done","shop":"s"}`)})
	untranslatable, is := errors.AsType[*domain.Untranslatable](err)
	require.True(t, is)
	require.Equal(t, "/number", untranslatable.Where, "of a key of two values the one that is not there")
}
