package recovery_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// Whatever a power cut leaves of what was not synced, all that was synced is there
// afterwards, and the rest as far as the archive has it; and the stream goes on.
func TestATailIsCutOff(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	var chains [webhooks + 1]domain.Digest
	r := run(t, copied(t, f.clean))
	for batch, err := range r.Batches(r.patient(), 1, webhooks) {
		require.NoError(t, err)
		for _, w := range batch.Webhooks {
			chains[w.StreamSequence] = w.Chain(chains[w.StreamSequence-1])
		}
		batch.Ack()
		if batch.Webhooks[len(batch.Webhooks)-1].StreamSequence == webhooks {
			break
		}
	}
	r.stop()
	dice := rand.New(rand.NewPCG(1, 7))
	for range 20 {
		synced, seed := 1+dice.IntN(webhooks-1), dice.Uint64()
		t.Run(fmt.Sprint("after ", synced), func(t *testing.T) {
			t.Parallel()
			data := copied(t, f.crashed)
			cutPower(t, data, synced, seed)
			bare := copied(t, data)
			_, err := recovery.Compare(filesOf(data), 0)
			require.NoError(t, err, "the archive is not what differs")
			require.NoError(t, recovery.Check(filesOf(data), nil))
			f.isWhole(t, data)

			require.NoError(t, os.RemoveAll(filepath.Join(bare, "archive")))
			require.NoError(t, recovery.Check(filesOf(bare), nil))
			r := run(t, bare)
			defer r.stop()
			last, chain := r.chain()
			require.GreaterOrEqual(t, last, uint64(synced))
			require.Equal(t, chains[last], chain)
			r.fill(int(last)+1, int(last)+1)
		})
	}
}

// What was synced is not taken for a tail, nor is anything where no mark says what was.
func TestOnlyATailIsCutOff(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	for name, mark := range map[string]string{"it was synced": markAt(webhooks), "no mark": "", "a damaged mark": "12\n00000000\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := copied(t, f.crashed)
			require.NoError(t, os.WriteFile(filepath.Join(streamFolder(data), "synced"), []byte(mark), 0o600))
			flipBit(t, blocks(t, data)[1], 5000, 3)
			refused(t, data, "is damaged at byte", "ticketrail restore")
		})
	}
}

// A stream that has lost what was synced is refused where no archive has it; whoever knows
// that it is gone for good goes on without it.
func TestALostEndWithoutAnArchiveIsRefused(t *testing.T) {
	t.Parallel()
	f := makeFolders(t)
	for name, lose := range map[string]func(newest string) error{
		"a part of a record": func(newest string) error { return os.Truncate(newest, 30) },
		"all of a block":     func(newest string) error { return os.Truncate(newest, 0) },
		"a block's file":     os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := copied(t, f.clean)
			require.NoError(t, os.RemoveAll(filepath.Join(data, "archive")))
			paths := blocks(t, data)
			require.NoError(t, lose(paths[len(paths)-1]))
			mark := filepath.Join(streamFolder(data), "synced")
			refused(t, data, fmt.Sprint("and was on disk up to ", webhooks), "remove "+mark)
			require.NoError(t, os.Remove(mark))
			require.NoError(t, recovery.Check(filesOf(data), nil))
		})
	}
}

// The numbers of webhooks that have all expired are not given again, although a power cut
// has taken what the server noted of them.
func TestNumbersOfExpiredWebhooksAreNotGivenAgain(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := runFor(t, data, time.Hour)
	r.fill(1, 5)
	r.stop()
	require.NoError(t, os.RemoveAll(filepath.Join(streamFolder(data), "msgs")))
	require.NoError(t, os.RemoveAll(filepath.Join(data, "archive")))
	require.NoError(t, recovery.Check(filesOf(data), nil))
	dir := filepath.Join(data, "stream")
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxAge: time.Hour})
	require.NoError(t, err)
	(&running{Log: log, t: t}).fill(6, 6)
}

func markAt(sequence int) string {
	line := fmt.Sprintln(sequence)
	return line + fmt.Sprintf("%08x\n", crc32.ChecksumIEEE([]byte(line)))
}

// cutPower does to the files of a stream what a power cut does that comes after a sync:
// of what was written later each file has any part, and any of the files may be gone.
func cutPower(t *testing.T, data string, synced int, seed uint64) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(streamFolder(data), "synced"), []byte(markAt(synced)), 0o600))
	dice := rand.New(rand.NewPCG(1, seed))
	first := 1
	for _, path := range blocks(t, data) {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		kept, records := 0, 0
		for at := 0; at < len(content); records++ {
			at += int(binary.LittleEndian.Uint32(content[at:]) &^ (1 << 31))
			if first+records <= synced {
				kept = at
			}
		}
		first += records
		if kept == 0 && dice.IntN(3) == 0 {
			require.NoError(t, os.Remove(path))
			continue
		}
		rest := content[kept : kept+dice.IntN(len(content)-kept+1)]
		for range dice.IntN(4) {
			if len(rest) > 0 {
				from := dice.IntN(len(rest))
				clear(rest[from : from+dice.IntN(len(rest)-from)])
			}
		}
		require.NoError(t, os.WriteFile(path, content[:kept+len(rest)], 0o600))
	}
}
