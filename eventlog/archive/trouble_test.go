package archive_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

var errAway = errors.New("the broker is away")

// faulty is a stream that fails as often as it is told to.
type faulty struct {
	*eventlog.Log
	info, batches atomic.Int64 // how often each is still to fail
	tried         atomic.Int64 // how often any has failed
	without       uint64       // a stream sequence that is missing from the batches
}

func (f *faulty) fail(left *atomic.Int64) error {
	if left.Add(-1) < 0 {
		left.Store(0)
		return nil
	}
	f.tried.Add(1)
	return errAway
}

func (f *faulty) Info(ctx context.Context) (domain.StreamInfo, error) {
	if err := f.fail(&f.info); err != nil {
		return domain.StreamInfo{}, err
	}
	return f.Log.Info(ctx)
}

func (f *faulty) Written(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error] {
	return func(yield func(*eventlog.Batch, error) bool) {
		if err := f.fail(&f.batches); err != nil {
			yield(nil, err)
			return
		}
		for batch, err := range f.Log.Written(ctx, from, most) {
			if err == nil {
				batch.Webhooks = slices.DeleteFunc(batch.Webhooks, func(w *domain.Webhook) bool { return w.StreamSequence == f.without })
			}
			if err == nil && len(batch.Webhooks) == 0 {
				continue
			}
			if !yield(batch, err) {
				return
			}
		}
	}
}

// transcript is a log that is read while it is written.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(text)
}

func (t *transcript) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Split(strings.TrimSpace(t.text.String()), "\n")
}

// watch has a new archive follow a stream that fails, and notes what is said.
func watch(t *testing.T, log *faulty) (k *archive.Keeper, dir string, said *transcript) {
	t.Helper()
	info, err := log.Log.Info(t.Context())
	require.NoError(t, err)
	dir, said = t.TempDir(), &transcript{}
	w, err := archive.Open(dir, info.Identity)
	require.NoError(t, err)
	k = archive.NewKeeper(log, w, slog.New(slog.NewTextHandler(said, nil)))
	t.Cleanup(begin(t, k, w))
	return k, dir, said
}

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	require.Eventually(t, is, patience, 5*time.Millisecond)
}

// A stream that cannot be read again and again is told to who waits, and logged once;
// when it can be read again the archive goes on by itself.
func TestWhatFailsRepeatedlyIsToldOnce(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]func(*faulty) *atomic.Int64{
		"where it stands": func(f *faulty) *atomic.Int64 { return &f.info },
		"its webhooks":    func(f *faulty) *atomic.Int64 { return &f.batches },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &faulty{Log: newLog(t)}
			_, err := send(t.Context(), log.Log, 1)
			require.NoError(t, err)
			left(log).Store(1 << 40)
			k, dir, said := watch(t, log)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			require.ErrorIs(t, k.Wait(ctx, 1), errAway)
			log.AnswerAfter(k)
			require.ErrorIs(t, log.Ready(ctx), eventlog.ErrUnavailable)
			_, err = send(ctx, log.Log, 2)
			require.ErrorIs(t, err, errAway)
			tried := log.tried.Load()
			eventually(t, func() bool { return log.tried.Load() > tried+3 })
			require.Len(t, said.lines(), 1)
			require.Contains(t, said.lines()[0], "level=ERROR")
			require.Contains(t, said.lines()[0], errAway.Error())

			left(log).Store(0)
			eventually(t, func() bool { return k.Ready() == nil })
			require.NoError(t, k.Wait(ctx, 1))
			require.Len(t, read(t, dir, 1), 1)
			require.Len(t, said.lines(), 2)
		})
	}
}

// A broker that is away for a moment is nobody's concern.
func TestAnInterruptionIsNotTold(t *testing.T) {
	t.Parallel()
	log := &faulty{Log: newLog(t)}
	log.info.Store(1)
	log.batches.Store(1)
	_, err := send(t.Context(), log.Log, 1)
	require.NoError(t, err)
	k, _, said := watch(t, log)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, k.Wait(ctx, 1))
	require.Equal(t, []string{""}, said.lines())
}

// A webhook that is missing in the middle of others stops the archive before it, and is
// told.
func TestAGapInABatchIsTold(t *testing.T) {
	t.Parallel()
	log := &faulty{Log: newLog(t), without: 3}
	for n := range 5 {
		_, err := send(t.Context(), log.Log, n)
		require.NoError(t, err)
	}
	k, dir, said := watch(t, log)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.ErrorIs(t, k.Wait(ctx, 5), archive.ErrContradicts)
	require.Len(t, read(t, dir, 1), 2)
	require.Len(t, said.lines(), 1)
	require.Contains(t, said.lines()[0], "stream sequence 4 follows 2")
}

// An archive that does not come to the end of a write is not ready as soon as no answer
// waits for it any more, and is ready when it goes on.
func TestAnArchiveThatHangsIsNotReady(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	k := keep(t, log, t.TempDir())
	for n := range 2 { // with the first one a segment begins, and more is done
		_, err := send(t.Context(), log, n)
		require.NoError(t, err)
	}
	require.NoError(t, k.Pause(func() error { // nothing is written until it is over
		_, err := send(t.Context(), log, 2)
		require.ErrorIs(t, err, eventlog.ErrUnavailable)
		eventually(t, func() bool { return k.Ready() != nil })
		require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrUnavailable)
		return nil
	}))
	eventually(t, func() bool { return k.Reached() == 3 })
	require.NoError(t, log.Ready(t.Context()))
}
