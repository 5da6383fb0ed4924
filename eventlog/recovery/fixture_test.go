package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// patience is how long a test waits for what must come.
	patience = 30 * time.Second
	// smallStream makes the server keep blocks of 32 KB, of which webhooks fills four.
	smallStream = 120_000
	webhooks    = 90
)

// streamFolder is the folder of the stream of webhooks in a data folder.
func streamFolder(data string) string {
	return filepath.Join(data, "stream", "jetstream", "$G", "streams", eventlog.WebhooksStream)
}

func filesOf(data string) recovery.Files {
	return recovery.Files{
		Server: filepath.Join(data, "stream"), Archive: filepath.Join(data, "archive"), Aside: filepath.Join(data, "aside"),
	}
}

// running is a broker with its archive, as the program runs them.
type running struct {
	*eventlog.Log
	t      *testing.T
	server *eventlog.Embedded
	writer *archive.Writer
	keeper *archive.Keeper
	end    func()
}

// run starts a broker on a data folder that was checked, or not.
func run(t *testing.T, data string) *running {
	t.Helper()
	return runFor(t, data, 0)
}

// runFor is run with a stream that keeps webhooks for a time only.
func runFor(t *testing.T, data string, maxAge time.Duration) *running {
	t.Helper()
	dir := filepath.Join(data, "stream")
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	require.NoError(t, err)
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: smallStream, MaxAge: maxAge})
	require.NoError(t, err)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	r := &running{Log: log, t: t, server: server}
	r.writer, err = archive.Open(filepath.Join(data, "archive"), info.Identity)
	require.NoError(t, err)
	r.writer.SegmentSize = 8 << 10
	keeper := archive.NewKeeper(log, r.writer, nil)
	r.keeper = keeper
	log.AnswerAfter(keeper)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		keeper.Run(ctx)
	}()
	r.end = func() {
		cancel()
		<-done
		require.NoError(t, r.writer.Close())
		require.NoError(t, server.Close())
	}
	require.NoError(t, keeper.Wait(r.patient(), info.Last))
	return r
}

func (r *running) patient() context.Context {
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	r.t.Cleanup(cancel)
	return ctx
}

// stop stops the broker as the program does.
func (r *running) stop() {
	if r.end != nil {
		r.end()
	}
	r.end = nil
}

// fill appends webhooks up to a stream sequence, of several kinds.
func (r *running) fill(from, to int) {
	for n := from; n <= to; n++ {
		w := &domain.Webhook{
			Provider: "ivy", Source: "shop", Event: "order_updated",
			Body: fmt.Appendf(nil, `{"n":%d,"text":%q}`, n, strings.Repeat("lorem ipsum ", n%7*25)),
		}
		switch n % 3 {
		case 1:
			w.ID = fmt.Sprint("id ", n)
		case 2:
			w.ContentType, w.ReceivedAt = "text/plain", domain.UnixInstant(int64(n))
		}
		receipt, err := r.Append(r.t.Context(), w)
		require.NoError(r.t, err)
		require.Equal(r.t, uint64(n), receipt.StreamSequence)
	}
}

// chain reads the whole stream, and gives where it ends and its digest.
func (r *running) chain() (last uint64, chain domain.Digest) {
	info, err := r.Info(r.t.Context())
	require.NoError(r.t, err)
	for last < info.Last {
		for batch, err := range r.Batches(r.patient(), last+1, 1000) {
			require.NoError(r.t, err)
			for _, w := range batch.Webhooks {
				require.Equal(r.t, last+1, w.StreamSequence)
				last, chain = w.StreamSequence, w.Chain(chain)
			}
			if last >= info.Last {
				break
			}
		}
	}
	return last, chain
}

// folders are a data folder as a stop leaves it and as a crash does, with the chain
// that their streams have.
type folders struct {
	clean, crashed string
	last           uint64
	chain          domain.Digest
}

// makeFolders fills a stream and stops. The crashed folder is a copy of one that is in
// use, whose index knows less than its blocks.
func makeFolders(t *testing.T) (f folders) {
	f.clean, f.crashed = t.TempDir(), t.TempDir()
	r := run(t, f.clean)
	r.fill(1, webhooks/2)
	r.stop()
	r = run(t, f.clean)
	defer r.stop()
	r.fill(webhooks/2+1, webhooks)
	copyInUse(t, f.clean, f.crashed)
	f.last, f.chain = r.chain()
	return f
}

// copyInUse copies a folder that is in use: what is removed meanwhile is passed over.
func copyInUse(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		within, _ := filepath.Rel(from, path)
		copied := filepath.Join(to, within)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.IsDir():
			return os.MkdirAll(copied, 0o700)
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return errors.Join(err, os.WriteFile(copied, content, 0o600))
	}))
}

// copied gives a copy of a folder for one trial.
func copied(t *testing.T, data string) string {
	t.Helper()
	to := t.TempDir()
	copyInUse(t, data, to)
	return to
}

// isWhole starts a broker on a folder, and requires that every webhook is there and
// that the stream goes on right after.
func (f folders) isWhole(t *testing.T, data string) {
	t.Helper()
	r := run(t, data)
	defer r.stop()
	last, chain := r.chain()
	require.Equal(t, f.last, last)
	require.Equal(t, f.chain, chain)
	r.fill(int(last)+1, int(last)+1)
}

// blocks gives the paths of the stream's blocks, in order.
func blocks(t *testing.T, data string) (paths []string) {
	t.Helper()
	for n := 1; ; n++ {
		path := filepath.Join(streamFolder(data), "msgs", fmt.Sprint(n, ".blk"))
		if _, err := os.Stat(path); err != nil {
			require.Greater(t, len(paths), 3, "the stream has several blocks")
			return paths
		}
		paths = append(paths, path)
	}
}

// flipBit changes one bit of a file.
func flipBit(t *testing.T, path string, at int64, bit int) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	content[at] ^= 1 << bit
	require.NoError(t, os.WriteFile(path, content, 0o600))
}
