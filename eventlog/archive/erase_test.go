package archive_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/archive/archivetest"
)

// kept is a stream and the archive that follows it, of small segments.
type kept struct {
	*eventlog.Log
	t      *testing.T
	server *eventlog.Embedded
	dir    string // of the archive
	size   int64  // of its segments
	keeper *archive.Keeper
	stop   func()
}

// keepSmall has an archive follow a new stream.
func keepSmall(t *testing.T) *kept {
	t.Helper()
	return keepOf(t, 4<<10)
}

// keepOf has an archive of segments of a size follow a new stream.
func keepOf(t *testing.T, size int64) *kept {
	t.Helper()
	k := &kept{t: t, dir: t.TempDir(), size: size}
	k.Log, k.server = newServer(t)
	k.start()
	t.Cleanup(func() { k.stop() })
	return k
}

func (k *kept) start() {
	info, err := k.Info(k.t.Context())
	require.NoError(k.t, err)
	w, err := archive.Open(k.dir, info.Identity)
	require.NoError(k.t, err)
	w.SegmentSize = k.size
	keeper := archive.NewKeeper(k.Log, w, nil)
	stop := begin(k.t, keeper, w)
	k.keeper = keeper
	k.AnswerAfter(keeper)
	k.stop = func() {
		stop()
		k.stop = func() {}
	}
}

// fill appends webhooks with a canary each, and noise that fills segments.
func (k *kept) fill(n int) {
	info, err := k.Info(k.t.Context())
	require.NoError(k.t, err)
	for i := info.Last; i < info.Last+uint64(n); i++ {
		noise := make([]byte, 300)
		dice := rand.New(rand.NewPCG(1, i))
		for j := range noise {
			noise[j] = byte('a' + dice.IntN(26))
		}
		_, err := k.Append(k.t.Context(), &domain.Webhook{
			Provider: "ivy", Source: "shop", Event: "order_updated", ID: fmt.Sprint(i), Body: fmt.Appendf(nil, `{"name":"canary-%d.","noise":%q}`, i+1, noise),
		})
		require.NoError(k.t, err)
	}
}

func (k *kept) erase(sequences ...uint64) { require.NoError(k.t, k.tryErase(sequences...)) }

// tryErase erases webhooks, and waits until the archive does not have them any more.
func (k *kept) tryErase(sequences ...uint64) error {
	receipt, err := k.Erase(k.patient(), "ivy", "shop", archivetest.Erasure(k.t, k.Log, sequences...))
	if err != nil {
		return err
	}
	return k.keeper.WaitErased(k.patient(), receipt.StreamSequence)
}

func (k *kept) patient() context.Context {
	ctx, cancel := context.WithTimeout(k.t.Context(), patience)
	k.t.Cleanup(cancel)
	return ctx
}

// requireErased requires that an archive is as it was, but that some webhooks are
// erased: the same digest chain, and their canaries nowhere.
func (k *kept) requireErased(before []archive.Entry, erased ...uint64) {
	k.t.Helper()
	after := read(k.t, k.dir, 1)
	for i, e := range before {
		require.Equal(k.t, e.Chain(domain.Digest{}), after[i].Chain(domain.Digest{}))
		require.Equal(k.t, e.StoredAt, after[i].StoredAt)
		if !slices.Contains(erased, e.StreamSequence) {
			require.Equal(k.t, e, after[i])
			continue
		}
		require.NotNil(k.t, after[i].Remains)
		require.Equal(k.t, len(e.Body), after[i].Length())
		require.Empty(k.t, after[i].Body)
	}
	last := archive.Mark{}
	for _, e := range after {
		last = last.After(e)
	}
	found, err := archive.Look(k.dir)
	require.NoError(k.t, err)
	require.Equal(k.t, last, found.Last())
	text := archivetest.Text(k.t, k.dir)
	for _, sequence := range erased {
		require.NotContains(k.t, text, fmt.Sprintf("canary-%d.", sequence))
	}
}

