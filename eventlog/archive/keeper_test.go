package archive_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// newLog opens the stream of a new embedded server.
func newLog(t *testing.T) *eventlog.Log {
	t.Helper()
	log, _ := newServer(t)
	return log
}

func newServer(t *testing.T) (*eventlog.Log, *eventlog.Embedded) {
	t.Helper()
	return newServerOf(t, 64<<20)
}

// newServerOf opens the stream of a new embedded server that has some room.
func newServerOf(t *testing.T, maxBytes int64) (*eventlog.Log, *eventlog.Embedded) {
	t.Helper()
	dir := t.TempDir()
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: maxBytes})
	require.NoError(t, err)
	return log, server
}

// keep has an archive follow a stream until the test ends.
func keep(t *testing.T, log *eventlog.Log, dir string) *archive.Keeper {
	t.Helper()
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	w, err := archive.Open(dir, info.Identity)
	require.NoError(t, err)
	k := archive.NewKeeper(log, w, nil)
	t.Cleanup(begin(t, k, w))
	log.AnswerAfter(k)
	return k
}

// begin runs a keeper until it is stopped.
func begin(t *testing.T, k *archive.Keeper, w *archive.Writer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
		require.NoError(t, w.Close())
	}
}

func send(ctx context.Context, log *eventlog.Log, n int) (eventlog.Receipt, error) {
	return log.Append(ctx, &domain.Webhook{
		Provider: "ivy", Source: "shop", Event: "order_updated", ID: fmt.Sprint(n), Body: fmt.Appendf(nil, `{"n":%d}`, n),
	})
}

// What is answered for is in the archive at that very moment, whoever else sends; and it
// is what the stream has, under the same digest.
func TestWhatIsAnsweredForIsArchived(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t), t.TempDir()
	keep(t, log, dir)
	var group errgroup.Group
	for n := range 40 {
		group.Go(func() error {
			receipt, err := send(t.Context(), log, n)
			if err != nil {
				return err
			}
			found, err := archive.Look(dir)
			if err == nil && found.Last().StreamSequence < receipt.StreamSequence {
				err = fmt.Errorf("the archive ends with %d, and %d was answered for", found.Last().StreamSequence, receipt.StreamSequence)
			}
			return err
		})
	}
	require.NoError(t, group.Wait())
	var chain domain.Digest
	for n := range uint64(40) {
		w, err := log.Webhook(t.Context(), n+1)
		require.NoError(t, err)
		chain = w.Chain(chain)
	}
	found, err := archive.Look(dir)
	require.NoError(t, err)
	require.Equal(t, chain, found.Last().Chain)
}

// Who waits for a webhook is told when the archive has that one, and not when it has
// another; and may leave before.
func TestWaitsEndEachByItself(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	k := keep(t, log, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	leaving, leave := context.WithCancel(ctx)
	second, third := make(chan error), make(chan error)
	go func() { second <- k.Wait(ctx, 2) }()
	go func() { third <- k.Wait(leaving, 3) }()
	for n := range 2 {
		_, err := send(ctx, log, n)
		require.NoError(t, err)
	}
	require.NoError(t, <-second)
	leave()
	err := <-third
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, k.Wait(ctx, 1))
}

// While the archive's disk is full webhooks are refused, the first one after it was
// stored and the others before; when there is room again it goes on by itself, and has
// all that the stream has.
func TestAFullArchiveRefusesAndRecovers(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t), t.TempDir()
	k := keep(t, log, dir)
	full := filepath.Join(dir, "00000000000000000001.jsonl.zst")
	require.NoError(t, os.Symlink("/dev/full", full))
	_, err := send(t.Context(), log, 1)
	require.ErrorIs(t, err, eventlog.ErrFull)
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrFull)
	_, err = send(t.Context(), log, 2)
	require.ErrorIs(t, err, eventlog.ErrFull)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(1), info.Last, "the second one was not even stored")

	require.NoError(t, os.Remove(full))
	require.Eventually(t, func() bool { return k.Ready() == nil }, patience, 10*time.Millisecond)
	receipt, err := send(t.Context(), log, 1)
	require.NoError(t, err)
	require.Equal(t, eventlog.Receipt{StreamSequence: 1, Duplicate: true}, receipt)
	_, err = send(t.Context(), log, 2)
	require.NoError(t, err)
	require.Len(t, read(t, dir, 1), 2)
}

// An archive that is made late has what was there before, and one that finds another
// stream takes nothing of it, and says so.
func TestAnArchiveFollowsOneStream(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t), t.TempDir()
	for n := range 30 {
		_, err := send(t.Context(), log, n)
		require.NoError(t, err)
	}
	t.Run("late", func(t *testing.T) {
		k := keep(t, log, dir)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		require.NoError(t, k.Wait(ctx, 30))
		require.Len(t, read(t, dir, 1), 30)
	})
	other := newLog(t)
	w, err := archive.Open(dir, stream)
	require.Error(t, err)
	require.Nil(t, w)
	w, err = archive.Open(t.TempDir(), stream)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	k := archive.NewKeeper(other, w, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Run(ctx)
	}()
	require.ErrorIs(t, k.Wait(ctx, 1), archive.ErrContradicts)
	require.ErrorIs(t, k.Ready(), eventlog.ErrUnavailable)
	cancel()
	<-done
}

// An archive that is made when all webhooks have expired waits for none of them.
func TestAnArchiveOfAStreamThatHasExpired(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	config := eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 64 << 20, MaxAge: 100 * time.Millisecond}
	log, err := eventlog.Open(t.Context(), server.Conn(), config)
	require.NoError(t, err)
	last, err := send(t.Context(), log, 1)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		info, err := log.Info(t.Context())
		return err == nil && info.Messages == 0
	}, patience, 10*time.Millisecond)
	k := keep(t, log, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, k.Wait(ctx, last.StreamSequence))
}

// pausing is a stream whose files are looked at when the first batch has been read.
type pausing struct {
	*eventlog.Log
	keeper *archive.Keeper
	from   []uint64 // where readings began
}

func (p *pausing) Written(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error] {
	p.from = append(p.from, from)
	first := len(p.from) == 1
	return func(yield func(*eventlog.Batch, error) bool) {
		for batch, err := range p.Log.Written(ctx, from, most) {
			if first {
				_ = p.keeper.Pause(func() error { return nil })
			}
			if !yield(batch, err) {
				return
			}
		}
	}
}

// What was read before somebody looked at the stream's files is read again, and not
// written: the stream may have lost it.
func TestWhatWasReadBeforeAPauseIsReadAgain(t *testing.T) {
	t.Parallel()
	log, dir := &pausing{Log: newLog(t)}, t.TempDir()
	last, err := send(t.Context(), log.Log, 1)
	require.NoError(t, err)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	w, err := archive.Open(dir, info.Identity)
	require.NoError(t, err)
	log.keeper = archive.NewKeeper(log, w, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		log.keeper.Run(ctx)
	}()
	require.NoError(t, log.keeper.Wait(ctx, last.StreamSequence))
	cancel()
	<-done
	require.NoError(t, w.Close())
	require.Equal(t, []uint64{1, 1}, log.from)
	require.Len(t, read(t, dir, 1), 1)
}
