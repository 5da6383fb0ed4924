package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// Whatever is in a file, it is a configuration, or an error that names a place.
func FuzzConfiguration(f *testing.F) {
	sample, err := os.ReadFile("../../../deploy/ticketrail.yaml")
	require.NoError(f, err)
	f.Add(sample)
	for _, text := range []string{
		"sources: [{ name: shop, provider: ivy, secrets: [s] }]", "sources: [{ name: shop, secrets: [{ env: X }, { file: /dev/null }] }]",
		"ingest: { max_body: 1MiB }\nstream: { max_age: 1h, max_bytes: 0 }", "a: &a [*a]", "limits: { ready: 5m, placed: 0 }", "{", "\x00", "- 1",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "ticketrail.yaml")
		require.NoError(t, os.WriteFile(file, text, 0o600))
		c, err := config.Load(config.Inputs{File: file})
		if err == nil {
			require.NotNil(t, c)
			return
		}
		var told *config.Error
		require.True(t, errors.As(err, &told), "%v", err)
		require.NotEmpty(t, told.Problem)
	})
}
