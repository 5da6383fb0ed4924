package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/archive/archivetest"
)

// store is a folder that can be away, or take what it does not give out.
type store struct {
	archive.Folder
	away, mute atomic.Bool
}

var errStoreAway = errors.New("the store is away")

func (s *store) Put(ctx context.Context, name string, content []byte) error {
	if s.away.Load() {
		return errStoreAway
	}
	return s.Folder.Put(ctx, name, content)
}

func (s *store) Get(ctx context.Context, name string) ([]byte, error) {
	if s.mute.Load() {
		return nil, errStoreAway
	}
	return s.Folder.Get(ctx, name)
}

// trimming is a stream with an archive and a store, beside what it would be without one.
type trimming struct {
	t       *testing.T
	log     *eventlog.Log
	dir     string
	store   *store
	stored  *archive.Stored
	keeper  *archive.Keeper
	joined  *archive.Joined
	carrier *archive.Carrier
	reached atomic.Uint64 // by the projector
	sent    int
}

const (
	// roomSize makes the server keep blocks of 32 KB, and three of them.
	roomSize = 120_000
	bodySize = 4 << 10
	block    = 8 // webhooks that fill one
)

func startTrimming(t *testing.T) *trimming {
	t.Helper()
	s := &trimming{t: t, dir: t.TempDir(), store: &store{Folder: archive.Folder(filepath.Join(t.TempDir(), "store"))}}
	s.log, _ = newServerOf(t, roomSize)
	info, err := s.log.Info(t.Context())
	require.NoError(t, err)
	w, err := archive.Open(s.dir, info.Identity)
	require.NoError(t, err)
	w.SegmentSize = 8 << 10
	s.stored, err = archive.OpenStored(s.dir, s.store)
	require.NoError(t, err)
	s.keeper = archive.NewKeeper(s.log, w, nil)
	s.keeper.Use(s.stored)
	t.Cleanup(begin(t, s.keeper, w))
	s.log.AnswerAfter(s.keeper)
	s.joined = archive.Join(s.stored, s.log)
	s.carrier = archive.NewCarrier(archive.CarrierConfig{
		Log: s.log, Stored: s.stored, Keeper: s.keeper, Keep: 1, Reached: s.reached.Load,
	})
	s.reached.Store(1 << 40)
	return s
}

// carry has the carrier run until the test ends.
func (s *trimming) carry() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.carrier.Run(ctx)
	}()
	s.t.Cleanup(func() {
		cancel()
		<-done
	})
}

// fill sends webhooks that hardly compress.
func (s *trimming) fill(webhooks int) {
	s.t.Helper()
	for range webhooks {
		require.NoError(s.t, s.send())
	}
}

func (s *trimming) send() error {
	digits := make([]byte, bodySize/2)
	_, _ = rand.NewChaCha8([32]byte{byte(s.sent), byte(s.sent >> 8)}).Read(digits) // never fails
	body := fmt.Appendf(nil, `{"canary-%d.":"%x"}`, s.sent+1, digits)
	_, err := s.log.Append(s.t.Context(), &domain.Webhook{
		Provider: "ivy", Source: "shop", Event: "order_updated", ID: fmt.Sprint(s.sent + 1), Body: body,
	})
	if err == nil {
		s.sent++
	}
	return err
}

// first gives the first webhook of the stream.
func (s *trimming) first() uint64 {
	info, err := s.log.Info(s.t.Context())
	require.NoError(s.t, err)
	return info.First
}

// trimmed waits until the stream begins behind a webhook.
func (s *trimming) trimmed(behind uint64) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.first() > behind }, patience, 10*time.Millisecond)
}

// chain reads all that was sent, in one order without a gap, and gives its digest.
func (s *trimming) chain(most int) (chain domain.Digest) {
	s.t.Helper()
	next := uint64(1)
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for batch, err := range s.joined.Batches(ctx, 1, most) {
		require.NoError(s.t, err)
		for _, w := range batch.Webhooks {
			require.Equal(s.t, next, w.StreamSequence)
			chain = w.Chain(chain)
			if next++; next > uint64(s.sent) {
				return chain
			}
		}
	}
	return chain
}

