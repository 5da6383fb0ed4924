package eventlog_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// Who reads on while many send gets each webhook as the server has it, once and in order,
// as much as it may take at once; and what is erased afterwards is not given out from
// anywhere.
func TestReadersGoOnWithWhatWasStoredLast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, log := startSmall(t, dir)
	const n = 300
	var group errgroup.Group
	for _, reading := range []func(context.Context, uint64, int) iter.Seq2[*eventlog.Batch, error]{log.Batches, log.Written} {
		group.Go(func() error { return readOn(patient(t), log, reading, n) })
	}
	sendTogether(t, log, n)
	require.NoError(t, group.Wait())

	before := readAll(t, log, n)
	erase(t, log, before, "1", 5, n-1, n)
	requireErased(t, log, dir, before, 5, n-1, n)
}

// A webhook that comes alone is kept for those who read on, as others are.
func TestOneAloneIsKept(t *testing.T) {
	t.Parallel()
	_, log := startSmall(t, t.TempDir())
	sendTogether(t, log, 100) // the files have been looked into by then
	last := readAll(t, log, 100)[99].StreamSequence
	for n := range uint64(3) {
		_, err := log.Append(t.Context(), webhook("", fmt.Sprintf(`{"alone":%d}`, n)))
		require.NoError(t, err)
		require.Len(t, log.Recent().Between(last+n+1, last+n+1), 1)
	}
}

// Of what was stored last the newest is kept, however much is found at once: after sends that
// were given up there is more than is ever kept.
func TestNewestIsKept(t *testing.T) {
	t.Parallel()
	for found, size := range map[int]int{10: 1 << 20, 3000: 3 << 10, 5000: 1} {
		var recent eventlog.Recent
		recent.Add(stored(found, size))
		kept := min(2048, 2<<20/size)
		require.Empty(t, recent.Between(uint64(found-kept), uint64(found)))
		require.Len(t, recent.Between(uint64(found-kept+1), uint64(found)), kept)
	}
}

// What was read right before it was erased is not kept afterwards.
func TestErasedIsNotKept(t *testing.T) {
	t.Parallel()
	var recent eventlog.Recent
	records := stored(5, 1)
	recent.Add(records[:2])
	recent.Forget(3)
	recent.Add(records[2:])
	for erased := range uint64(4) {
		require.Empty(t, recent.Between(erased, 5))
	}
	require.Len(t, recent.Between(4, 5), 2)
}

// stored gives records of one size, as the first of a stream.
func stored(n, size int) []brokerfile.Record {
	records := make([]brokerfile.Record, n)
	for i := range records {
		records[i] = brokerfile.Record{Sequence: uint64(i + 1), Subject: []byte("webhooks.ivy.ivy.test"), Body: make([]byte, size)}
	}
	return records
}

// sendTogether sends webhooks without an id, of which the server is not asked.
func sendTogether(t *testing.T, log *eventlog.Log, n int) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(50)
	for i := range n {
		group.Go(func() error {
			_, err := log.Append(t.Context(), webhook("", fmt.Sprintf(`{"n":%d}`, i)))
			return err
		})
	}
	require.NoError(t, group.Wait())
}

func readOn(ctx context.Context, log *eventlog.Log, reading func(context.Context, uint64, int) iter.Seq2[*eventlog.Batch, error], n uint64) error {
	next := uint64(1)
	for batch, err := range reading(ctx, 1, 7) {
		if err != nil {
			return err
		}
		if len(batch.Webhooks) > 7 {
			return fmt.Errorf("%d webhooks at once", len(batch.Webhooks))
		}
		for _, w := range batch.Webhooks {
			one, err := log.Webhook(ctx, next)
			if err != nil || w.StreamSequence != next || one.Chain(domain.Digest{}) != w.Chain(domain.Digest{}) || !bytes.Equal(one.Body, w.Body) {
				return fmt.Errorf("at %d is another webhook: %w", next, err)
			}
			next++
		}
		if next > n {
			return nil
		}
	}
	return ctx.Err()
}

// Files that were found to lack a webhook are not read until they have it again. The log says
// both, once.
func TestFilesAreReadAgainWhenTheyAreWhole(t *testing.T) {
	t.Parallel()
	dir, said := t.TempDir(), make(chan string, 100)
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir, Logger: slog.New(slog.NewTextHandler(lines(said), nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, embedded.Close()) })
	log := openLog(t, embedded, dir)
	fill(t, log, 20)
	flip(t, dir)
	for batch, err := range log.Batches(patient(t), 1, 100) {
		if err != nil {
			require.ErrorIs(t, err, eventlog.ErrInterrupted)
			break
		}
		require.Less(t, len(batch.Webhooks), 20)
	}
	require.Contains(t, <-said, "the stream's files lack a webhook")
	sendTogether(t, log, 50)
	require.Empty(t, said, "it is said once")

	flip(t, dir)
	require.Contains(t, <-said, "the stream's files are whole, and read again")
	sendTogether(t, log, 50)
	require.Len(t, read(t, log, 1, 1000, 120), 120)
	require.Empty(t, said)
}

// lines gives each line of a log.
type lines chan string

func (l lines) Write(text []byte) (int, error) {
	l <- string(text)
	return len(text), nil
}

// flip flips a bit at the same place of the stream's first file each time.
func flip(t *testing.T, dir string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, "jetstream", "$G", "streams", eventlog.WebhooksStream, "msgs", "1.blk"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer file.Close()
	var one [1]byte
	_, err = file.ReadAt(one[:], 300)
	require.NoError(t, err)
	one[0] ^= 1
	_, err = file.WriteAt(one[:], 300)
	require.NoError(t, err)
}
