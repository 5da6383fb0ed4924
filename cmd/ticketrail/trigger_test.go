package main_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/fixture"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// Every event that can be triggered is taken by the real ingest, under the provider's own
// name of it, and by the real projector: none is set aside or of no use, and each that
// speaks of an order makes the order that was asked for.
func TestEveryFixtureIsTakenAndUnderstood(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	sent, ordered := 0, 0
	for _, adapter := range provider.All() {
		all, err := fixture.Of(adapter)
		require.NoError(t, err)
		for i, f := range all {
			order := fmt.Sprintf("order-%d", i)
			flags := []string{}
			if f.AboutOrder {
				flags, ordered = []string{"--order", order}, ordered+1
			}
			sent++
			p.triggers(t, f, sent, flags...)
			if f.AboutOrder {
				p.get(t, fmt.Sprintf("/v1/orders/%s/%s?min_stream_sequence=%d", adapter.Name(), keyOf(f, order), sent), &struct{}{})
			}
		}
	}
	counts := p.caughtUp(t).Counts
	require.EqualValues(t, sent, counts.Sum)
	require.EqualValues(t, ordered, counts.Applied)
	require.EqualValues(t, sent-ordered, counts.NotAboutOrder)
	p.stop(t)
}

// keyOf gives the key of an order whose name is the second part of it only.
func keyOf(f fixture.Fixture, order string) string {
	if f.Provider.Name() == "ordatic" {
		return "store-7:" + order
	}
	return order
}

// triggers sends one webhook of a fixture, which is stored at a stream sequence under the
// name of its event.
func (p *process) triggers(t *testing.T, f fixture.Fixture, at int, flags ...string) {
	t.Helper()
	var told struct {
		StreamSequence int `json:"stream_sequence"`
		Duplicate      bool
	}
	said := p.run(t, append([]string{"trigger", f.Provider.Name(), f.Name, "--json"}, flags...)...)
	require.NoError(t, json.Unmarshal([]byte(said), &told), said)
	require.Equal(t, at, told.StreamSequence, f.Name)
	require.False(t, told.Duplicate, f.Name)
	var stored api.Webhook
	p.get(t, fmt.Sprintf("/v1/webhooks/%d", at), &stored)
	require.Equal(t, f.Event, stored.Event)
	require.True(t, strings.HasPrefix(strings.ReplaceAll(f.Name, ".", "-"), f.Event), f.Name)
}