// A stream that is trimmed takes more than it has room for, and reads as one that was not:
// the same webhooks, each once and in order, with the same digest.
func TestATrimmedStreamReadsAsTheWholeOne(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.fill(2 * block)
	whole := s.chain(7)
	require.EqualValues(t, 1, s.first())
	s.carry()
	s.trimmed(1)
	require.Equal(t, whole, s.chain(7))
	for s.sent < 8*block {
		s.trimmed(uint64(max(s.sent-2*block, 0)))
		s.fill(block / 2)
	}
	s.trimmed(uint64(6 * block))
	info, err := s.joined.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{1, uint64(s.sent), uint64(s.sent)}, []uint64{info.First, info.Last, info.Messages})
	var chain domain.Digest
	for n := range uint64(s.sent) {
		w, err := s.joined.Webhook(t.Context(), n+1)
		require.NoError(t, err)
		chain = w.Chain(chain)
	}
	require.Equal(t, chain, s.chain(1000))
	s.dropped(5 * block)
}

// dropped waits until the archive's folder begins behind a webhook.
func (s *trimming) dropped(behind uint64) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		found, err := archive.Look(s.dir)
		return err == nil && found.BeforeFolder().StreamSequence >= behind
	}, patience, 10*time.Millisecond)
}

// Who reads while the stream is trimmed below notices nothing of it.
func TestAReaderOutlastsATrim(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.fill(3 * block)
	whole, chain, next := s.chain(7), domain.Digest{}, uint64(1)
	for next <= uint64(s.sent) {
		for batch, err := range s.joined.Batches(t.Context(), next, 3) {
			if errors.Is(err, eventlog.ErrInterrupted) {
				break // the file that it read is gone: the projector looks again, and goes on
			}
			require.NoError(t, err)
			for _, w := range batch.Webhooks {
				require.Equal(t, next, w.StreamSequence)
				chain, next = w.Chain(chain), next+1
			}
			if next == 4 {
				s.carry()
				s.trimmed(block)
			}
			if next > uint64(s.sent) {
				break
			}
		}
	}
	require.Equal(t, whole, chain)
}

// As long as the store is away nothing is trimmed, and webhooks are taken, until the stream
// is really full. Then it goes on by itself.
func TestAStoreThatIsAwayStopsTheTrimAlone(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.store.away.Store(true)
	s.carry()
	s.fill(2 * block)
	require.Eventually(t, func() bool { return s.carrier.Trouble() != nil }, patience, time.Millisecond)
	require.ErrorIs(t, s.carrier.Trouble(), eventlog.ErrUnavailable)
	var err error
	for err == nil {
		err = s.send()
	}
	require.ErrorIs(t, err, eventlog.ErrFull)
	require.EqualValues(t, 1, s.first())
	s.store.away.Store(false)
	s.trimmed(block)
	require.Eventually(t, func() bool { return s.carrier.Trouble() == nil }, patience, time.Millisecond)
	s.fill(block)
	s.chain(7)
}

// What the projector has not read stays in the stream, and so does what was not put into
// the store.
func TestOnlyWhatWasReadIsTrimmed(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.reached.Store(block + 2)
	s.fill(3 * block)
	s.carry()
	s.trimmed(1)
	require.LessOrEqual(t, s.first(), uint64(block+3))
	require.LessOrEqual(t, s.first(), s.stored.Last()+1)
	s.reached.Store(1 << 40)
	s.trimmed(block + 3)
}

// An object that is not what was put there is found when it is read, by its digest, and so
// is one that is missing; where it is and what it is called is told.
func TestADamagedObjectIsFound(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.fill(3 * block)
	s.carry()
	s.dropped(1)
	names, err := s.store.List(t.Context(), "")
	require.NoError(t, err)
	path := filepath.Join(s.store.String(), names[0])
	back := flipBit(t, path, 100, 2)
	fails := func() *archive.DamageError {
		_, err := s.joined.Webhook(t.Context(), 1)
		var damaged *archive.DamageError
		require.ErrorAs(t, err, &damaged)
		return damaged
	}
	require.Equal(t, path, fails().File)
	for _, err = range s.joined.Batches(t.Context(), 1, 3) {
		break
	}
	require.Error(t, err)
	back()
	_, err = s.joined.Webhook(t.Context(), 1)
	require.NoError(t, err)

	s.stored, err = archive.OpenStored(s.dir, s.store) // which has nothing in memory
	require.NoError(t, err)
	s.joined = archive.Join(s.stored, s.log)
	require.NoError(t, os.Remove(path))
	require.ErrorContains(t, fails(), "not there")
}

