package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
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
	}
	requireNowhere(t, dir, erased)
}

// requireNowhere requires that no file in a folder holds the canary of some webhooks.
func requireNowhere(t testing.TB, dir string, erased []uint64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, sequence := range erased {
			require.NotContains(t, string(content), fmt.Sprintf("%s-%d.", canary, sequence), path)
		}
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

// For any erasures, what a reader gets is the stream as it was but for them, from
// wherever it begins and whatever the size of its batches; and a second log of the same
// stream, which knows of none of them, gives the same.
func TestAnyErasureIsReadTheSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := startEmbedded(t, dir)
	log, other := openLog(t, server, dir), openLog(t, server, dir)
	for seed := range uint64(20) {
		dice := rand.New(rand.NewPCG(1, seed))
		n := 1 + dice.IntN(12)
		info, err := log.Info(t.Context())
		require.NoError(t, err)
		fill(t, log, n)
		first := info.Last + 1
		before := read(t, log, first, n, n)
		var erased []uint64
		for i := range dice.IntN(4) {
			order := dice.Perm(n)[:1+dice.IntN(n)]
			slices.Sort(order)
			var sequences []uint64
			for _, at := range order {
				sequences = append(sequences, uint64(at)+1)
				erased = append(erased, first+uint64(at))
			}
			erase(t, log, before, fmt.Sprint("order ", i), sequences...)
		}
		from, most := dice.IntN(n), 1+dice.IntN(n)
		for _, log := range []*eventlog.Log{log, other} {
			for i, w := range read(t, log, first+uint64(from), most, n-from)[:n-from] {
				was := before[from+i]
				require.Equal(t, was.Chain(domain.Digest{}), w.Chain(domain.Digest{}), "seed %d", seed)
				require.Equal(t, was.StoredAt, w.StoredAt, "seed %d", seed)
				require.Equal(t, slices.Contains(erased, w.StreamSequence), w.Remains != nil, "seed %d", seed)
			}
			info, err := log.Info(t.Context())
			require.NoError(t, err)
			require.Equal(t, []uint64{1, info.Last}, []uint64{info.First, info.Messages}, "seed %d", seed)
		}
	}
}

// Erasing again changes nothing, and takes only what was not erased before.
func TestEraseMayBeRepeated(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	fill(t, log, 5)
	before := readAll(t, log, 5)
	first := erase(t, log, before, "order", 2, 4)
	again := erase(t, log, before, "order", 2, 4)
	require.Equal(t, eventlog.Receipt{StreamSequence: first.StreamSequence, Duplicate: true}, again)
	more := erase(t, log, before, "order", 2, 4, 5)
	require.Equal(t, first.StreamSequence+1, more.StreamSequence)
	tombstone, err := log.Webhook(t.Context(), more.StreamSequence)
	require.NoError(t, err)
	erasure, err := domain.ParseErasure(tombstone)
	require.NoError(t, err)
	require.Len(t, erasure.Webhooks, 1)
	require.Equal(t, "tester", erasure.By)
}

// Nothing is erased that the stream does not hold as the erasure says, and no tombstone.
func TestEraseRefusesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	fill(t, log, 3)
	before := readAll(t, log, 3)
	for name, spoil := range map[string]func(e *domain.Erasure){
		"nothing is left": func(e *domain.Erasure) { e.Webhooks[0].Remains = nil },
		"another place":   func(e *domain.Erasure) { e.Webhooks[0].StreamSequence = 1 },
		"no place":        func(e *domain.Erasure) { e.Webhooks[0].StreamSequence = 77 },
		"another body":    func(e *domain.Erasure) { e.Webhooks[0].BodyDigest[0]++ },
		"another length":  func(e *domain.Erasure) { e.Webhooks[0].Remains.Length++ },
		"another time":    func(e *domain.Erasure) { e.Webhooks[0].StoredAt = domain.UnixInstant(1) },
	} {
		e := erasureOf(before, "order", 2)
		spoil(e)
		_, err := log.Erase(t.Context(), "ivy", "shop", e)
		require.ErrorIs(t, err, eventlog.ErrUnfit, name)
	}
	_, err := log.Erase(t.Context(), "ivy", "other", erasureOf(before, "order", 2))
	require.ErrorIs(t, err, eventlog.ErrUnfit, "of another source")
	require.Equal(t, before, readAll(t, log, 3))
	erase(t, log, before, "order", 2)
	_, err = log.Erase(t.Context(), "ivy", "shop", erasureOf(readAll(t, log, 4), "order", 4))
	require.ErrorIs(t, err, eventlog.ErrUnfit, "a tombstone")
}

