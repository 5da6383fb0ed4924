package recovery_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// readingFiles opens the stream of a broker so that what is read of it from the beginning
// comes from its files, as spoil leaves what they hold. Given counts what is found there.
func (r *running) readingFiles(data string, spoil func(number int, content []byte) []byte) (reader *running, given *int) {
	given = new(int)
	dir := filepath.Join(data, "stream")
	log, err := eventlog.Open(r.t.Context(), r.server.Conn(), eventlog.Config{
		Embedded: true, Dir: dir, MaxBytes: smallStream,
		ReadBlock: func(number int, content []byte) func() (*eventlog.Record, bool) {
			next := recovery.ReadBlock(number, spoil(number, content))
			return func() (*eventlog.Record, bool) {
				record, sound := next()
				if record != nil {
					*given++
				}
				return record, sound
			}
		},
	})
	require.NoError(r.t, err)
	return &running{Log: log, t: r.t, server: r.server}, given
}

func asItIs(_ int, content []byte) []byte { return content }

// What is read from the files is what the server sends, erased webhooks and all; only the
// end, which it still writes to, comes from itself.
func TestFilesGiveWhatTheServerSends(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	defer r.stop()
	r.fill(1, some)
	r.erase(1, 7, 8, 30)
	last, chain := r.chain()
	reader, given := r.readingFiles(data, asItIs)
	is, same := reader.chain()
	require.Equal(t, last, is)
	require.Equal(t, chain, same)
	require.Greater(t, *given, some/2)
}

// Whatever is wrong with a file, what is given out is what the server has.
func TestSpoiltFilesAreNotBelieved(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	defer r.stop()
	r.fill(1, some)
	r.erase(7, 8, 30)
	last, chain := r.chain()
	random := rand.New(rand.NewPCG(1, 2))
	var former []byte
	ways := map[string]func(content []byte) []byte{
		"a bit": func(content []byte) []byte {
			content[random.IntN(len(content))] ^= 1 << random.IntN(8)
			return content
		},
		"cut short":      func(content []byte) []byte { return content[:random.IntN(len(content))] },
		"another file":   func([]byte) []byte { return former },
		"nothing at all": func([]byte) []byte { return nil },
	}
	for name, spoil := range ways {
		for range 40 {
			at := 1 + random.IntN(2)
			reader, given := r.readingFiles(data, func(number int, content []byte) []byte {
				if number == at {
					return spoil(content)
				}
				former = content
				return content
			})
			is, same := reader.chain()
			require.Equal(t, last, is, name)
			require.Equal(t, chain, same, name)
			require.Less(t, *given, some, name)
		}
	}
}

// Who reads the files of a server that is started again is told, as everybody is who reads.
func TestRestartInterruptsTheReadingOfFiles(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	defer r.stop()
	r.fill(1, some)
	reader, given := r.readingFiles(data, asItIs)
	next := uint64(1)
	for batch, err := range reader.Batches(r.patient(), 1, 1) {
		if err != nil {
			require.ErrorIs(t, err, eventlog.ErrInterrupted)
			break
		}
		require.Equal(t, next, batch.Webhooks[0].StreamSequence)
		if next++; next == 3 {
			require.NoError(t, r.server.Restart(r.patient(), func() error { return nil }))
		}
	}
	require.Positive(t, *given)
	require.LessOrEqual(t, next, uint64(some))
}
