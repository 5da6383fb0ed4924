package archive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// store is a folder that can be away.
type store struct {
	archive.Folder
	away atomic.Bool
}

var errStoreAway = errors.New("the store is away")

func (s *store) Put(ctx context.Context, name string, content []byte) error {
	if s.away.Load() {
		return errStoreAway
	}
	return s.Folder.Put(ctx, name, content)
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
	// bodySize makes a block of the stream, of 4 MiB, hold some dozen webhooks.
	bodySize = 64 << 10
	// roomSize is what the stream has room for: three blocks.
	roomSize = 16 << 20
	block    = 64 // webhooks
)

func startTrimming(t *testing.T) *trimming {
	t.Helper()
	s := &trimming{t: t, dir: t.TempDir(), store: &store{Folder: archive.Folder(filepath.Join(t.TempDir(), "store"))}}
	s.log, _ = newServerOf(t, roomSize)
	info, err := s.log.Info(t.Context())
	require.NoError(t, err)
	w, err := archive.Open(s.dir, info.Identity)
	require.NoError(t, err)
	w.SegmentSize = 1 << 20
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

// fill sends webhooks of noise.
func (s *trimming) fill(webhooks int) {
	s.t.Helper()
	for range webhooks {
		require.NoError(s.t, s.send())
	}
}

func (s *trimming) send() error {
	body := append(fmt.Appendf(nil, "canary-%d.", s.sent+1), noise(bodySize)...)
	rand.NewChaCha8([32]byte{byte(s.sent), byte(s.sent >> 8)}).Read(body[16:])
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
	for batch, err := range s.joined.Batches(s.t.Context(), 1, most) {
		require.NoError(s.t, err)
		for _, w := range batch.Webhooks {
			require.Equal(s.t, next, w.StreamSequence)
			chain = w.Chain(chain)
			next++
		}
		if next > uint64(s.sent) {
			return chain
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
	for s.sent < 6*block {
		s.trimmed(uint64(max(s.sent-2*block, 0)))
		s.fill(block / 2)
	}
	s.trimmed(uint64(4 * block))
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
	require.Eventually(t, func() bool { return read(t, s.dir, 1)[0].StreamSequence > 3*block }, patience, 10*time.Millisecond, "the folder is freed too")
}
