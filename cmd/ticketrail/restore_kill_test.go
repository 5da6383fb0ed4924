package main_test

import (
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var restoreKills = flag.Int("restore-kills", 6, "how often a restore from a backup is killed")

// kill -9 at any moment of a restore from a backup leaves all that was there, or all
// of the backup: stream, archive and read model of one and the same history.
func TestKilledRestoresLeaveTheOneOrTheOther(t *testing.T) {
	t.Parallel()
	backup, former := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "data")
	p := start(t, filepath.Join(t.TempDir(), "data"))
	p.run(t, "send", "--source", "runa", "../../testdata/webhooks/runa")
	p.caughtUp(t)
	p.run(t, "backup", backup)
	p.stop(t)
	p = start(t, former)
	p.run(t, "send", "--source", "ordatic", "../../testdata/webhooks/ordatic/order-accepted.json")
	p.caughtUp(t)
	p.stop(t)

	whole := killedRestore(t, backup, copiedFolder(t, former), math.MaxInt)
	ends := map[uint64]int{}
	for range *restoreKills {
		data := copiedFolder(t, former)
		killedRestore(t, backup, data, rand.IntN(whole*5/4+1))
		p := start(t, data)
		projection := p.caughtUp(t)
		p.stop(t)
		left, err := filepath.Glob(filepath.Join(data, "*.making"))
		require.NoError(t, err)
		require.Empty(t, left)
		require.Contains(t, []uint64{1, 5}, projection.Stream.Last)
		var verified struct {
			Last      uint64  `json:"last"`
			ReadModel *uint64 `json:"compared_with_read_model_at"`
		}
		require.NoError(t, json.Unmarshal([]byte(p.run(t, "archive", "verify", "--json")), &verified))
		require.Equal(t, projection.Stream.Last, verified.Last)
		require.Equal(t, &verified.Last, verified.ReadModel)
		ends[verified.Last]++
	}
	t.Logf("so many had so many webhooks: %v", ends)
}

// killedRestore looks so often at a restore that has begun to make something, kills it
// then if it has not ended, and gives how often it looked: a measure of time that fits
// the machine.
func killedRestore(t *testing.T, backup, data string, most int) (looks int) {
	t.Helper()
	command := exec.Command(binary, "restore", "--from", backup, "--data", data, "--yes", "--accept")
	require.NoError(t, command.Start())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for begun := false; looks < most; {
		select {
		case err := <-ended:
			require.NoError(t, err)
			return looks
		default:
		}
		if _, err := os.Stat(filepath.Join(data, "archive.making")); err == nil {
			begun = true
		}
		if begun {
			looks++
		}
	}
	_ = command.Process.Kill() // it may just have ended
	t.Logf("after %d looks: %v", looks, <-ended)
	return looks
}

func copiedFolder(t *testing.T, from string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	return to
}