// What is erased leaves the store as it leaves the folder and the stream, wherever its
// webhooks are; the old objects are gone, also those that a stop has left. Nothing else
// changes, and the digest does not.
func TestAnErasureReachesTheStore(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.fill(3 * block)
	s.carry()
	s.dropped(block)
	s.fill(2)
	whole := s.chain(7)
	all := archivetest.Text(t, s.dir) + archivetest.Text(t, s.store.String())
	names, err := s.store.List(t.Context(), "")
	require.NoError(t, err)
	left, err := s.store.Get(t.Context(), names[0])
	require.NoError(t, err)

	erased := []uint64{1, 2, 7, 2 * block, uint64(s.sent) - 1}
	receipt, err := s.log.Erase(t.Context(), "ivy", "shop", archivetest.Erasure(t, s.joined, erased...))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, s.keeper.WaitErased(ctx, receipt.StreamSequence))
	text := archivetest.Text(t, s.dir) + archivetest.Text(t, s.store.String())
	for n := range uint64(s.sent) {
		canary := fmt.Sprintf("canary-%d.", n+1)
		require.True(t, strings.Contains(all, canary), canary)
		require.Equal(t, !slices.Contains(erased, n+1), strings.Contains(text, canary), canary)
	}
	require.Equal(t, whole, s.chain(7))
	w, err := s.joined.Webhook(t.Context(), 2)
	require.NoError(t, err)
	require.NotNil(t, w.Remains)

	// A stop came between the new object and the removal of the old one.
	require.NoError(t, s.store.Put(t.Context(), names[0], left))
	require.NoError(t, s.stored.Erase(ctx, archivetest.Erasure(t, s.joined, 2).Webhooks))
	_, err = s.store.Get(t.Context(), names[0])
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Equal(t, whole, s.chain(7))
}

// A check of the store reads every object, and tells of those that nobody knows. One that
// was removed is put there again, as long as the folder has the segment.
func TestAStoreIsChecked(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.reached.Store(1) // nothing is trimmed, so nothing leaves the folder
	s.fill(2 * block)
	require.NoError(t, s.once())
	found, err := s.stored.Check(t.Context())
	require.NoError(t, err)
	require.Positive(t, found.Objects)
	require.EqualValues(t, 1, found.First)
	require.Equal(t, s.stored.Last(), found.Last)
	require.Empty(t, found.Strays)

	names, err := s.store.List(t.Context(), "")
	require.NoError(t, err)
	content, err := s.store.Get(t.Context(), names[1])
	require.NoError(t, err)
	stray := names[0][:21] + "0000000000000000.jsonl.zst"
	require.NoError(t, s.store.Put(t.Context(), stray, content))
	require.NoError(t, s.store.Delete(t.Context(), names[1]))
	var damaged *archive.DamageError
	_, err = s.stored.Check(t.Context())
	require.ErrorAs(t, err, &damaged)
	require.Equal(t, names[1], filepath.Base(damaged.File))
	require.NoError(t, s.once())
	found, err = s.stored.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{stray}, found.Strays)
	require.Zero(t, found.Newer)

	// An archive that was put back knows less than there is.
	last := fmt.Sprintf("%020d-0000000000000000.jsonl.zst", found.Last+1)
	require.NoError(t, s.store.Put(t.Context(), last, content))
	found, err = s.stored.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, found.Newer)
}

// once has a new carrier do what is to be done, as a start has.
func (s *trimming) once() error {
	return archive.NewCarrier(archive.CarrierConfig{
		Log: s.log, Stored: s.stored, Keeper: s.keeper, Keep: 1, Reached: s.reached.Load,
	}).Carry(s.t.Context())
}

// A store that another archive has filled is left alone.
func TestAForeignStoreIsRefused(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.fill(block)
	foreign := fmt.Sprintf("%020d-0123456789abcdef.jsonl.zst", 77)
	require.NoError(t, s.store.Put(t.Context(), foreign, nil))
	require.ErrorIs(t, s.once(), archive.ErrForeign)
	names, err := s.store.List(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []string{foreign}, names)
	require.NoError(t, s.store.Delete(t.Context(), foreign))
	require.NoError(t, s.once())
	require.Positive(t, s.stored.Last())
}
