package ingest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/ingest"
)

// A configuration that cannot be is refused with what is wrong, and no secret.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := ingest.Source{Name: "ivy", Provider: provider.Ivy{}, Secrets: []string{canary}}
	changed := func(change func(*ingest.Source)) []ingest.Source {
		s := good
		change(&s)
		return []ingest.Source{s}
	}
	for wrong, config := range map[string]ingest.Config{
		"no source":             {},
		"two sources":           {Sources: []ingest.Source{good, good}},
		"a name is":             {Sources: changed(func(s *ingest.Source) { s.Name = "a.b" })},
		"no provider":           {Sources: changed(func(s *ingest.Source) { s.Provider = nil })},
		"no secret":             {Sources: changed(func(s *ingest.Source) { s.Secrets = nil })},
		"a rate is":             {Sources: changed(func(s *ingest.Source) { s.Rate = 0.5 })},
		"body budget":           {Sources: []ingest.Source{good}, MaxBody: 2, BodyBudget: 1},
		"a limit is below zero": {Sources: []ingest.Source{good}, MaxInFlight: -1},
	} {
		t.Run(wrong, func(t *testing.T) {
			t.Parallel()
			_, err := ingest.New(nil, config)
			require.ErrorContains(t, err, wrong)
			require.NotContains(t, err.Error(), canary)
		})
	}
}

// Names and providers are enough: everything else has a default.
func TestNewWithDefaults(t *testing.T) {
	t.Parallel()
	_, err := ingest.New(nil, ingest.Config{
		Sources: []ingest.Source{{Name: "ivy", Provider: provider.Ivy{}, Secrets: []string{canary}}},
	})
	require.NoError(t, err)
}
