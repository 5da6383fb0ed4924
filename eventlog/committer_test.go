package eventlog_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
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
				require.NoError(t, err)
			} else if err != nil {
				require.ErrorIs(t, err, eventlog.ErrUnavailable)
			}
		})
	}
	all.Wait()
}

// What is published past the Log is read all the same.
func TestReadersSeeWhatOthersPublish(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), topic, []byte("{}"))
	require.NoError(t, err)
	n := 0
	for batch, err := range log.Batches(patient(t), 1, 100) {
		require.NoError(t, err)
		if n += len(batch.Webhooks); n >= 5 {
			break
		}
		_, err = js.Publish(t.Context(), topic, []byte("{}"))
		require.NoError(t, err)
		if n == 1 {
			appendWebhook(t, log, webhook("", "{}"))
		}
	}
}
