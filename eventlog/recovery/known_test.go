package recovery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

func knownFile(data string) string { return filepath.Join(streamFolder(data), "known") }

// known gives what the file says, and the file itself.
func known(t *testing.T, data string) (says map[string]any, text []byte) {
	t.Helper()
	text, err := os.ReadFile(knownFile(data))
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a digest is more than a float
	require.NoError(t, decoder.Decode(&says))
	return says, text
}

// say has the file say something else.
func say(t *testing.T, data string, something map[string]any) {
	t.Helper()
	line, err := json.Marshal(something)
	require.NoError(t, err)
	sum := brokerfile.NewHash("known", 0).Sum(line)
	require.NoError(t, os.WriteFile(knownFile(data), fmt.Appendf(nil, "%s\n%016x\n", line, sum), 0o600))
}

// What was found of the files that do not grow any more is noted, and believed at the next
// start of those that have the same bytes still.
func TestWhatIsKnownIsBelieved(t *testing.T) {
	t.Parallel()
	data := makeFolders(t).crashed
	require.NoError(t, recovery.Check(filesOf(data), nil))
	says, text := known(t, data)
	of := says["blocks"].(map[string]any)
	require.Len(t, of, len(blocks(t, data))-1, "all but the newest")
	require.NotEmpty(t, says["segments"])
	written, err := os.Stat(knownFile(data))
	require.NoError(t, err)
	require.NoError(t, recovery.Check(filesOf(data), nil))
	again, err := os.Stat(knownFile(data))
	require.NoError(t, err)
	require.True(t, os.SameFile(written, again), "nothing new was found")

	of["2"].(map[string]any)["last"] = 9999
	say(t, data, says)
	refused(t, data, "is missing before", "ticketrail restore")
	says["rules"] = 0
	say(t, data, says)
	require.NoError(t, recovery.Check(filesOf(data), nil), "by other rules nothing is known")
	_, now := known(t, data)
	require.Equal(t, text, now)
}

// Where what is known is damaged, nothing is: all is looked at, and known again.
func TestWhatIsKnownIsNotNeeded(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	data := f.clean
	require.NoError(t, recovery.Check(filesOf(data), nil))
	_, text := known(t, data)
	dice := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		flipBit(t, knownFile(data), dice.Int64N(int64(len(text))), dice.IntN(8))
		require.NoError(t, recovery.Check(filesOf(data), nil))
		_, now := known(t, data)
		require.Equal(t, text, now)
	}
	for length := 0; length < len(text); length += len(text) / 20 {
		require.NoError(t, os.WriteFile(knownFile(data), text[:length], 0o600))
		require.NoError(t, recovery.Check(filesOf(data), nil))
	}
	f.isWhole(t, data)
}
