package main_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// The reference of the configuration in docs is the one that the program prints. -update
// rewrites it.
func TestConfigReferenceGolden(t *testing.T) {
	t.Parallel()
	const page = "../../docs/configuration.md"
	printed, err := exec.CommandContext(t.Context(), binary, "config", "reference").Output()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(page, printed, 0o644))
	}
	committed, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, string(committed), string(printed), "run: make golden")
}
