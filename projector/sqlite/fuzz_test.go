package sqlite_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// Whatever a pointer says, and were its sum right, it names a file of its folder or is
// damaged.
func FuzzPointer(f *testing.F) {
	for _, text := range []string{
		`{"current":"model-000001.sqlite","last":1}`, `{"current":"../x"}`, `{"current":".."}`, `{"current":""}`, `[]`, `{`, ``,
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, fits bool) {
		dir := t.TempDir()
		if fits {
			text = fmt.Sprintf("%s %08x\n", text, crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli)))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "CURRENT"), []byte(text), 0o600))
		path, err := sqlite.CurrentIn(dir)
		if err != nil {
			require.ErrorIs(t, err, domain.ErrDamaged)
			return
		}
		require.Equal(t, dir, filepath.Dir(path))
		_, err = os.Stat(path)
		require.ErrorIs(t, err, fs.ErrNotExist, "the folder holds nothing else")
	})
}

// Whatever is found beside a database as its write-ahead log, the read model opens at a
// checkpoint that it had, or is damaged.
func FuzzWriteAheadLog(f *testing.F) {
	history := makeHistory(f)
	f.Add([]byte(nil), 0)
	f.Fuzz(func(t *testing.T, log []byte, of int) {
		r := history.remains[(of%len(history.remains)+len(history.remains))%len(history.remains)]
		r.wal = splice(r.wal, log)
		path := r.put(t)
		db, err := sqlite.Open(t.Context(), path)
		if err != nil {
			require.True(t, errors.Is(err, domain.ErrDamaged) || errors.As(err, new(*sqlite.FileError)), "%v", err)
			return
		}
		defer func() { require.NoError(t, db.Close()) }()
		checkpoint, err := db.Checkpoint(t.Context())
		if err != nil {
			require.ErrorIs(t, err, domain.ErrDamaged)
			return
		}
		require.Contains(t, history.at, checkpoint.StreamSequence)
	})
}

// splice lays bytes over a log, at the place that the first two of them say; where they
// are few it takes them for the log itself.
func splice(log, over []byte) []byte {
	if len(over) < 3 || len(log) == 0 {
		return over
	}
	changed := append([]byte(nil), log...)
	copy(changed[(int(over[0])<<8|int(over[1]))%len(changed):], over[2:])
	return changed
}
