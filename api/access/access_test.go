package access_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/api/access"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fingerprints gives the tokens that a program knows, as name:fingerprint.
func fingerprints(t *testing.T, tokens *access.Tokens) (all []string) {
	t.Helper()
	known, needed, err := tokens.Known()
	require.NoError(t, err)
	require.True(t, needed)
	for _, token := range known {
		all = append(all, token.Name+":"+token.Fingerprint())
	}
	return all
}

// A token is kept as its sum alone, in a file that its owner alone can read.
func TestATokenIsKeptAsItsSum(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	require.False(t, access.Exists(data))
	token, made, err := access.NewTokens(data).Create("grafana", api.ScopeRaw, now, time.Hour)
	require.NoError(t, err)
	require.Len(t, strings.TrimPrefix(token, "ticketrail_"), 43, "256 bits in base64")
	sum := sha256.Sum256([]byte(token))
	require.Equal(t, hex.EncodeToString(sum[:]), made.Sum)

	text, err := os.ReadFile(filepath.Join(data, "tokens.json"))
	require.NoError(t, err)
	require.NotContains(t, string(text), strings.TrimPrefix(token, "ticketrail_"))
	known, needed, err := access.NewTokens(data).Known()
	require.NoError(t, err)
	require.True(t, needed)
	require.Equal(t, []api.Token{{Name: "grafana", Scope: api.ScopeRaw, Sum: sum, Expires: now.Add(time.Hour)}}, known)

	entries, err := os.ReadDir(data)
	require.NoError(t, err)
	for _, entry := range entries {
		info, err := entry.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), entry.Name())
	}
}

// A program that serves notices each change at its next request. Once there was a
// token one is needed, even when the last was revoked and the file removed.
func TestAChangeIsNoticed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	serving, other := access.NewTokens(data), access.NewTokens(data)
	_, needed, err := serving.Known()
	require.NoError(t, err)
	require.False(t, needed)

	_, first, err := other.Create("a", api.ScopeRead, now, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"a:" + first.Fingerprint()}, fingerprints(t, serving))
	_, _, err = other.Create("a", api.ScopeRead, now, 0)
	require.ErrorIs(t, err, access.ErrTaken)

	_, second, err := other.Rotate("a", now, time.Hour, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"a:" + first.Fingerprint(), "a:" + second.Fingerprint()}, fingerprints(t, serving))
	known, _, err := serving.Known()
	require.NoError(t, err)
	require.Equal(t, now.Add(time.Hour), known[0].Expires)
	_, third, err := other.Rotate("a", now.Add(2*time.Hour), 0, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"a:" + third.Fingerprint()}, fingerprints(t, serving))

	_, err = other.Revoke("a")
	require.NoError(t, err)
	require.Empty(t, fingerprints(t, serving))
	_, err = other.Revoke("a")
	require.ErrorIs(t, err, access.ErrNoToken)
	_, _, err = other.Rotate("a", now, 0, 0)
	require.ErrorIs(t, err, access.ErrNoToken)
	require.True(t, access.Exists(data))
	require.NoError(t, os.Remove(filepath.Join(data, "tokens.json")))
	require.Empty(t, fingerprints(t, serving))
}

// Who has revoked a token, or has made one, knows that it is so for every request that
// begins now, however many others look at the tokens meanwhile.
func TestARevokedTokenIsNoneFromThenOn(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	serving, other := access.NewTokens(data), access.NewTokens(data)
	over := make(chan struct{})
	var requests sync.WaitGroup
	for range 4 {
		requests.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					_, _, err := serving.Known()
					assert.NoError(t, err)
				}
			}
		})
	}
	for range 50 {
		_, made, err := other.Create("a", api.ScopeRead, now, 0)
		require.NoError(t, err)
		assert.Equal(t, []string{"a:" + made.Fingerprint()}, fingerprints(t, serving))
		_, err = other.Revoke("a")
		require.NoError(t, err)
		assert.Empty(t, fingerprints(t, serving))
	}
	close(over)
	requests.Wait()
}

