package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// However many webhooks come at once, also more than are committed at once: each sender
// learns what became of its own, and what is wrong with one of them is no other's affair.
func TestAppendTellsEachSenderOfItsOwn(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	const senders = 3000
	tooLarge := strings.Repeat("x", 5<<20)
	receipts, errs := make([]eventlog.Receipt, senders), make([]error, senders)
	var all sync.WaitGroup
	for n := range senders {
		w := webhook(fmt.Sprint("evt_", n/2), fmt.Sprintf(`{"n":%d}`, n/2)) // each comes twice
		if n%500 == 0 {
			w = webhook("", tooLarge)
		}
		all.Go(func() { receipts[n], errs[n] = log.Append(t.Context(), w) })
	}
	all.Wait()
	bodies, duplicates := map[uint64]string{}, 0
	for _, w := range read(t, log, 1, 1000, senders/2) {
		bodies[w.StreamSequence] = string(w.Body)
	}
	for n := range senders {
		if n%500 == 0 {
			require.ErrorIs(t, errs[n], eventlog.ErrTooLarge)
			continue
		}
		require.NoError(t, errs[n])
		require.Equal(t, fmt.Sprintf(`{"n":%d}`, n/2), bodies[receipts[n].StreamSequence])
		if receipts[n].Duplicate {
			duplicates++
		}
	}
	require.Len(t, bodies, senders/2)
	require.Equal(t, senders/2-senders/500, duplicates)
}

// Webhooks without an id may be the same to the last byte: each has a place of its own, by
// whichever way its sender is told, after those that were acknowledged before it was sent.
func TestAppendTellsTheSameWebhooksApart(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	same := webhook("", `{"same":true}`)
	seen, last := map[uint64]bool{}, uint64(0)
	for round := range 40 {
		var all sync.WaitGroup
		receipts := make([]eventlog.Receipt, 1+round%7)
		for n := range receipts {
			all.Go(func() {
				var err error
				receipts[n], err = log.Append(t.Context(), same)
				assert.NoError(t, err)
			})
		}
		all.Wait()
		for _, receipt := range receipts {
			require.Greater(t, receipt.StreamSequence, last)
			require.False(t, seen[receipt.StreamSequence])
			seen[receipt.StreamSequence] = true
		}
		last = uint64(len(seen))
	}
	require.True(t, seen[last])
}

// Who leaves early learns that nothing is known; those who were to be committed with it
// are.
func TestAppendOfOneWhoLeaves(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	left, leave := context.WithCancel(t.Context())
	leave()
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			ctx := t.Context()
			if n%2 == 0 {
				ctx = left
			}
			_, err := log.Append(ctx, webhook(fmt.Sprint("evt_", n), "{}"))
			if n%2 == 1 {
				assert.NoError(t, err)
			} else if err != nil {
				assert.ErrorIs(t, err, eventlog.ErrUnavailable)
			}
		})
	}
	all.Wait()
}

// Of webhooks that come at once some may have room and others not, large ones before small
// ones, while somebody else publishes too: who is told of a stream sequence finds its own
// webhook there, and everybody else is told to come again.
func TestAppendWhereSomeHaveRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log, err := eventlog.Open(t.Context(), embedded.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 1 << 20})
	require.NoError(t, err)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	const senders = 300
	receipts, errs := make([]eventlog.Receipt, senders), make([]error, senders)
	body := func(n int) string {
		return fmt.Sprintf(`{"n":%d,"x":"%s"}`, n, strings.Repeat("x", 1+n%7*3000))
	}
	var all sync.WaitGroup
	for n := range senders {
		if n%10 == 0 {
			all.Go(func() { _, _ = js.Publish(t.Context(), topic, []byte("{}")) }) // it may be full
			continue
		}
		all.Go(func() { receipts[n], errs[n] = log.Append(t.Context(), webhook("", body(n))) })
	}
	all.Wait()
	full := 0
	for n := range senders {
		switch {
		case n%10 == 0:
		case errs[n] != nil:
			if !errors.Is(errs[n], eventlog.ErrFull) {
				require.ErrorIs(t, errs[n], eventlog.ErrUnavailable)
			}
			full++
		default:
			w, err := log.Webhook(t.Context(), receipts[n].StreamSequence)
			require.NoError(t, err)
			require.Equal(t, body(n), string(w.Body))
		}
	}
	require.NotZero(t, full)
	require.Less(t, full, senders*9/10)
}

// After a restart on files that end earlier than before, each sender learns what became of
// its own all the same.
func TestAppendAfterAStreamWasPutBack(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	fill(t, log, 1)
	require.NoError(t, embedded.Restart(patient(t), func() error { return os.CopyFS(copied, os.DirFS(dir)) }))
	fill(t, log, 500)
	require.NoError(t, embedded.Restart(patient(t), func() error {
		return errors.Join(os.RemoveAll(filepath.Join(dir, "jetstream")), os.CopyFS(dir, os.DirFS(copied)))
	}))
	var all sync.WaitGroup
	for n := range 300 {
		body := fmt.Sprintf(`{"n":%d}`, n)
		all.Go(func() {
			receipt, err := log.Append(t.Context(), webhook("", body))
			if !assert.NoError(t, err) {
				return
			}
			w, err := log.Webhook(t.Context(), receipt.StreamSequence)
			assert.NoError(t, err)
			assert.Equal(t, body, string(w.Body))
		})
	}
	all.Wait()
}

// What was not sent yet of one who leaves never is, and nothing of it is held on to.
func TestAppendTakesBackWhatWasNotSent(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	copy := &slowCopy{asked: make(chan struct{}, 1), answer: make(chan struct{})}
	log.AnswerAfter(copy)
	var first, left sync.WaitGroup
	first.Go(func() {
		_, err := log.Append(t.Context(), webhook("", `{"n":1}`))
		assert.NoError(t, err)
	})
	<-copy.asked // the first group is being committed
	ctx, leave := context.WithCancel(t.Context())
	for range 10 {
		left.Go(func() {
			_, err := log.Append(ctx, webhook("", `{"left":true}`))
			assert.ErrorIs(t, err, eventlog.ErrUnavailable)
		})
	}
	leave()
	left.Wait()
	close(copy.answer)
	first.Wait()
	require.Equal(t, uint64(2), appendWebhook(t, log, webhook("", `{"n":2}`)).StreamSequence)
}

// slowCopy is a copy that says when it is waited for first, and then takes its time.
type slowCopy struct{ asked, answer chan struct{} }

func (*slowCopy) Ready() error { return nil }

func (c *slowCopy) Wait(ctx context.Context, _ uint64) error {
	select {
	case c.asked <- struct{}{}:
	default:
	}
	select {
	case <-c.answer:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