// What is erased is in no segment of the archive when Erase returns, in none that is
// sealed and not in the open one; all else is as it was, and the archive goes on.
func TestErasedWebhooksLeaveTheArchive(t *testing.T) {
	t.Parallel()
	k := keepSmall(t)
	k.fill(60)
	before := read(t, k.dir, 1)
	found, err := archive.Look(k.dir)
	require.NoError(t, err)
	require.Greater(t, found.Segments(), 2)
	k.erase(1, 2, 3, 20, 21, 40, 60)
	k.requireErased(before, 1, 2, 3, 20, 21, 40, 60)
	k.erase(59, 61-1) // one of them again
	k.requireErased(before, 1, 2, 3, 20, 21, 40, 59, 60)
	k.fill(20)
	k.stop()
	k.start()
	k.erase(30)
	k.fill(1)
	k.requireErased(before, 1, 2, 3, 20, 21, 30, 40, 59, 60)
}

// A stop before the archive has the tombstone, and one before its segments were
// rewritten, is made up for by the next start.
func TestAKeeperFinishesErasures(t *testing.T) {
	t.Parallel()
	k := keepSmall(t)
	k.fill(60)
	before := read(t, k.dir, 1)
	erased := []uint64{5, 30, 60}

	// A file cannot be made, as on a disk that is full.
	obstacle := filepath.Join(k.dir, "erasing")
	require.NoError(t, os.Mkdir(obstacle, 0o700))
	require.ErrorIs(t, k.tryErase(erased...), eventlog.ErrUnavailable)
	require.Len(t, read(t, k.dir, 1), 61, "the archive has the tombstone")
	require.Contains(t, archivetest.Text(k.t, k.dir), "canary-30.")
	k.stop()
	require.NoError(t, os.Remove(obstacle))
	require.NoError(t, os.WriteFile(obstacle, []byte("canary-30."), 0o600), "what a crash leaves of a rewritten segment")
	k.start()
	require.NoFileExists(t, obstacle)
	k.erase(erased...)
	k.requireErased(before, erased...)

	// Nobody remembers that it was done.
	k.stop()
	require.NoError(t, os.Remove(filepath.Join(k.dir, "erased.json")))
	k.start()
	k.erase(erased...)
	k.requireErased(before, erased...)

	// The archive was not there when the order was erased.
	k.stop()
	k.AnswerAfter(absent{})
	_, err := k.Erase(k.patient(), "ivy", "shop", archivetest.Erasure(k.t, k.Log, 7, 8))
	require.NoError(t, err)
	k.start()
	k.erase(7, 8)
	k.requireErased(before, append(erased, 7, 8)...)
}

// absent is a copy for which nothing waits.
type absent struct{}

func (absent) Ready() error                       { return nil }
func (absent) Wait(context.Context, uint64) error { return nil }

