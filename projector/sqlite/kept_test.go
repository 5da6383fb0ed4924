package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// rereading is a read model that reads each order from the file.
type rereading struct{ *sqlite.DB }

func (r rereading) TakeOrder(ctx context.Context, source, key string) (*domain.Order, error) {
	return r.Order(ctx, source, key)
}

// Who is given orders that were kept makes the very rows that are made by who reads each
// from the file: although commits fail, batches are given up after their orders were
// changed, orders are erased and replaced, and the file is closed and opened again.
func TestKeptOrdersAreTheStoredOnes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		random := rand.New(rand.NewPCG(seed, 5))
		paths := [2]string{filepath.Join(t.TempDir(), "kept.db"), filepath.Join(t.TempDir(), "read.db")}
		var models [2]*sqlite.DB
		var takers [2]taker
		var writers [2]*writer
		open := func() {
			for i, path := range paths {
				models[i] = openAt(t, path)
			}
			takers = [2]taker{models[0], rereading{models[1]}}
		}
		open()
		for i, model := range models {
			writers[i] = newWriter(t, model)
		}
		committed := writers[0].batch.Checkpoint
		end := func(commit func(*writer)) {
			for _, w := range writers {
				if commit(w); len(w.batch.Orders) > 0 { // it came to nothing
					w.batch.Checkpoint = committed
					w.begin()
				}
			}
			committed = writers[0].batch.Checkpoint
		}
		for range 500 {
			key, text := fmt.Sprintf("o-%d", random.IntN(40)), fmt.Sprint(random.IntN(1000))
			switch random.IntN(30) {
			case 0:
				end(func(*writer) {})
			case 1:
				end(func(w *writer) {
					w.batch.Timeline = append(w.batch.Timeline, w.batch.Timeline...) // the same row twice
					require.Equal(t, len(w.batch.Orders) > 0, w.db.Commit(t.Context(), &w.batch) != nil)
				})
			case 2:
				end((*writer).commit)
				require.NoError(t, errors.Join(models[0].Close(), models[1].Close()))
				open()
				writers[0].db, writers[1].db = models[0], models[1]
			case 3:
				end((*writer).commit)
				for _, model := range models {
					order, err := model.Order(t.Context(), "shop", key)
					if errors.Is(err, domain.ErrNotFound) {
						continue
					}
					order.Description.Value = text
					_, err = model.ReplaceOrder(t.Context(), &domain.OrderRows{Order: order}, false)
					require.NoError(t, err)
				}
			case 4, 5, 6:
				end((*writer).commit)
			default:
				for i, w := range writers {
					w.recall(takers[i], key)
					w.confide(key, text)
				}
				if random.IntN(20) == 0 {
					writers[0].erase(key)
					writers[1].erase(key)
				}
			}
		}
		end((*writer).commit)
		requireSameRows(t, paths[0], paths[1])
	}
}

func requireSameRows(t *testing.T, one, other string) {
	t.Helper()
	comparison, err := sqlite.Compare(t.Context(), one, other)
	require.NoError(t, err)
	difference, err := comparison.Difference(t.Context(), 1)
	require.NoError(t, errors.Join(err, comparison.Close()))
	require.True(t, difference.None(), "%+v", difference.Tables)
}

// When a commit is over, all of it is in the files, whatever its size: who copies them
// then has it.
func TestCommitIsInTheFilesWhenItIsOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	w := newWriter(t, openAt(t, path))
	random := rand.New(rand.NewPCG(1, 6))
	for range 8 {
		for range 1 + random.IntN(40) {
			w.confide(fmt.Sprintf("o-%d", random.IntN(1000)), string(make([]byte, 1<<random.IntN(17))))
		}
		checkpoint := w.batch.Checkpoint.StreamSequence
		w.commit()
		copied := filepath.Join(t.TempDir(), "copy.db")
		for _, suffix := range []string{"", "-wal"} {
			content, err := os.ReadFile(path + suffix)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(copied+suffix, content, 0o600))
		}
		db := openAt(t, copied)
		have, err := db.Checkpoint(t.Context())
		require.NoError(t, errors.Join(err, db.Check(t.Context())))
		require.Equal(t, checkpoint, have.StreamSequence)
	}
}
