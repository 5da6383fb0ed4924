package recovery_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

var flips = flag.Int("flips", 3, "how many bits are flipped in each kind of file, after each kind of stop")

// One flipped bit has no effect, or it is found before the broker opens its files: in
// every kind of file, after a stop and after a crash, and where a former start has found all
// right. After what the refusal says to do, every webhook is there, as it was.
func TestNoFlippedBitIsSilent(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{
		"blocks":          "stream/jetstream/$G/streams/WEBHOOKS/msgs/*.blk",
		"index":           "stream/jetstream/$G/streams/WEBHOOKS/msgs/index.db",
		"settings":        "stream/jetstream/$G/streams/WEBHOOKS/meta.inf",
		"sum of settings": "stream/jetstream/$G/streams/WEBHOOKS/meta.sum",
		"archive":         "archive/*",
		"rejected":        "stream/jetstream/$G/streams/REJECTED/meta.*",
	}
	t.Run("whole", func(t *testing.T) {
		t.Parallel()
		makeFolders(t).flipAll(t, kinds)
	})
	t.Run("erased", func(t *testing.T) {
		t.Parallel()
		makeErasedFolders(t).flipAll(t, map[string]string{"blocks": kinds["blocks"], "archive": kinds["archive"]})
	})
}

// flipAll flips bits in some kinds of files, after each kind of stop.
func (f folders) flipAll(t *testing.T, kinds map[string]string) {
	checked := copied(t, f.crashed)
	require.NoError(t, recovery.Check(filesOf(checked), nil))
	for kind, pattern := range kinds {
		for stop, from := range map[string]string{"clean": f.clean, "crashed": f.crashed, "checked": checked} {
			t.Run(kind+" "+stop, func(t *testing.T) {
				t.Parallel()
				dice := rand.New(rand.NewPCG(1, uint64(len(kind)+len(stop))))
				for range *flips {
					f.flip(t, copied(t, from), pattern, dice)
				}
			})
		}
	}
}

// flip flips a bit of a file of a kind, and has it mended.
func (f folders) flip(t *testing.T, data, pattern string, dice *rand.Rand) {
	paths, err := filepath.Glob(filepath.Join(data, filepath.FromSlash(pattern)))
	require.NoError(t, err)
	path := paths[dice.IntN(len(paths))]
	info, err := os.Stat(path)
	require.NoError(t, err)
	at, bit := dice.Int64N(max(1, info.Size())), dice.IntN(8)
	if info.Size() == 0 {
		return
	}
	flipBit(t, path, at, bit)
	about := []any{"bit %d of byte %d of %s", bit, at, path}

	files := filesOf(data)
	err = recovery.Check(files, nil)
	var refusal *recovery.Refusal
	if err != nil {
		require.ErrorAs(t, err, &refusal, about...)
		require.NotEmpty(t, refusal.Hint())
		if filepath.Base(filepath.Dir(path)) == "archive" {
			_, err = recovery.SetAside(files.Archive, files.Aside)
		} else {
			_, err = recovery.Restore(files, recovery.Source{})
		}
		require.NoError(t, err, about...)
		require.NoError(t, recovery.Check(files, nil), about...)
	}
	f.isWhole(t, data)
}

// The control: without the check the broker cuts off what comes after one flipped bit,
// and says nothing. If this fails, the check may have become needless.
func TestTheBrokerAloneLosesWebhooksInSilence(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	flipBit(t, blocks(t, f.crashed)[1], 20_000, 0)
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: filepath.Join(f.crashed, "stream")})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	require.NoError(t, server.Health())
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: filepath.Join(f.crashed, "stream"), MaxBytes: smallStream})
	require.NoError(t, err)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Less(t, info.Messages, uint64(webhooks))
}
