package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// erase erases the order of a key.
func (w *writer) erase(key string) {
	w.batch.Erased = append(w.batch.Erased, w.apply(domain.Event{Kind: domain.Tombstone, Key: key, Name: domain.EventErased}))
}

// confide has an order say something personal, in every place that there is for it.
func (w *writer) confide(key, text string) {
	sequence := w.batch.Checkpoint.StreamSequence + 1
	order := w.apply(domain.Event{
		Key: key, Name: "step",
		Stamp:   domain.Stamp{Clock: domain.InstantOf(start.Add(time.Duration(sequence) * time.Second))},
		Facts:   domain.Facts{Reference: text[:min(len(text), 30)], Description: text},
		History: []domain.HistoryEntry{{Status: fmt.Sprint(sequence), Reason: text}},
	})
	w.batch.Timeline = append(w.batch.Timeline, domain.OrderEntry{Order: order, TimelineEntry: domain.TimelineEntry{
		StreamSequence: sequence, Ordinal: 1, Effect: domain.EffectBackfilled, Note: text,
	}})
	w.batch.Proofs = append(w.batch.Proofs, domain.OrderProof{Order: order, Proof: &domain.Proof{
		ProofInfo: domain.ProofInfo{ID: fmt.Sprint(sequence), Type: "text/plain"}, Content: []byte(text),
	}})
}

// holds tells whether a text is anywhere in the files of a read model.
func holds(t *testing.T, path, text string) bool {
	t.Helper()
	database, err := os.ReadFile(path)
	require.NoError(t, err)
	log, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	return strings.Contains(string(database), text) || strings.Contains(string(log), text)
}

// What was erased is nowhere in the file when the commit is over: not in a row, nor in
// what rows left behind that grew, shrank and moved before, from a few bytes to many
// pages. What was not erased stays.
func TestErasedTextLeavesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	w := newWriter(t, openAt(t, path))
	random := rand.New(rand.NewPCG(5, 8))
	last := map[string]string{}
	for n := range 400 {
		key, text := fmt.Sprintf("o-%d", random.IntN(60)), fmt.Sprintf("Alva %d;", n)
		last[key] = text
		w.confide(key, text+strings.Repeat("x", 1<<random.IntN(15)))
		if random.IntN(10) == 0 {
			w.commit()
		}
	}
	w.commit()
	require.True(t, holds(t, path, "Alva "))
	for n := range 60 {
		if key := fmt.Sprintf("o-%d", n); last[key] != "" && n%7 > 0 {
			w.erase(key)
			delete(last, key)
		}
		if random.IntN(4) == 0 {
			w.commit()
		}
	}
	w.commit()
	require.NotEmpty(t, last)
	for _, text := range last {
		require.True(t, holds(t, path, text))
	}
	for key := range last {
		w.erase(key)
	}
	w.commit()
	require.False(t, holds(t, path, "Alva "))
}

// reading begins a read that keeps the write-ahead log as it is until it is rolled back.
func reading(t *testing.T, path string) *sql.Tx {
	t.Helper()
	other, err := sql.Open("sqlite3", sqlite.DSN(path))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	read, err := other.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	var orders int
	require.NoError(t, read.QueryRowContext(t.Context(), "SELECT count(*) FROM orders").Scan(&orders))
	return read
}

// A read that is under way keeps what it reads in the write-ahead log, for no longer than
// until the next commit after it.
func TestErasureWhileSomebodyReads(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	w := newWriter(t, openAt(t, path))
	w.confide("o-1", "Alva was out")
	w.commit()
	read := reading(t, path)

	w.erase("o-1")
	w.commit()
	require.True(t, holds(t, path, "Alva"))
	require.NoError(t, read.Rollback())
	w.apply(step("o-2", domain.FulfillmentReady))
	w.commit()
	require.False(t, holds(t, path, "Alva"))
}

// A program that was killed before it could empty the log leaves it to the next one, whose
// first commit does it.
func TestErasureBeforeAKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	w := newWriter(t, openAt(t, path))
	w.confide("o-1", "Alva was out")
	w.commit()
	read := reading(t, path)
	w.erase("o-1")
	w.commit()

	left := filepath.Join(t.TempDir(), "1.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(left+suffix, content, 0o600))
	}
	require.NoError(t, read.Rollback())
	w.db = openAt(t, left)
	require.True(t, holds(t, left, "Alva"))
	w.apply(step("o-2", domain.FulfillmentReady))
	w.commit()
	require.False(t, holds(t, left, "Alva"))
}
