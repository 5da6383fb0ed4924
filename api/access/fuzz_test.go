package access_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/api/access"
)

// Whatever is in the file of the tokens, it lets nobody in or those whose sums are
// there, and one is needed.
func FuzzTokensFile(f *testing.F) {
	const sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for _, text := range []string{
		`{"tokens":[{"name":"a","scope":"read","sha256":"` + sum + `","created_at":"2026-03-01T12:00:00Z","expires_at":null}]}`,
		`{"tokens":[{"name":"a","scope":"admin","sha256":"` + sum[1:] + `"}]}`, `{"tokens":[{"scope":"root"}]}`, `{"tokens":null}`, `[]`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		data := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(data, "tokens.json"), text, 0o600))
		known, needed, err := access.NewTokens(data).Known()
		require.True(t, needed)
		if err != nil {
			require.Empty(t, known)
		}
		for _, token := range known {
			require.NotEqual(t, api.ScopeNone, token.Scope)
			require.NotEmpty(t, token.Fingerprint(), "the sum of nothing is a token that everybody has")
		}
	})
}
