package eventlog_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// fakeCopy is a copy that takes nothing before it is told.
type fakeCopy struct {
	ready  error
	asked  chan uint64
	answer chan error
}

func (c *fakeCopy) Ready() error { return c.ready }

func (c *fakeCopy) Wait(_ context.Context, streamSequence uint64) error {
	c.asked <- streamSequence
	return <-c.answer
}

// A receipt waits for the copy, that of a duplicate and that of a release too: each may
// be the retry of what the copy does not have.
func TestReceiptsWaitForTheCopy(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	second := &fakeCopy{asked: make(chan uint64), answer: make(chan error)}
	log.AnswerAfter(second)
	errs := make(chan error)
	for _, try := range []struct {
		append func() (eventlog.Receipt, error)
		answer error
	}{
		{func() (eventlog.Receipt, error) { return log.Append(t.Context(), webhook("id", "{}")) }, eventlog.ErrUnavailable},
		{func() (eventlog.Receipt, error) { return log.Append(t.Context(), webhook("id", "{}")) }, nil},
		{func() (eventlog.Receipt, error) {
			return log.Release(t.Context(), &eventlog.RejectedRequest{Sequence: 1}, webhook("id", "{}"))
		}, nil},
	} {
		go func() {
			_, err := try.append()
			errs <- err
		}()
		require.Equal(t, uint64(1), <-second.asked)
		second.answer <- try.answer
		require.ErrorIs(t, <-errs, try.answer)
	}
	second.ready = eventlog.ErrFull
	_, err := log.Append(t.Context(), webhook("other", "{}"))
	require.ErrorIs(t, err, eventlog.ErrFull)
	require.ErrorIs(t, log.Ready(t.Context()), eventlog.ErrFull)
}

// A record in the server's files is the webhook that was appended, and is made of it
// again.
func TestRecordsAreWebhooks(t *testing.T) {
	t.Parallel()
	at := domain.UnixInstant(1_700_000_000_123)
	for _, w := range []*domain.Webhook{
		{Body: []byte("{}"), ReceivedAt: at},
		{Body: []byte{0, 0xff}, ReceivedAt: domain.UnixInstant(5), ID: "an id/%æ", ContentType: "text/plain"},
		{Body: []byte("{}"), ReceivedAt: at, Trace: trace},
	} {
		w.Provider, w.Source, w.Event, w.StreamSequence = "ivy", "shop", "order_updated", 7
		w.BodyDigest = domain.DigestBody(w.Body)
		record, err := eventlog.RecordOf(w, at)
		require.NoError(t, err)
		again, err := eventlog.WebhookIn(record)
		require.NoError(t, err)
		require.Equal(t, w.Chain(domain.Digest{}), again.Chain(domain.Digest{}))
		require.Equal(t, w.Trace, again.Trace)
		record.Subject = []byte("webhooks.ivy.shop")
		_, err = eventlog.WebhookIn(record)
		require.ErrorIs(t, err, eventlog.ErrUnfit)
	}
}