// Senders are answered while orders are erased, and what is copied meanwhile is sound.
func TestAnArchiveGoesOnWhileOrdersAreErased(t *testing.T) {
	t.Parallel()
	k := keepSmall(t)
	k.fill(40)
	before := read(t, k.dir, 1)
	var erased []uint64
	for sequence := uint64(1); sequence <= 40; sequence += 2 {
		erased = append(erased, sequence)
	}
	var group errgroup.Group
	group.Go(func() error {
		for n := 1000; n < 1060; n++ {
			if _, err := send(t.Context(), k.Log, n); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for range 10 {
			to := t.TempDir()
			if _, err := archive.Copy(k.dir, to); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for _, sequence := range erased {
			if err := k.tryErase(sequence); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, group.Wait())
	k.requireErased(before, erased...)
}

// A damaged segment gets no new seal: it is found as damaged afterwards as well.
func TestErasingSealsNoDamage(t *testing.T) {
	t.Parallel()
	k := keepSmall(t)
	k.fill(60)
	first := filepath.Join(k.dir, "00000000000000000001.jsonl.zst")
	content, err := os.ReadFile(first)
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(first, content, 0o600))
	var damaged *archive.DamageError
	require.ErrorAs(t, k.tryErase(1), &damaged)
	after, err := os.ReadFile(first)
	require.NoError(t, err)
	require.Equal(t, content, after)
}

// expire has the stream forget all that it has, as stream.max_age does.
func (k *kept) expire() {
	js, err := jetstream.New(k.server.Conn())
	require.NoError(k.t, err)
	stream, err := js.Stream(k.t.Context(), eventlog.WebhooksStream)
	require.NoError(k.t, err)
	config := stream.CachedInfo().Config
	for _, age := range []time.Duration{100 * time.Millisecond, time.Hour} {
		config.MaxAge, config.Duplicates = age, 100*time.Millisecond
		_, err := js.UpdateStream(k.t.Context(), config)
		require.NoError(k.t, err)
		require.Eventually(k.t, func() bool {
			info, err := k.Info(k.t.Context())
			return err == nil && info.Messages == 0
		}, patience, 10*time.Millisecond)
	}
}

// find gives what the archive has of some webhooks.
func (k *kept) find(sequences ...uint64) (found []*domain.Webhook) {
	for w, err := range k.keeper.Webhooks(sequences) {
		require.NoError(k.t, err)
		found = append(found, w)
	}
	return found
}

// What the stream has forgotten is found in the archive as the stream had it, and is
// erased from there, with what the stream still has. The stream is whole for its readers
// as before.
func TestForgottenWebhooksLeaveTheArchive(t *testing.T) {
	t.Parallel()
	k := keepOf(t, 1<<20)
	k.fill(40)
	forgotten := archivetest.Erasure(k.t, k.Log, 2, 3, 20, 39, 40)
	k.expire()
	k.fill(20)
	before := read(t, k.dir, 1)

	found := k.find(2, 3, 20, 39, 40, 77)
	require.Len(t, found, len(forgotten.Webhooks))
	for i, w := range found {
		require.Equal(t, forgotten.Webhooks[i].StoredAt, w.StoredAt)
		require.Equal(t, forgotten.Webhooks[i].Chain(domain.Digest{}), w.Chain(domain.Digest{}))
		require.Contains(t, string(w.Body), fmt.Sprintf("canary-%d.", w.StreamSequence))
	}
	receipt, err := k.Erase(k.patient(), "ivy", "shop", forgotten)
	require.NoError(t, err)
	require.NoError(t, k.keeper.WaitErased(k.patient(), receipt.StreamSequence))
	k.requireErased(before, 2, 3, 20, 39, 40)
	for _, w := range k.find(2, 40) {
		require.NotNil(t, w.Remains)
	}
	last, err := k.Webhook(t.Context(), 40)
	require.NoError(t, err)
	require.NotNil(t, last.Remains)
	info, err := k.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{39, 61, 23}, []uint64{info.First, info.Last, info.Messages}, "what is left of the last forgotten ones is there")
	third, err := k.Webhook(t.Context(), 3)
	require.NoError(t, err)
	require.NotNil(t, third.Remains, "its tombstone is there")
	_, err = k.Webhook(t.Context(), 4)
	require.ErrorIs(t, err, domain.ErrNotFound)
	k.erase(45, 60)
	k.requireErased(before, 2, 3, 20, 39, 40, 45, 60)
}

// An archive tells that it holds nothing more of what was erased, also where the stream
// has forgotten the tombstone itself.
func TestAForgottenTombstoneIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	k := keepSmall(t)
	k.fill(3)
	k.erase(2)
	k.expire()
	k.fill(1)
	k.stop()
	require.NoError(t, os.Remove(filepath.Join(k.dir, "erased.json")))
	k.start()
	require.NoError(t, k.keeper.WaitErased(k.patient(), 4))
}
