package provider_test

import (
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
}