// A tombstone that a stream has lost, which was put back to an older point, counts for
// nothing: what is erased again has a new one, and is not just gone.
func TestErasingAgainWhatAStreamPutBackHas(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	server, log := startSmall(t, dir)
	fillWithCanaries(t, log, 5)
	before := readAll(t, log, 5)
	require.NoError(t, server.Restart(t.Context(), func() error { return os.CopyFS(copied, os.DirFS(dir)) }))
	erase(t, log, before, "order", 2, 4)
	requireErased(t, log, dir, before, 2, 4)
	require.NoError(t, server.Restart(t.Context(), func() error {
		return errors.Join(os.RemoveAll(filepath.Join(dir, "jetstream")), os.CopyFS(dir, os.DirFS(copied)))
	}))
	again := erase(t, log, before, "order", 2, 4)
	require.Equal(t, eventlog.Receipt{StreamSequence: 6}, again)
	requireErased(t, log, dir, before, 2, 4)
}

// What a stop has left undone, after the tombstone was stored, the next start does; and
// an order of very many webhooks has several tombstones.
func TestOpenFinishesErasures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir, MaxBody: 64 << 10})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, embedded.Close()) })
	log := openLog(t, embedded, dir)
	const n = 60
	fillWithCanaries(t, log, n)
	before := readAll(t, log, n)
	var sequences []uint64
	for i := range uint64(n / 3) {
		sequences = append(sequences, 3*i+1)
	}
	e := erasureOf(before, "order", sequences...)
	for _, left := range e.Webhooks {
		left.Remains.Event.Description = strings.Repeat("what is left ", 400)
	}
	log.AnswerAfter(failingCopy{})
	_, err = log.Erase(t.Context(), "ivy", "shop", e)
	require.ErrorIs(t, err, eventlog.ErrUnavailable, "a stop after the first tombstone")
	require.Equal(t, before, readAll(t, log, n)[:n], "nothing was deleted")

	log = openLog(t, embedded, dir)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(n+1), info.Last)
	tombstone, err := log.Webhook(t.Context(), info.Last)
	require.NoError(t, err)
	first, err := domain.ParseErasure(tombstone)
	require.NoError(t, err)
	require.Less(t, len(first.Webhooks), len(sequences))
	requireErased(t, log, dir, before, sequences[:len(first.Webhooks)]...)

	receipt, err := log.Erase(t.Context(), "ivy", "shop", e)
	require.NoError(t, err)
	require.Greater(t, receipt.StreamSequence, info.Last)
	requireErased(t, log, dir, before, sequences...)
}

// failingCopy is a copy that takes nothing and does not say so before.
type failingCopy struct{}

func (failingCopy) Ready() error                       { return nil }
func (failingCopy) Wait(context.Context, uint64) error { return eventlog.ErrUnavailable }

// A stream that an older program made lets nothing be deleted, which its server does not
// take back: it is of use but for Erase, which says what to do.
func TestAStreamThatDeniesDeletionIsOfUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: eventlog.WebhooksStream, Subjects: []string{"webhooks.>"}, Discard: jetstream.DiscardNew, MaxBytes: 1 << 20, DenyDelete: true,
	})
	require.NoError(t, err)
	log := openLog(t, embedded, dir)
	fill(t, log, 2)
	before := readAll(t, log, 2)
	_, err = log.Erase(t.Context(), "ivy", "shop", erasureOf(before, "order", 1))
	var denied *eventlog.SettingError
	require.ErrorAs(t, err, &denied)
	require.Equal(t, "WEBHOOKS deny_delete", denied.Setting)
	require.Contains(t, denied.Hint, "ticketrail restore")
	require.Equal(t, before, readAll(t, log, 2))
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(2), info.Last, "no tombstone is stored for what is not erased")
}

