package eventlog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// canary stands in every body, and must not stand anywhere once these are erased.
const canary = "canary-of-a-person"

// fillWithCanaries appends webhooks of several kinds, large enough that a stream of them
// has several blocks.
func fillWithCanaries(t testing.TB, log *eventlog.Log, n int) {
	t.Helper()
	for i := range n {
		w := webhook("", fmt.Sprintf(`{"n":%d,"name":"%s-%d.","text":"%s"}`, i, canary, i+1, strings.Repeat("lorem ", i%5*160)))
		switch i % 3 {
		case 1:
			w.ID = fmt.Sprint("id ", i)
		case 2:
			w.ContentType, w.ReceivedAt = "text/plain", domain.UnixInstant(int64(i))
		}
		appendWebhook(t, log, w)
	}
}

// readAll gives the first webhooks of a stream, as Batches does, and compares each with
// what Webhook gives.
func readAll(t testing.TB, log *eventlog.Log, upTo uint64) (webhooks []*domain.Webhook) {
	t.Helper()
	for batch, err := range log.Batches(patient(t), 1, 7) {
		require.NoError(t, err)
		for i, w := range batch.Webhooks {
			require.Equal(t, w.StoredAt, batch.StoredAt(i))
			one, err := log.Webhook(t.Context(), w.StreamSequence)
			require.NoError(t, err)
			require.Equal(t, one, w)
			webhooks = append(webhooks, w)
		}
		batch.Ack()
		if uint64(len(webhooks)) >= upTo {
			break
		}
	}
	return webhooks
}

// erasureOf gives the erasure of some webhooks of a stream.
func erasureOf(webhooks []*domain.Webhook, key string, sequences ...uint64) *domain.Erasure {
	e := &domain.Erasure{Key: key, By: "tester"}
	for _, sequence := range sequences {
		left := *webhooks[sequence-1]
		left.Remains = &domain.Remains{Length: len(left.Body), Event: &domain.Event{Key: key, Name: left.Event}}
		left.Body = nil
		e.Webhooks = append(e.Webhooks, &left)
	}
	return e
}

func erase(t testing.TB, log *eventlog.Log, webhooks []*domain.Webhook, key string, sequences ...uint64) eventlog.Receipt {
	t.Helper()
	receipt, err := log.Erase(t.Context(), "ivy", "shop", erasureOf(webhooks, key, sequences...))
	require.NoError(t, err)
	return receipt
}

// requireErased requires that a stream reads as it did, but that some webhooks are
// erased: at the same places, with the same digest chain, and nothing of them left in
// the server's folder.
func requireErased(t testing.TB, log *eventlog.Log, dir string, before []*domain.Webhook, erased ...uint64) {
	t.Helper()
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{1, info.Last}, []uint64{info.First, info.Messages})
	after := readAll(t, log, info.Last)
	require.Len(t, after, int(info.Last))
	var was, is domain.Digest
	for i, w := range before {
		was, is = w.Chain(was), after[i].Chain(is)
		require.Equal(t, was, is)
		require.Equal(t, w.Length(), after[i].Length())
		require.Equal(t, w.StoredAt, after[i].StoredAt)
		if !slices.Contains(erased, w.StreamSequence) {
			require.Equal(t, w, after[i])
			continue
		}
		require.Empty(t, after[i].Body)
		require.NotNil(t, after[i].Remains)
		requireNowhere(t, dir, fmt.Sprintf("%s-%d.", canary, w.StreamSequence))
	}
}

// requireNowhere requires that no file in a folder holds a text.
func requireNowhere(t testing.TB, dir, text string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		require.NotContains(t, string(content), text, path)
		return err
	}))
}

// Whatever is erased, the first webhooks, the last, some between or all: the stream reads
// as before but for what was erased, which is nowhere on the disk; after a restart too, and
// after one with nothing to go by but the blocks.
func TestErasedWebhooksLeaveTheirTombstone(t *testing.T) {
	t.Parallel()
	const n = 40
	all := make([]uint64, n)
	for i := range all {
		all[i] = uint64(i + 1)
	}
	for name, orders := range map[string][][]uint64{
		"first":          {{1}},
		"first ones":     {{1, 2, 3}},
		"last":           {{n}},
		"middle":         {{17, 18, 25}},
		"several orders": {{3, 9, 12}, {1, 2, 10}, {39, 40}},
		"all":            {all},
		"all one by one": {all[:1], all[1:2], all[2:]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			server, log := startSmall(t, dir)
			fillWithCanaries(t, log, n)
			before := readAll(t, log, n)
			for i, sequences := range orders {
				receipt := erase(t, log, before, fmt.Sprint("order ", i), sequences...)
				require.Equal(t, uint64(n+1+i), receipt.StreamSequence)
			}
			erased := slices.Concat(orders...)
			requireErased(t, log, dir, before, erased...)

			require.NoError(t, server.Close())
			server, log = startSmall(t, dir)
			requireErased(t, log, dir, before, erased...)

			require.NoError(t, server.Close())
			require.NoError(t, os.Remove(filepath.Join(dir, "jetstream", "$G", "streams", eventlog.WebhooksStream, "msgs", "index.db")))
			server, log = startSmall(t, dir)
			requireErased(t, log, dir, before, erased...)
			require.NoError(t, server.Close())
		})
	}
}

// startSmall starts a server whose stream of webhooks has blocks of 32 KB.
func startSmall(t *testing.T, dir string) (*eventlog.Embedded, *eventlog.Log) {
	t.Helper()
	server := startEmbedded(t, dir)
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 120_000})
	require.NoError(t, err)
	return server, log
}
