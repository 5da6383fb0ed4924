package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

func newLoader(t *testing.T, memory int) (loader *sqlite.Loader, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "models", "1.db")
	loader, err := sqlite.NewLoader(t.Context(), path, memory)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, loader.Close()) })
	return loader, path
}

// taker gives orders to change.
type taker interface {
	TakeOrder(ctx context.Context, source, key string) (*domain.Order, error)
}

// recall has the writer go on with the order that is given.
func (w *writer) recall(from taker, key string) {
	w.t.Helper()
	if w.orders[key] = nil; w.batch.Orders != nil {
		for _, order := range w.batch.Orders {
			if order.Key == key {
				w.orders[key] = order
				return
			}
		}
	}
	order, err := from.TakeOrder(w.t.Context(), "shop", key)
	if !errors.Is(err, domain.ErrNotFound) {
		require.NoError(w.t, err)
		w.orders[key] = order
	}
}

// A loaded file is an ordinary read model, the same in every row as one that the same
// batches were committed to, however little the loader could keep in memory. A read model
// of nothing is one too.
func TestLoadedFileIsTheCommittedOne(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{1, 160_000, 0} {
		for _, webhooks := range []int{0, 1, 700} {
			random := rand.New(rand.NewPCG(uint64(webhooks), 4))
			committed := filepath.Join(t.TempDir(), "1.db")
			loader, loaded := newLoader(t, memory)
			plain, load := newWriter(t, openAt(t, committed)), newWriter(t, loader)
			for range webhooks {
				key, text := fmt.Sprintf("o-%d", random.IntN(90)), fmt.Sprint(random.IntN(1000))
				load.recall(loader, key)
				for _, w := range []*writer{plain, load} {
					w.confide(key, text)
					id := domain.WebhookID{Source: "shop", ID: text, Body: domain.DigestBody([]byte(key)), StreamSequence: w.batch.Checkpoint.StreamSequence}
					w.batch.WebhookIDs = append(w.batch.WebhookIDs, id)
				}
				if random.IntN(20) == 0 {
					plain.erase(key)
					load.erase(key)
				}
				if random.IntN(9) == 0 {
					plain.commit()
					load.commit()
				}
			}
			if webhooks > 0 {
				plain.commit()
				load.commit()
			}
			require.NoError(t, loader.Finish(t.Context()))
			require.NoError(t, openAt(t, loaded).Check(t.Context()))
			requireSameRows(t, committed, loaded)
		}
	}
}

// A loader knows of each webhook id where it first came with which body, in memory and
// in the file.
func TestLoaderKnowsWebhookIDs(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{1, 0} {
		loader, _ := newLoader(t, memory)
		w := newWriter(t, loader)
		id := func(name, body string) domain.WebhookID {
			return domain.WebhookID{Source: "shop", ID: name, Body: domain.DigestBody([]byte(body)), StreamSequence: w.batch.Checkpoint.StreamSequence}
		}
		for _, body := range []string{"a", "b", "c"} {
			w.recall(loader, "o-1")
			w.apply(step("o-1", domain.FulfillmentReady))
			w.batch.WebhookIDs = append(w.batch.WebhookIDs, id("x", body))
			w.commit()
		}
		w.batch.Checkpoint.StreamSequence++
		for body, want := range map[string]uint64{"a": 1, "b": 2, "c": 3, "d": 0} {
			first, other, err := loader.SeenWebhookID(t.Context(), id("x", body))
			require.NoError(t, err)
			require.Equal(t, want, first)
			require.True(t, other)
		}
		first, other, err := loader.SeenWebhookID(t.Context(), id("y", "a"))
		require.NoError(t, err)
		require.Zero(t, first)
		require.False(t, other)
	}
}

// A loader forgets no webhook id, however many it has written before.
func TestLoaderForgetsNoWebhookID(t *testing.T) {
	t.Parallel()
	const perCommit, commits = 9_000, 6
	loader, _ := newLoader(t, 1)
	w := newWriter(t, loader)
	id := func(n int) domain.WebhookID {
		return domain.WebhookID{Source: "shop", ID: fmt.Sprint(n), Body: domain.DigestBody(nil), StreamSequence: uint64(n / perCommit)}
	}
	for commit := range commits {
		w.recall(loader, "o-1")
		w.apply(step("o-1", domain.FulfillmentReady))
		for n := range perCommit {
			w.batch.WebhookIDs = append(w.batch.WebhookIDs, id(commit*perCommit+n+perCommit))
		}
		w.commit()
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 2_000 {
		known := id(perCommit + random.IntN(commits*perCommit))
		asked := known
		asked.StreamSequence = commits + 2
		first, other, err := loader.SeenWebhookID(t.Context(), asked)
		require.NoError(t, err)
		require.Equal(t, known.StreamSequence, first)
		require.False(t, other)
	}
}

// What could not be written spoils all: nothing more is taken, and nothing is given out.
func TestLoaderThatFailedIsDamaged(t *testing.T) {
	t.Parallel()
	loader, _ := newLoader(t, 1)
	w := newWriter(t, loader)
	w.apply(step("o-1", domain.FulfillmentReady))
	w.batch.Timeline = append(w.batch.Timeline, w.batch.Timeline...) // the same row twice
	w.commit()

	w.apply(step("o-2", domain.FulfillmentReady))
	require.ErrorIs(t, loader.Commit(t.Context(), &w.batch), domain.ErrDamaged)
	_, err := loader.TakeOrder(t.Context(), "shop", "o-1")
	require.ErrorIs(t, err, domain.ErrDamaged)
	_, _, err = loader.SeenWebhookID(t.Context(), domain.WebhookID{Source: "shop", ID: "x"})
	require.ErrorIs(t, err, domain.ErrDamaged)
	require.ErrorIs(t, loader.Finish(t.Context()), domain.ErrDamaged)
}

// What was erased while a file was loaded is nowhere in it.
func TestErasedTextIsNotLoaded(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{1, 0} {
		loader, path := newLoader(t, memory)
		w := newWriter(t, loader)
		for n := range 200 {
			key := fmt.Sprintf("o-%d", n%20)
			w.recall(loader, key)
			w.confide(key, fmt.Sprintf("Alva %d;", n%20)+strings.Repeat("x", 1<<(n%14)))
			w.commit()
		}
		for n := range 19 {
			key := fmt.Sprintf("o-%d", n)
			w.recall(loader, key)
			w.erase(key)
			w.commit()
		}
		require.NoError(t, loader.Finish(t.Context()))
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		for n := range 20 {
			require.Equal(t, n == 19, strings.Contains(string(content), fmt.Sprintf("Alva %d;", n)))
		}
	}
}