// What this program did not erase is a gap to its readers: they are given nothing in its
// place.
func TestWhatNoTombstoneNamesIsAGap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	fill(t, log, 6)
	before := readAll(t, log, 6)
	erase(t, log, before, "order", 3)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), eventlog.WebhooksStream)
	require.NoError(t, err)
	require.NoError(t, stream.DeleteMsg(t.Context(), 4))
	var sequences []uint64
	for _, w := range read(t, log, 1, 10, 6) {
		sequences = append(sequences, w.StreamSequence)
	}
	require.Equal(t, []uint64{1, 2, 3, 5, 6, 7}, sequences)
	_, err = log.Webhook(t.Context(), 4)
	require.ErrorIs(t, err, domain.ErrNotFound)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(6), info.Messages)
}

// On an external server erasing is the same, and another program that reads the stream
// meanwhile learns of it, where the first webhooks are gone too.
func TestErasureOnAnExternalServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	external := startExternal(t, dir, -1)
	log, reader := openExternal(t, external), openExternal(t, external)
	fillWithCanaries(t, log, 20)
	before := readAll(t, reader, 20)
	erase(t, log, before, "order", 1, 2, 7, 20)
	requireErased(t, log, dir, before, 1, 2, 7, 20)
	requireErased(t, reader, dir, before, 1, 2, 7, 20)
}

// A stream that takes no webhook any more takes a tombstone: an order can be erased from it.
func TestEraseFromAFullStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := eventlog.Open(t.Context(), startEmbedded(t, dir).Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 256 << 10})
	require.NoError(t, err)
	for _, size := range []int{16 << 10, 0} {
		for err = nil; err == nil; {
			_, err = log.Append(t.Context(), webhook("", strings.Repeat("x", size)))
		}
		require.ErrorIs(t, err, eventlog.ErrFull)
	}
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrFull)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	erase(t, log, readAll(t, log, info.Last), "1", 1, 2)
	appendWebhook(t, log, webhook("", strings.Repeat("x", 1<<10))) // what was erased has made room
	_, err = log.Webhook(t.Context(), 1)
	require.NoError(t, err)
}

// Who wants what is left of an erased webhook, or to know where the stream stands, does
// not wait for those who ask the server for erasures and get no answer.
func TestWhatIsErasedIsReadWhileTheServerIsSlow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := openLog(t, startEmbedded(t, dir), dir)
	fillWithCanaries(t, log, 6)
	before := readAll(t, log, 6)
	erase(t, log, before, "1", 2)
	_, err := log.Webhook(t.Context(), 2)
	require.NoError(t, err)
	_, err = log.Info(t.Context())
	require.NoError(t, err)

	release := hangSync(t, dir)
	_, err = log.Erase(t.Context(), "ivy", "shop", erasureOf(before, "2", 3))
	require.ErrorIs(t, err, eventlog.ErrUnavailable) // there is another tombstone, and it is not on disk
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asking := make(chan error)
	for range 2 {
		go func() {
			_, err := log.Webhook(ctx, 99)
			asking <- err
		}()
	}
	done := make(chan error)
	go func() {
		_, err := log.Webhook(t.Context(), 2)
		_, infoErr := log.Info(t.Context())
		done <- errors.Join(err, infoErr)
	}()
	select {
	case err := <-done:
		require.NoError(t, err)
	case err := <-asking:
		require.Fail(t, "the server was not slow", err)
	case <-patient(t).Done():
		require.Fail(t, "an erased webhook was not read")
	}
	cancel()
	for range 2 {
		require.ErrorIs(t, <-asking, eventlog.ErrUnavailable)
	}
	release()
}
