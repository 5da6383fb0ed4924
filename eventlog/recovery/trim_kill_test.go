package recovery_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

var trimKills = flag.Int("trim-kills", 6, "how often a program is killed that trims its stream")

// trimmingFolder is the environment variable that names the data folder to the process
// that is killed.
const trimmingFolder = "RECOVERY_TEST_TRIMS"

// kill -9 at any moment of putting segments into the store, of trimming and of freeing the
// folder: the next start opens what is there, and every webhook that was answered for is
// read, once and in order, in the store or in the stream.
func TestAKilledTrimLosesNothing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	trimmed := uint64(0)
	for range *trimKills {
		answered := trimUntilKilled(t, data)
		require.NoError(t, recovery.Check(filesOf(data), nil))
		r := run(t, data)
		stored, err := archive.OpenStored(filepath.Join(data, "archive"), storeOf(data))
		require.NoError(t, err)
		info, err := r.Info(t.Context())
		require.NoError(t, err)
		require.GreaterOrEqual(t, info.Last, answered)
		next := uint64(1)
		for batch, err := range archive.Join(stored, r.Log).Batches(r.patient(), 1, 100) {
			require.NoError(t, err)
			for _, w := range batch.Webhooks {
				require.Equal(t, next, w.StreamSequence)
				require.Equal(t, numbered(next).Body, w.Body)
				next++
			}
			if next > info.Last {
				break
			}
		}
		r.stop()
		require.GreaterOrEqual(t, stored.Trimmed(), trimmed)
		trimmed = stored.Trimmed()
	}
	require.Positive(t, trimmed)
}

func storeOf(data string) archive.Folder { return archive.Folder(filepath.Join(data, "store")) }

// numbered gives the webhook that is sent as the n-th.
func numbered(n uint64) *domain.Webhook {
	text := make([]byte, 500)                                                         // that does not compress: a segment is to be full before the stream is
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(text) // never fails
	return &domain.Webhook{
		Provider: "ivy", Source: "shop", Event: "order_updated", Body: fmt.Appendf(nil, `{"n":%d,"text":"%x"}`, n, text),
	}
}

// trimUntilKilled has a process send webhooks, and trim the stream behind them, kills it
// some time after it has trimmed, and gives the last webhook that was answered for.
func trimUntilKilled(t *testing.T, data string) (answered uint64) {
	t.Helper()
	told, say, err := os.Pipe()
	require.NoError(t, err)
	defer told.Close()
	command := exec.Command(os.Args[0], "-test.run=^TestTrimsUntilKilled$")
	command.Env = append(os.Environ(), trimmingFolder+"="+data)
	command.ExtraFiles = []*os.File{say}
	require.NoError(t, command.Start())
	require.NoError(t, say.Close())
	left := -1
	for {
		var sequence, first uint64
		if _, err := fmt.Fscanln(told, &sequence, &first); err != nil {
			break
		}
		answered = sequence
		if left < 0 && first > 0 {
			left = rand.IntN(60)
		}
		if left == 0 {
			require.NoError(t, command.Process.Kill())
		}
		left--
	}
	require.Error(t, command.Wait())
	return answered
}

// TestTrimsUntilKilled is that process: it tells of each webhook that was answered for, and
// from when on the stream has been trimmed since the start.
func TestTrimsUntilKilled(t *testing.T) {
	data := os.Getenv(trimmingFolder)
	if data == "" {
		t.Skip("it is run by another test")
	}
	say := os.NewFile(3, "told")
	r := run(t, data)
	stored, err := archive.OpenStored(filepath.Join(data, "archive"), storeOf(data))
	require.NoError(t, err)
	carrier := archive.NewCarrier(archive.CarrierConfig{Log: r.Log, Stored: stored, Keeper: r.keeper, Keep: 1, Reached: r.keeper.Reached})
	r.keeper.Use(stored)
	go func() {
		for t.Context().Err() == nil {
			_ = carrier.Carry(t.Context()) // it is tried again
		}
	}()
	info, err := r.Info(t.Context())
	require.NoError(t, err)
	before, began := stored.Trimmed(), time.Now()
	for n := info.Last + 1; ; n++ {
		receipt, err := r.Append(t.Context(), numbered(n))
		if err != nil { // full: what trims is behind
			require.Less(t, time.Since(began), patience)
			n--
			continue
		}
		since := uint64(0)
		if stored.Trimmed() > before {
			since = stored.Trimmed()
		}
		_, err = fmt.Fprintln(say, receipt.StreamSequence, since)
		require.NoError(t, err)
		require.Less(t, n, info.Last+100_000, "nobody kills it")
	}
}
