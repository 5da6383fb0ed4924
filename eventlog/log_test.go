package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// Stream sequences count from 1 without a gap, however many append at once, and
// each receipt names the place of its own webhook.
func TestAppendGivesEachWebhookItsPlace(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	const senders, each = 8, 25
	var places sync.Map
	var group sync.WaitGroup
	for sender := range senders {
		group.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"sender":%d,"n":%d}`, sender, i)
				receipt, err := log.Append(t.Context(), webhook(body, body))
				if err != nil || receipt.Duplicate {
					t.Error(err, receipt)
				}
				places.Store(receipt.StreamSequence, body)
			}
		})
	}
	group.Wait()
	for sequence := uint64(1); sequence <= senders*each; sequence++ {
		body, ok := places.Load(sequence)
		require.True(t, ok)
		stored, err := log.Webhook(t.Context(), sequence)
		require.NoError(t, err)
		require.Equal(t, body, string(stored.Body))
	}
}

// Only the same body under the same id of the same source is a duplicate. A used
// id with another body is another webhook, and one without an id always is.
func TestAppendAbsorbsIdenticalWebhooksOnly(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	first := appendWebhook(t, log, webhook("evt_1", `{"a":1}`))
	require.Equal(t, eventlog.Receipt{StreamSequence: 1}, first)
	again := appendWebhook(t, log, webhook("evt_1", `{"a":1}`))
	require.Equal(t, eventlog.Receipt{StreamSequence: 1, Duplicate: true}, again)

	otherSource := webhook("evt_1", `{"a":1}`)
	otherSource.Source = "shop-2"
	for i, w := range []*domain.Webhook{
		webhook("evt_1", `{"a":2}`),
		webhook(" evt_1", `{"a":1}`),
		otherSource,
		webhook("evt_1{", `"a":1}`), // the same bytes, divided otherwise
		webhook("", `{"a":1}`),
		webhook("", `{"a":1}`),
	} {
		require.Equal(t, eventlog.Receipt{StreamSequence: uint64(i) + 2}, appendWebhook(t, log, w))
	}
}

// A body of the limit and the largest headers fits; a message that does not is
// refused whole, and the connection lives on.
func TestAppendRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	const maxBody = 100_000
	dir := t.TempDir()
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir, MaxBody: maxBody})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, embedded.Close()) })
	log := openLog(t, embedded, dir)

	largest := webhook(strings.Repeat("i", 200), strings.Repeat("b", maxBody))
	largest.ContentType = strings.Repeat("c", 1024)
	appendWebhook(t, log, largest)
	most := int(embedded.Conn().MaxPayload())
	appendWebhook(t, log, webhook("", strings.Repeat("b", most)))

	_, err = log.Append(t.Context(), webhook("", strings.Repeat("b", most+1)))
	require.ErrorIs(t, err, eventlog.ErrTooLarge)
	err = log.Reject(t.Context(), &eventlog.Rejection{
		Provider: "ivy", Source: "shop", Reason: eventlog.ReasonNotJSON, Body: make([]byte, most+1),
	})
	require.ErrorIs(t, err, eventlog.ErrTooLarge)

	require.EqualValues(t, 3, appendWebhook(t, log, webhook("", "{}")).StreamSequence)
}

// A full stream refuses, says so before it is asked, and forgets nothing.
func TestAppendToAFullStreamLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log, err := eventlog.Open(t.Context(), embedded.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 256 << 10})
	require.NoError(t, err)
	require.NoError(t, log.Ready(t.Context()))

	body := strings.Repeat("x", 10_000)
	stored := uint64(0)
	for ; err == nil; stored++ {
		_, err = log.Append(t.Context(), webhook("", body))
	}
	stored--
	require.ErrorIs(t, err, eventlog.ErrFull)
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrFull)

	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{1, stored, stored}, []uint64{info.First, info.Last, info.Messages})
	require.Len(t, read(t, log, 1, 10, int(stored)), int(stored))
}

// A full stream tells who sends again what it has that it has it. What is not the same to the
// last byte is another webhook, and is refused.
func TestAFullStreamKnowsWhatItHas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := eventlog.Open(t.Context(), startEmbedded(t, dir).Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 256 << 10})
	require.NoError(t, err)
	first := appendWebhook(t, log, webhook("evt_1", `{"n":1}`))
	for err == nil {
		_, err = log.Append(t.Context(), webhook("", strings.Repeat("x", 10_000)))
	}
	require.ErrorIs(t, err, eventlog.ErrFull)
	before, err := log.Info(t.Context())
	require.NoError(t, err)

	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			again, err := log.Append(t.Context(), webhook("evt_1", `{"n":1}`))
			assert.NoError(t, err)
			assert.Equal(t, eventlog.Receipt{StreamSequence: first.StreamSequence, Duplicate: true}, again)
			_, err = log.Append(t.Context(), webhook("evt_1", strings.Repeat("x", 10_000)))
			assert.ErrorIs(t, err, eventlog.ErrFull)
		})
	}
	all.Wait()
	after, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Last, after.Last)
}

// A disk that is nearly full takes no more, also none that is released: from one
// that was full the server would not recover.
func TestAppendLeavesSomeOfTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := eventlog.Open(t.Context(), startEmbedded(t, dir).Conn(), eventlog.Config{
		Embedded: true, Dir: dir, MaxBytes: 1 << 20, MinFree: math.MaxInt64,
	})
	require.NoError(t, err)
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrFull)
	_, err = log.Append(t.Context(), webhook("", "{}"))
	require.ErrorIs(t, err, eventlog.ErrFull)
	released := &eventlog.RejectedRequest{Rejection: *rejection(1, "shop", eventlog.ReasonCredentialWrong), Sequence: 1}
	_, err = log.Release(t.Context(), released, webhook("", "{}"))
	require.ErrorIs(t, err, eventlog.ErrFull)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Zero(t, info.Last)
}

// Where nobody answers, the webhook counts as not stored.
func TestAppendWithoutAServerIsUnavailable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	appendWebhook(t, log, webhook("evt_1", "{}"))
	require.NoError(t, log.Ready(t.Context()))
	embedded.Conn().Close()

	_, err := log.Append(t.Context(), webhook("evt_2", "{}"))
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrUnavailable)
	_, err = log.Info(t.Context())
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	_, err = log.Webhook(t.Context(), 1)
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	for _, err := range log.Batches(patient(t), 1, 10) {
		require.ErrorIs(t, err, eventlog.ErrStreamLost)
	}
}

// A server that could not write is broken until it is started again, and what it
// then calls a duplicate may be on no disk.
func TestAppendDoesNotTrustABrokenServer(t *testing.T) {
	t.Parallel()
	for sync, reason := range cannotWrite {
		t.Run(string(sync), func(t *testing.T) {
			t.Parallel()
			brokenIsNotTrusted(t, sync, reason)
		})
	}
}

func brokenIsNotTrusted(t *testing.T, sync eventlog.Sync, reason string) {
	t.Helper()
	dir := t.TempDir()
	embedded := startSyncing(t, dir, sync)
	log := openLog(t, embedded, dir)
	appendWebhook(t, log, webhook("evt_1", "{}"))

	blocks := filepath.Join(dir, "jetstream", "$G", "streams", eventlog.WebhooksStream, "msgs")
	require.NoError(t, os.RemoveAll(blocks))
	require.NoError(t, os.WriteFile(blocks, nil, 0o600)) // so that no next block can be made
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = log.Append(ctx, webhook("", strings.Repeat("x", 4<<20)))
		return errors.Is(log.Ready(t.Context()), eventlog.ErrUnavailable)
	}, patience, tick)
	_, err := log.Append(t.Context(), webhook("evt_1", "{}"))
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	require.ErrorContains(t, err, reason)
}

// A restart keeps every webhook, byte for byte, and what the stream is.
func TestOpenAfterARestartFindsEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	released := webhook("msg_3", "\x00\xff not JSON \r\n")
	released.ContentType = "text/plain; charset=utf-8"
	released.ReceivedAt, _ = domain.ParseInstant("2026-11-22T10:00:00.5Z")
	for _, w := range []*domain.Webhook{webhook("", "{}"), webhook("evt_2", `{"a":"ü"}`), released} {
		appendWebhook(t, log, w)
	}
	before := read(t, log, 1, 10, 3)
	infoBefore, err := log.Info(t.Context())
	require.NoError(t, err)
	require.NoError(t, embedded.Close())

	log = openLog(t, startEmbedded(t, dir), dir)
	require.Equal(t, before, read(t, log, 1, 10, 3))
	infoAfter, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, infoBefore, infoAfter)
	require.Equal(t, eventlog.Receipt{StreamSequence: 2, Duplicate: true}, appendWebhook(t, log, webhook("evt_2", `{"a":"ü"}`)))
	require.EqualValues(t, 4, appendWebhook(t, log, webhook("", "{}")).StreamSequence)
}

// A webhook is read by its stream sequence as a batch gives it; what is not there
// is not found.
func TestWebhookReadsOne(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	appendWebhook(t, log, webhook("", `{"n":1}`))
	appendWebhook(t, log, webhook("a % id", `{"n":2}`))
	for _, want := range read(t, log, 1, 10, 2) {
		have, err := log.Webhook(t.Context(), want.StreamSequence)
		require.NoError(t, err)
		require.Equal(t, want, have)
	}
	for _, missing := range []uint64{0, 3, 1 << 62} {
		_, err := log.Webhook(t.Context(), missing)
		require.ErrorIs(t, err, domain.ErrNotFound)
	}
}

// An empty stream begins after its end.
func TestInfoOfAnEmptyStream(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, "WEBHOOKS", info.Identity.Name)
	require.False(t, info.Identity.CreatedAt.IsZero())
	require.True(t, info.LastAt.IsZero())
	require.EqualValues(t, 1, info.First)
	require.Zero(t, info.Last)

	appendWebhook(t, log, webhook("", "{}"))
	stored, err := log.Webhook(t.Context(), 1)
	require.NoError(t, err)
	info, err = log.Info(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, info.First)
	require.EqualValues(t, 1, info.Last)
	require.Equal(t, stored.ReceivedAt, info.LastAt)
}
