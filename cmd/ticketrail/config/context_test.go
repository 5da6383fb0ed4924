package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// loadContext loads a configuration that names a context with such a file.
func loadContext(t *testing.T, text string, more ...string) (*config.Config, error) {
	t.Helper()
	home := t.TempDir()
	contexts := filepath.Join(home, ".config", "nats", "context")
	require.NoError(t, os.MkdirAll(contexts, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(contexts, "shop.json"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(home, "shop.creds"), nil, 0o600))
	return config.Load(config.Inputs{Environ: append([]string{"HOME=" + home, "TICKETRAIL_NATS_CONTEXT=shop"}, more...)})
}

// A context of the nats command line says where the servers are and who asks, but for what is
// set here.
func TestNATSContext(t *testing.T) {
	t.Parallel()
	c, err := loadContext(t, `{"url":"nats://a:4222, nats://you:pw@b:4222","user":"me","password":"p/w","creds":"~/shop.creds","description":"x","color_scheme":"red"}`)
	require.NoError(t, err)
	require.Equal(t, "nats://me:p%2Fw@a:4222, nats://you:pw@b:4222", c.NATS.URL)
	require.Equal(t, "shop.creds", filepath.Base(c.NATS.Credentials))
	require.False(t, c.NATS.Embedded())

	c, err = loadContext(t, `{"url":"tls://a:4222","token":"secret","nsc":"","tls_first":false}`)
	require.NoError(t, err)
	require.Equal(t, "tls://secret@a:4222", c.NATS.URL)
	c, err = loadContext(t, `{"url":"nats://a:4222","token":"secret"}`, "TICKETRAIL_NATS_URL=nats://other:4222")
	require.NoError(t, err)
	require.Equal(t, "nats://other:4222", c.NATS.URL)

	path := filepath.Join(t.TempDir(), "elsewhere.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"url":"nats://c:4222"}`), 0o600))
	c, err = config.Load(config.Inputs{Environ: []string{"TICKETRAIL_NATS_CONTEXT=" + path}})
	require.NoError(t, err)
	require.Equal(t, "nats://c:4222", c.NATS.URL)
}

// What cannot be done as a context says is an error that names it, and no secret of it.
func TestNATSContextThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"url":"nats://a:4222","nkey":"SUSECRET"}`: "it sets nkey, which ticketrail has not",
		`{"url":"nats://a:4222","tls_first":true}`:  "it sets tls_first, which ticketrail has not",
		`{"url":"nats://a:4222","token":"SUSECRET"`: "is no context",
		`{"url":7}`: "is no context",
		`{"url":"carrier-pigeon://a","token":"SUSECRET"}`:  "it is not a list of NATS addresses",
		`{"url":"nats://a:4222","creds":"/not/there/a.c"}`: "there is no file /not/there/a.c",
	} {
		_, err := loadContext(t, text)
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "SUSECRET")
	}
	_, err := config.Load(config.Inputs{Environ: []string{"HOME=/nowhere", "TICKETRAIL_NATS_CONTEXT=none"}})
	require.EqualError(t, err, "TICKETRAIL_NATS_CONTEXT: nats.context: there is no file /nowhere/.config/nats/context/none.json")
}

// Whatever is in the file, it is understood or an error.
func FuzzNATSContext(f *testing.F) {
	f.Add([]byte(`{"url":"nats://a:4222,nats://b","user":"u","password":"p"}`))
	f.Add([]byte(`{"url":",","token":"t"}`))
	f.Add([]byte(`null`))
	path := filepath.Join(f.TempDir(), "fuzzed.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		require.NoError(t, os.WriteFile(path, text, 0o600))
		c, err := config.Load(config.Inputs{Environ: []string{"TICKETRAIL_NATS_CONTEXT=" + path}})
		require.Equal(t, err == nil, c != nil)
	})
}
