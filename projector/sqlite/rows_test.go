package sqlite_test

import (
	"database/sql"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// pack gives values in the form in which rows are handed to SQLite.
func pack(columns byte, values ...any) []byte {
	packed := []byte{columns}
	for _, value := range values {
		switch v := value.(type) {
		case int:
			packed = binary.NativeEndian.AppendUint64(append(packed, 'i'), uint64(v))
		case string:
			packed = append(binary.NativeEndian.AppendUint64(append(packed, 't'), uint64(len(v))), v...)
		case []byte:
			packed = append(binary.NativeEndian.AppendUint64(append(packed, 'b'), uint64(len(v))), v...)
		}
	}
	return packed
}

func openRows(t testing.TB) *sql.DB {
	path := filepath.Join(t.TempDir(), "1.db")
	model, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, model.Close())
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Rows come out as they went in, with their types, however many there are.
func TestRowsComeOutAsTheyWentIn(t *testing.T) {
	t.Parallel()
	db := openRows(t)
	read := func(packed []byte) (all string) {
		err := db.QueryRowContext(t.Context(), `
			SELECT ifnull(group_concat(concat_ws(',', typeof(c0), c0, typeof(c1), c1, typeof(c2), hex(c2)), ';'), '')
			FROM rows(?)`, packed).Scan(&all)
		require.NoError(t, err)
		return all
	}
	require.Empty(t, read(pack(3)))
	require.Equal(t, "integer,-1,text,,blob,", read(pack(3, -1, "", []byte{})))
	require.Equal(t, "text,å,integer,9223372036854775807,blob,00FF;integer,0,text,x,text,79",
		read(pack(3, "å", 1<<63-1, []byte{0, 255}, 0, "x", "y")))
	long := strings.Repeat("z", 100_000)
	require.Contains(t, read(pack(3, 1, long, []byte{1}, 2, long, []byte{2})), long)
}

// What is no rows is an error, and never read beyond its end.
func FuzzRows(f *testing.F) {
	f.Add(pack(3, 1, "x", []byte{2}))
	f.Add(pack(3, 1, "x"))
	f.Add(pack(12))
	f.Add([]byte{})
	f.Add(binary.NativeEndian.AppendUint64([]byte{1, 't'}, 1<<63))
	db := openRows(f)
	f.Fuzz(func(t *testing.T, packed []byte) {
		var rows, bytes int
		err := db.QueryRowContext(t.Context(), "SELECT count(*), ifnull(sum(length(c0)), 0) FROM rows(?)", packed).Scan(&rows, &bytes)
		if err == nil {
			require.LessOrEqual(t, 9*rows, len(packed))
		}
	})
}
