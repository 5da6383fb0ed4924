package config_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// The first start makes a source for each provider, with secrets that the
// provider takes; every later one finds the same.
func TestGeneratedSourcesAreKept(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, err := config.KeptSources(data)
	require.ErrorIs(t, err, fs.ErrNotExist)

	made, first, err := config.MakeSources(data, rand.Reader)
	require.NoError(t, err)
	require.True(t, first)
	require.Len(t, made, len(provider.All()))

	kept, first, err := config.MakeSources(data, iotest.ErrReader(errors.New("no more randomness is needed")))
	require.NoError(t, err)
	require.False(t, first)
	require.Equal(t, made, kept)

	info, err := os.Stat(config.SourcesFile(data))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

// Two programs do not have the same secrets.
func TestGeneratedSecretsDiffer(t *testing.T) {
	t.Parallel()
	a, _, err := config.MakeSources(t.TempDir(), rand.Reader)
	require.NoError(t, err)
	b, _, err := config.MakeSources(t.TempDir(), rand.Reader)
	require.NoError(t, err)
	for i := range a {
		require.NotEqual(t, a[i].Secrets, b[i].Secrets)
	}
}

// Where the secrets cannot be made or kept, nothing is left behind.
func TestSourcesAreKeptWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, _, err := config.MakeSources(data, strings.NewReader("not enough"))
	require.Error(t, err)
	_, _, err = config.MakeSources(data+"/missing", rand.Reader)
	require.Error(t, err)
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
	_, _, err := config.MakeSources(data, rand.Reader)
	require.ErrorAs(t, err, new(*config.Error))
}
