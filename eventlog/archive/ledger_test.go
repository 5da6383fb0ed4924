package archive_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// ledgerOf gives an archive's folder whose first segments are in a store alone, and what it
// says of the store.
func ledgerOf(t *testing.T) (dir string, ledger []byte) {
	t.Helper()
	s := startTrimming(t)
	s.fill(3 * block)
	s.carry()
	s.dropped(block)
	dir = t.TempDir()
	_, err := archive.Copy(s.dir, dir)
	require.NoError(t, err)
	ledger, err = os.ReadFile(filepath.Join(dir, "stored.jsonl"))
	require.NoError(t, err)
	return dir, ledger
}

// A ledger whose last line a crash has torn says what the lines before it say; one that is
// damaged anywhere else is found, and so is one that lacks what has left the folder.
func TestALedgerIsWholeOrFound(t *testing.T) {
	t.Parallel()
	dir, whole := ledgerOf(t)
	path := filepath.Join(dir, "stored.jsonl")
	look := func() (*archive.Archive, error) { return archive.Look(dir) }
	has, err := look()
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		torn := append(bytes.Clone(whole), whole[:rapid.IntRange(0, bytes.IndexByte(whole, '\n')).Draw(t, "length")]...)
		require.NoError(t, os.WriteFile(path, torn, 0o600))
		found, err := look()
		require.NoError(t, err)
		require.Equal(t, has.Stored(), found.Stored())
		require.Equal(t, has.Trimmed(), found.Trimmed())
	})
	for _, damaged := range [][]byte{
		whole[bytes.IndexByte(whole, '\n')+1:],                             // without its head
		bytes.Replace(whole, []byte(`"chain":"`), []byte(`"chain":"f`), 1), // no digest
		append(bytes.Clone(whole), "{}\n"...),
		append(bytes.Clone(whole), `{"trimmed_to":99999}`+"\n"...), // more than is in the store
	} {
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		_, err := look()
		var found *archive.DamageError
		require.ErrorAs(t, err, &found)
		require.Equal(t, path, found.File)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	require.NoError(t, os.WriteFile(path, bytes.Join(lines[:2], nil), 0o600))
	_, err = look()
	require.ErrorContains(t, err, "does not follow what is in the archive's store")
	require.NoError(t, os.Remove(path))
	found, err := look()
	require.NoError(t, err)
	require.Positive(t, found.Before().StreamSequence)
}

// Whatever a ledger holds, a look at it ends, and what it says is in order.
func FuzzLedger(f *testing.F) {
	f.Add([]byte(`{"stream":{"version":1,"name":"WEBHOOKS","created_at":"2026-01-01T00:00:00Z"}}` + "\n"))
	f.Add([]byte(`{"stream":{"version":1,"name":"WEBHOOKS","created_at":"2026-01-01T00:00:00Z"}}` + "\n" +
		`{"stored":{"object":"a","size":1,"sha256":"b","before":{"stream_sequence":0,"outline":"0000000000000000","chain":"` + zeros +
		`"},"last":{"stream_sequence":9,"outline":"0000000000000001","chain":"` + zeros + `"}}}` + "\n" + `{"trimmed_to":7}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "stored.jsonl"), text, 0o600))
		found, err := archive.Look(dir)
		if err != nil {
			return
		}
		require.LessOrEqual(t, found.Trimmed(), found.Stored())
		require.LessOrEqual(t, found.Before().StreamSequence, found.Stored())
		require.Equal(t, found.Stored() > 0 && found.Stream() == domain.StreamIdentity{}, false)
	})
}

// zeros is a digest.
const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