// A change that nothing in the folder tells of is noticed all the same, a while later.
func TestAChangeElsewhereIsNoticed(t *testing.T) {
	t.Parallel()
	data, elsewhere := t.TempDir(), t.TempDir()
	other := access.NewTokens(elsewhere)
	_, made, err := other.Create("a", api.ScopeRead, now, 0)
	require.NoError(t, err)
	require.NoError(t, os.Symlink(filepath.Join(elsewhere, "tokens.json"), filepath.Join(data, "tokens.json")))
	serving := access.NewTokens(data)
	require.Equal(t, []string{"a:" + made.Fingerprint()}, fingerprints(t, serving))
	_, err = other.Revoke("a")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(fingerprints(t, serving)) == 0 }, 10*time.Second, 10*time.Millisecond)
}

// Where the data folder is made later than the program asks, nothing is missed either.
func TestAFolderThatIsMadeLaterIsWatched(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	serving, other := access.NewTokens(data), access.NewTokens(data)
	_, needed, err := serving.Known()
	require.NoError(t, err)
	require.False(t, needed)
	for _, name := range []string{"a", "b"} {
		_, _, err := other.Create(name, api.ScopeRead, now, 0)
		require.NoError(t, err)
		require.Contains(t, strings.Join(fingerprints(t, serving), " "), name+":")
	}
}

// Commands that change the tokens at the same time lose none.
func TestChangesAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			_, _, err := access.NewTokens(data).Create(fmt.Sprint("t", i), api.ScopeRead, now, 0)
			require.NoError(t, err)
		})
	}
	group.Wait()
	require.Len(t, fingerprints(t, access.NewTokens(data)), 8)
}

// A file that is not whole is an error, and never a list with less in it.
func TestADamagedFileIsAnError(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	path := filepath.Join(data, "tokens.json")
	sum := strings.Repeat("0", 64)
	for _, text := range []string{"", "{", `{"tokens":[{"name":"a","scope":"read","sha256":"12"}]}`, `{"tokens":[{"name":"a","sha256":"` + sum + `"}]}`, `{"tokens":[{"name":"a","scope":"root","sha256":"` + sum + `"}]}`} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		known, needed, err := access.NewTokens(data).Known()
		require.Error(t, err, text)
		require.True(t, needed)
		require.Empty(t, known)
		_, err = access.NewTokens(data).Revoke("a")
		require.NotErrorIs(t, err, access.ErrNoToken)
	}
}

// Names are plain, and none is that of who needs no token.
func TestNamesArePlain(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "local", "api.token", "-a", "A", "a b", "a\n", strings.Repeat("a", 64)} {
		_, _, err := access.NewTokens(t.TempDir()).Create(name, api.ScopeRead, now, 0)
		require.ErrorIs(t, err, access.ErrName, name)
	}
}

// Acts are lines of JSON, of all who write at once, and one full file is kept.
func TestTheAuditLogKeepsOneOlderFile(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	path, former := filepath.Join(data, "audit.jsonl"), filepath.Join(data, "audit.1.jsonl")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			require.NoError(t, access.NewAudit(data).Record(api.Act{At: now, By: "local", Method: "POST", Route: "/v1/rebuilds"}))
		})
	}
	group.Wait()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 8, bytes.Count(text, []byte("\n")))
	for line := range bytes.Lines(text) {
		require.JSONEq(t, `{"at":"2026-03-01T12:00:00Z","by":"local","method":"POST","route":"/v1/rebuilds"}`, string(line))
	}

	require.NoError(t, os.Truncate(path, 8<<20))
	require.NoError(t, access.NewAudit(data).Record(api.Act{At: now, By: "a", Status: 200}))
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	var act api.Act
	require.NoError(t, json.Unmarshal(text, &act))
	require.Equal(t, 200, act.Status)
	info, err := os.Stat(former)
	require.NoError(t, err)
	require.Equal(t, int64(8<<20), info.Size())
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// Where nothing can be written the act is refused.
func TestAnAuditLogThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(data, "audit.jsonl"), 0o700))
	require.Error(t, access.NewAudit(data).Record(api.Act{}))
}
