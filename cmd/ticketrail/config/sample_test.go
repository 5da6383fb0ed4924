package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// The commented sample is read as strictly as any file, and says the defaults.
func TestTheSampleIsTheDefaultsWithSources(t *testing.T) {
	t.Parallel()
	sample, err := config.Load(config.Inputs{
		File: "../../../deploy/ticketrail.yaml",
		Environ: []string{
			"RUNA_SECRET=" + runaSecret, "IVY_SECRET=" + ivySecret, "ORDATIC_AUTHORIZATION=Bearer x", "PAYWAY_TOKEN=token-of-payway",
		},
	})
	require.NoError(t, err)
	require.Len(t, sample.Sources, 4)
	require.Empty(t, sample.Mappings)
	sample.Sources, sample.Mappings, sample.File = nil, nil, ""
	require.Equal(t, config.Default(), sample)
}
