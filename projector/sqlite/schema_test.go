package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// A file that is no read model of this program does not open, and the error says
// how to mend it.
func TestForeignFileIsNotOpened(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, path string){
		"no database": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("this is not a database, whatever its name says, and it is long enough"), 0o600))
		},
		"other tables": func(t *testing.T, path string) { execute(t, path, "CREATE TABLE orders (id INTEGER PRIMARY KEY)") },
		"another number": func(t *testing.T, path string) {
			require.NoError(t, openAt(t, path).Close())
			execute(t, path, "PRAGMA user_version = 7")
		},
		"pages without sums": func(t *testing.T, path string) {
			require.NoError(t, openAt(t, path).Close())
			require.NoError(t, os.Remove(path))
			execute(t, path, "PRAGMA user_version = 4")
		},
		"torn in the middle": func(t *testing.T, path string) {
			require.NoError(t, openAt(t, path).Close())
			require.NoError(t, os.Truncate(path, 5000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "read-model", "1.db")
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			spoil(t, path)

			_, err := sqlite.Open(t.Context(), path)
			var foreign *sqlite.FileError
			require.ErrorAs(t, err, &foreign)
			require.Equal(t, path, foreign.Path)
			require.Regexp(t, "ticketrail serve puts it aside|remove the read-model folder "+filepath.Dir(path), foreign.Hint())
		})
	}
}

// A file that an older program made is told from any other that does not fit, also
// where it has no room for sums; one that has lost the room alone is damaged.
func TestOutdatedFileIsKnown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil    string
		sums     bool
		want     error
		outdated bool
	}{
		"with sums":    {"PRAGMA user_version = 1", true, sqlite.ErrSchema, true},
		"without":      {"PRAGMA user_version = 1", false, sqlite.ErrSchema, true},
		"a newer one":  {"PRAGMA user_version = 7", true, sqlite.ErrSchema, false},
		"this program": {"PRAGMA user_version = 4", false, domain.ErrDamaged, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "model.sqlite")
			if c.sums {
				require.NoError(t, openAt(t, path).Close())
			}
			execute(t, path, c.spoil)
			_, err := sqlite.Open(t.Context(), path)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.outdated, errors.Is(err, sqlite.ErrOutdated))
		})
	}
}

// A copy with another schema is not read either.
func TestForeignCopyIsNotOpened(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "copy.sqlite")
	require.NoError(t, open(t).CopyTo(t.Context(), path))
	db, err := sqlite.OpenCopy(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, db.Close())

	execute(t, path, "PRAGMA user_version = 7")
	_, err = sqlite.OpenCopy(t.Context(), path)
	require.ErrorIs(t, err, sqlite.ErrSchema)
}

// A read model that another version of the projection built opens as any other:
// it is served while it is rebuilt.
func TestAnotherVersionOfTheProjectionOpens(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	db := openAt(t, path)
	w := newWriter(t, db)
	w.batch.Checkpoint.Version = 99
	w.apply(step("a", domain.FulfillmentAccepted))
	w.commit()
	require.NoError(t, db.Close())

	checkpoint, err := openAt(t, path).Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, 99, checkpoint.Version)
}

func execute(t testing.TB, path, statement string) {
	t.Helper()
	_ = sqlite.DSN(path) // has SQLite know the VFS
	db, err := sql.Open("sqlite3", "file:"+path+"?vfs=pagesum")
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}
