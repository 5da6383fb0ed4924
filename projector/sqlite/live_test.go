package sqlite_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// A read model that is being written to is copied as of its last commit, also in the
// middle of the next one, when its log looks as if it had lost that.
func TestALiveReadModelIsCopiedInTheMiddleOfACommit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	w := newWriter(t, openAt(t, path))
	for _, key := range []string{"a", "b"} { // the log of the first is emptied at once
		w.apply(step(key, domain.FulfillmentAccepted))
		w.commit()
	}

	// What has reached the file of a commit's two frames: the second, and of the first
	// no more than its place.
	log, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	pageSize := binary.BigEndian.Uint32(log[8:])
	first, second := make([]byte, 24+pageSize), make([]byte, 24+pageSize)
	binary.BigEndian.PutUint32(second[4:], 1) // the commit's size in pages
	copy(second[8:], log[16:24])              // the salts
	file, err := os.OpenFile(path+"-wal", os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = file.Write(append(first, second...))
	require.NoError(t, errors.Join(err, file.Close()))
	_, err = sqlite.Open(t.Context(), path)
	require.ErrorIs(t, err, domain.ErrDamaged, "the control: a log at rest that looks so has lost a commit")

	copied := filepath.Join(t.TempDir(), "copy.sqlite")
	require.NoError(t, sqlite.CopyLive(t.Context(), path, copied))
	db, err := sqlite.OpenCopy(t.Context(), copied)
	require.NoError(t, err)
	defer db.Close()
	checkpoint, err := db.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(2), checkpoint.StreamSequence)
}

// What is damaged is not copied from a read model that is being written to either.
func TestADamagedLiveReadModelIsNotCopied(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	db := openAt(t, path)
	w := newWriter(t, db)
	w.apply(step("a", domain.FulfillmentAccepted))
	w.commit()
	execute(t, path, "PRAGMA wal_checkpoint(TRUNCATE)")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	content[len(content)-2000] ^= 1
	require.NoError(t, os.WriteFile(path, content, 0o600))
	copied := filepath.Join(t.TempDir(), "copy.sqlite")
	require.ErrorIs(t, sqlite.CopyLive(t.Context(), path, copied), domain.ErrDamaged)
	require.NoFileExists(t, copied)
}
