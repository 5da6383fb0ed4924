package config_test

import (
	"crypto/rand"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// There is a source for each provider, with secrets that the provider takes; once
// kept they are found again.
func TestGeneratedSourcesAreKept(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, err := config.KeptSources(data)
	require.ErrorIs(t, err, fs.ErrNotExist)

	made, err := config.MakeSources(rand.Reader)
	require.NoError(t, err)
	require.Len(t, made, len(provider.All()))
	require.NoError(t, config.KeepSources(data, made))

	kept, err := config.KeptSources(data)
	require.NoError(t, err)
	require.Equal(t, made, kept)

	info, err := os.Stat(config.SourcesFile(data))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

// Two programs do not have the same secrets.
func TestGeneratedSecretsDiffer(t *testing.T) {
	t.Parallel()
	a, err := config.MakeSources(rand.Reader)
	require.NoError(t, err)
	b, err := config.MakeSources(rand.Reader)
	require.NoError(t, err)
	for i := range a {
		require.NotEqual(t, a[i].Secrets, b[i].Secrets)
	}
}

// Where the secrets cannot be made or kept, nothing is left behind.
func TestSourcesAreKeptWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, err := config.MakeSources(strings.NewReader("not enough"))
	require.Error(t, err)
	made, err := config.MakeSources(rand.Reader)
	require.NoError(t, err)
	require.Error(t, config.KeepSources(data+"/missing", made))
	require.NoError(t, os.Mkdir(config.SourcesFile(data), 0o700))
	require.Error(t, config.KeepSources(data, made))
	require.NoError(t, os.Remove(config.SourcesFile(data)))
	left, err := os.ReadDir(data)
	require.NoError(t, err)
	require.Empty(t, left)
}

// A file of generated sources that was emptied is not taken for a first start:
// new secrets would lock out every sender.
func TestAnEmptiedFileOfSourcesIsAnError(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	require.NoError(t, os.WriteFile(config.SourcesFile(data), nil, 0o600))
	_, err := config.KeptSources(data)
	require.ErrorAs(t, err, new(*config.Error))
}
