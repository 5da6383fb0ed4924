package eventlog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// What is published past the Log is read all the same.
func TestReadersSeeWhatOthersPublish(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), topic, []byte("{}"))
	require.NoError(t, err)
	n := 0
	for batch, err := range log.Batches(patient(t), 1, 100) {
		require.NoError(t, err)
		if n += len(batch.Webhooks); n >= 5 {
			break
		}
		_, err = js.Publish(t.Context(), topic, []byte("{}"))
		require.NoError(t, err)
		if n == 1 {
			appendWebhook(t, log, webhook("", "{}"))
		}
	}
}

// What is there before anybody tells of it, as after a restart, is read on without a pause: with
// one after each these would take longer than a test waits.
func TestWhatIsThereIsReadOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	const all = 500
	for range all {
		_, err := js.PublishAsync(topic, []byte("{}"))
		require.NoError(t, err)
	}
	<-js.PublishAsyncComplete()
	n := 0
	for _, err := range log.Batches(patient(t), 1, 1) {
		require.NoError(t, err)
		if n++; n == all {
			break
		}
	}
	require.Equal(t, all, n)
}

// Where the files do not have what is stored any more, the reader is interrupted, and asks
// the server from then on, which has the newest in its memory.
func TestSpoiltFilesAreNotBelieved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	for range 19 { // past the log, so that they are in the files alone
		_, err := js.Publish(t.Context(), topic, []byte("{}"))
		require.NoError(t, err)
	}
	fill(t, log, 1)
	spoil(t, dir)
	var n int
	for batch, err := range log.Batches(patient(t), 1, 100) {
		if err != nil {
			require.ErrorIs(t, err, eventlog.ErrInterrupted)
			break
		}
		n += len(batch.Webhooks)
	}
	require.Less(t, n, 20)
	require.Len(t, read(t, log, 1, 100, 20), 20)
}

// A sender is told of its webhook whatever has become of the files: those who come first
// may have to come again.
func TestAppendWhereFilesAreSpoilt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := openLog(t, startEmbedded(t, dir), dir)
	fill(t, log, 1)
	spoil(t, dir)
	together := func() (failed int) {
		errs := make(chan error, 50)
		for range cap(errs) {
			go func() {
				_, err := log.Append(t.Context(), webhook("", "{}"))
				errs <- err
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				require.ErrorIs(t, err, eventlog.ErrUnavailable)
				failed++
			}
		}
		return failed
	}
	require.Positive(t, together())
	require.Zero(t, together())
}

// spoil flips a bit in the middle of the stream's first file.
func spoil(t *testing.T, dir string) {
	t.Helper()
	block := filepath.Join(dir, "jetstream", "$G", "streams", eventlog.WebhooksStream, "msgs", "1.blk")
	data, err := os.ReadFile(block)
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(block, data, 0o600))
}

// What comes after a restart is not given to who began to read before it, however far behind.
func TestReadersEndAtARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startSyncing(t, dir, eventlog.SyncPage)
	log := openLog(t, embedded, dir)
	fill(t, log, 10)
	var ending error
	read := 0
	for batch, err := range log.Batches(patient(t), 1, 4) {
		if ending = err; err != nil {
			break
		}
		require.LessOrEqual(t, batch.Webhooks[len(batch.Webhooks)-1].StreamSequence, uint64(10))
		if read += len(batch.Webhooks); read == 8 {
			require.NoError(t, embedded.Restart(patient(t), nothing))
			fill(t, log, 10)
		}
	}
	require.ErrorIs(t, ending, eventlog.ErrInterrupted)
}

// The files have a message before a server that syncs each by itself has done so: then it is
// the server that tells what there is.
func TestFilesAreNotReadAheadOfTheServersSync(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := openLog(t, startSyncing(t, dir, eventlog.SyncEach), dir)
	fill(t, log, 20)
	spoil(t, dir)
	require.Len(t, read(t, log, 1, 100, 20), 20)
}
