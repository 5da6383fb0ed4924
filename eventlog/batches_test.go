package eventlog_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

func fill(t testing.TB, log *eventlog.Log, n int) {
	t.Helper()
	for i := range n {
		appendWebhook(t, log, webhook("", fmt.Sprintf(`{"n":%d}`, i)))
	}
}

// read takes batches from a stream sequence on until it has n webhooks.
func read(t testing.TB, log *eventlog.Log, from uint64, most, n int) []*domain.Webhook {
	t.Helper()
	var webhooks []*domain.Webhook
	for batch, err := range log.Batches(patient(t), from, most) {
		require.NoError(t, err)
		require.LessOrEqual(t, len(batch.Webhooks), most)
		webhooks = append(webhooks, batch.Webhooks...)
		if len(webhooks) >= n {
			break
		}
	}
	return webhooks
}

// A reader gets every webhook after its checkpoint, once and in stream order,
// whatever the size of its batches.
func TestBatchesGiveTheStreamInOrder(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	fill(t, log, 100)
	for _, most := range []int{1, 7, 100, 5000} {
		for _, from := range []uint64{1, 42, 100} {
			webhooks := read(t, log, from, most, 100-int(from)+1)
			for i, w := range webhooks {
				require.Equal(t, from+uint64(i), w.StreamSequence)
				require.Equal(t, fmt.Sprintf(`{"n":%d}`, w.StreamSequence-1), string(w.Body))
			}
		}
	}
}

// A reader that has caught up gets a webhook as soon as it is stored.
func TestBatchesFollowTheStream(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	fill(t, log, 1)
	n := 1
	for batch, err := range log.Batches(patient(t), 1, 100) {
		require.NoError(t, err)
		require.Len(t, batch.Webhooks, 1)
		require.EqualValues(t, n, batch.Webhooks[0].StreamSequence)
		if n++; n > 20 {
			break
		}
		fill(t, log, 1)
	}
}

// Wherever a reader begins, and however large its batches are, what is given out is always
// the webhook after the last one; and what a reader holds stays as it is.
func TestBatchesStayInOrder(t *testing.T) {
	t.Parallel()
	const stored = 120
	log := newLog(t)
	fill(t, log, stored)
	ctx := patient(t)
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Uint64Range(1, stored).Draw(t, "from")
		next := first
		var held []*domain.Webhook
		for batch, err := range log.Batches(ctx, first, rapid.IntRange(1, 30).Draw(t, "most")) {
			require.NoError(t, err)
			held = append(held, batch.Webhooks...)
			for _, w := range batch.Webhooks {
				require.Equal(t, next, w.StreamSequence)
				next++
			}
			if next > stored || rapid.IntRange(0, 9).Draw(t, "leave") == 0 {
				break
			}
		}
		for i, w := range held {
			require.Equal(t, first+uint64(i), w.StreamSequence)
			require.Equal(t, fmt.Sprintf(`{"n":%d}`, w.StreamSequence-1), string(w.Body))
		}
	})
}

// What came while a batch was being worked on comes together: a reader that
// cannot keep up with single webhooks keeps up with batches.
func TestBatchesGrowUnderLoad(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	fill(t, log, 1)
	const more = 200
	batches, webhooks := 0, 0
	for batch, err := range log.Batches(patient(t), 1, 1000) {
		require.NoError(t, err)
		if batches == 0 {
			fill(t, log, more)
		}
		batches++
		if webhooks += len(batch.Webhooks); webhooks == 1+more {
			break
		}
	}
	require.Less(t, batches, more/2)
}

// Large webhooks make small batches, so that a batch fits into memory.
func TestBatchesAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	large := strings.Repeat("x", 4<<20)
	for range 10 {
		appendWebhook(t, log, webhook("", large))
	}
	webhooks := 0
	for batch, err := range log.Batches(patient(t), 1, 1000) {
		require.NoError(t, err)
		require.LessOrEqual(t, len(batch.Webhooks), 8)
		if webhooks += len(batch.Webhooks); webhooks == 10 {
			break
		}
	}
}

// The end of the context ends the iterator with an error that says so.
func TestBatchesEndWithTheirContext(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	fill(t, log, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var ending error
	for _, err := range log.Batches(ctx, 1, 10) {
		if ending = err; err == nil {
			cancel()
		}
	}
	require.ErrorIs(t, ending, context.Canceled)
}
