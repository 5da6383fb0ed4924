package eventlog_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// rejection is a request that was rejected a second after the one before it.
func rejection(n int, source, reason string) *eventlog.Rejection {
	return &eventlog.Rejection{
		Provider: "ivy", Source: source, Reason: reason,
		Header:     map[string][]string{"X-Ivy-Signature": {fmt.Sprint("signature ", n)}},
		Body:       fmt.Appendf(nil, "\x00 body %d", n),
		ReceivedAt: domain.InstantOf(time.Date(2026, 3, 1, 12, 0, n, n, time.UTC)),
	}
}

func heads(t *testing.T, log *eventlog.Log, after uint64, source, reason string) (sequences []uint64) {
	t.Helper()
	for r, err := range log.RejectedRequests(t.Context(), after, source, reason) {
		require.NoError(t, err)
		require.Nil(t, r.Body)
		sequences = append(sequences, r.Sequence)
	}
	return sequences
}

// A rejected request is read back as it was kept; in a list without its body, but
// with its size.
func TestRejectedRequestIsReadBack(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	kept := rejection(1, "shop", eventlog.ReasonCredentialWrong)
	require.NoError(t, log.Reject(t.Context(), kept))
	read, err := log.RejectedRequest(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, &eventlog.RejectedRequest{Rejection: *kept, Sequence: 1, Size: len(kept.Body)}, read)
	for whole, err := range log.RejectedWhole(t.Context(), "shop") {
		require.NoError(t, err)
		require.Equal(t, read, whole)
	}
	for other, err := range log.RejectedWhole(t.Context(), "another") {
		require.NoError(t, err)
		require.Nil(t, other)
	}
	for listed, err := range log.RejectedRequests(t.Context(), 0, "", "") {
		require.NoError(t, err)
		read.Body = nil
		require.Equal(t, read, listed)
	}
	for _, absent := range []uint64{0, 2, 1 << 62} {
		_, err = log.RejectedRequest(t.Context(), absent)
		require.ErrorIs(t, err, domain.ErrNotFound)
	}
}

// A list goes on after a sequence, and holds one source or one reason if asked
// for. A name that is no token selects nothing, whatever it means to the server.
func TestRejectedRequestsAreSelected(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	require.Empty(t, heads(t, log, 0, "", ""))
	for i, source := range []string{"a", "b", "a", "b", "a"} {
		reason := []string{eventlog.ReasonNotJSON, eventlog.ReasonNotObject}[i/3]
		require.NoError(t, log.Reject(t.Context(), rejection(i, source, reason)))
	}
	require.Equal(t, []uint64{1, 2, 3, 4, 5}, heads(t, log, 0, "", ""))
	require.Equal(t, []uint64{3, 5}, heads(t, log, 1, "a", ""))
	require.Equal(t, []uint64{4, 5}, heads(t, log, 0, "", eventlog.ReasonNotObject))
	require.Equal(t, []uint64{4}, heads(t, log, 0, "b", eventlog.ReasonNotObject))
	require.Empty(t, heads(t, log, 5, "", ""))
	for _, name := range []string{"*", ">", "a.b", "a b", "\x00"} {
		require.Empty(t, heads(t, log, 0, name, ""))
		require.Empty(t, heads(t, log, 0, "", name))
	}
}

// A list of more than is read at a time is whole, and its reader may leave in the
// middle of it.
func TestRejectedRequestsAreReadToTheEnd(t *testing.T) {
	t.Parallel()
	const many = 2100
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	fillRejected(t, js, many)
	require.Len(t, heads(t, log, 0, "", ""), many)
	for r, err := range log.RejectedRequests(t.Context(), 0, "", "") {
		require.NoError(t, err)
		if r.Sequence == 3 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for r, err := range log.RejectedRequests(ctx, 0, "", "") {
		if last = err; err == nil && r.Sequence == 1 {
			cancel()
		}
	}
	require.ErrorIs(t, last, context.Canceled)
	stream, err := js.Stream(t.Context(), eventlog.RejectedStream)
	require.NoError(t, err)
	require.Zero(t, stream.CachedInfo().State.Consumers, "a reader was left behind")
}

// fillRejected stores so many rejected requests at once.
func fillRejected(t *testing.T, js jetstream.JetStream, many int) {
	t.Helper()
	for i := range many {
		_, err := js.PublishAsync("rejected.ivy.shop.not-json", fmt.Appendf(nil, "%d", i))
		require.NoError(t, err)
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-patient(t).Done():
		require.Fail(t, "the stream did not take the requests")
	}
}

// What this program did not write, or what someone bent, is read as far as it can be.
func TestRejectedRequestIsReadWhateverItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	for _, m := range []*nats.Msg{
		{Subject: "rejected.x"},
		{Subject: "rejected.A.B.C.D", Header: nats.Header{"Ticketrail-Request-Header": {"{"}, "Ticketrail-Received-At": {"yesterday"}}},
		{Subject: "rejected.ivy.shop.because", Header: nats.Header{"Ticketrail-Request-Header": {`{"Cookie":["secret"],"Svix-Id":["a"]}`}}},
	} {
		_, err := js.PublishMsg(t.Context(), m)
		require.NoError(t, err)
	}
	for sequence := range uint64(3) {
		r, err := log.RejectedRequest(t.Context(), sequence+1)
		require.NoError(t, err)
		require.False(t, r.ReceivedAt.IsZero())
	}
	last, err := log.RejectedRequest(t.Context(), 3)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"Svix-Id": {"a"}}, last.Header)
	require.Equal(t, "because", last.Reason)
}

// A released request bears the time that it came. It is stored once within the
// duplicate window, with a webhook id or without, and another request beside it.
func TestReleaseStoresOnce(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	require.NoError(t, log.Reject(t.Context(), rejection(1, "shop", eventlog.ReasonCredentialWrong)))
	require.NoError(t, log.Reject(t.Context(), rejection(2, "shop", eventlog.ReasonCredentialWrong)))
	release := func(sequence uint64, id string) eventlog.Receipt {
		r, err := log.RejectedRequest(t.Context(), sequence)
		require.NoError(t, err)
		receipt, err := log.Release(t.Context(), r, webhook(id, "{}"))
		require.NoError(t, err)
		return receipt
	}
	require.Equal(t, eventlog.Receipt{StreamSequence: 1}, release(1, ""))
	require.Equal(t, eventlog.Receipt{StreamSequence: 1, Duplicate: true}, release(1, ""))
	require.Equal(t, eventlog.Receipt{StreamSequence: 2}, release(2, ""))
	require.Equal(t, eventlog.Receipt{StreamSequence: 3}, release(1, "id"))
	require.Equal(t, eventlog.Receipt{StreamSequence: 3, Duplicate: true}, release(2, "id"))
	require.Equal(t, eventlog.Receipt{StreamSequence: 3, Duplicate: true}, appendWebhook(t, log, webhook("id", "{}")))
	w, err := log.Webhook(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, "2026-03-01T12:00:02.000000002Z", w.ReceivedAt.String())
}

// Decisions are read back in order, after the last one that is known.
func TestDecisionsAreReadBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log := openLog(t, embedded, dir)
	var decided []domain.Decision
	for i, verdict := range []domain.Verdict{domain.Discarded, domain.Released, domain.Discarded} {
		d := domain.Decision{
			Verdict: verdict,
			Entries: []domain.QuarantineMark{{
				ID:         domain.QuarantineID{Kind: domain.RejectedRequest, Sequence: uint64(i + 1)},
				ReceivedAt: rejection(i, "", "").ReceivedAt,
			}},
			Ruling: domain.Ruling{By: "local", Reason: "a \u202e reason", Trust: i == 1},
			At:     domain.InstantOf(time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)),
		}
		require.NoError(t, log.Decide(t.Context(), &d))
		decided = append(decided, d)
	}
	require.NoError(t, embedded.Conn().Publish("decisions.discarded", []byte("not ours")))
	require.NoError(t, embedded.Conn().Flush())
	for after := range uint64(5) {
		var read []domain.Decision
		for d, err := range log.Decisions(t.Context(), after) {
			require.NoError(t, err)
			require.Equal(t, after+uint64(len(read))+1, d.Sequence)
			read = append(read, *d.Decision)
		}
		require.Equal(t, fmt.Sprint(decided[min(after, 3):]), fmt.Sprint(read))
	}
}

// A decision is about so many entries at the most, and that many fit.
func TestDecisionsAreBounded(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	longest := domain.QuarantineMark{
		ID:         domain.QuarantineID{Kind: domain.UntranslatableWebhook, Sequence: 1<<63 - 1},
		ReceivedAt: domain.InstantOf(time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)),
	}
	d := &domain.Decision{Verdict: domain.Discarded, Entries: make([]domain.QuarantineMark, eventlog.MaxDecided)}
	for i := range d.Entries {
		d.Entries[i] = longest
	}
	require.NoError(t, log.Decide(t.Context(), d))
	text, err := json.Marshal(d)
	require.NoError(t, err)
	require.Less(t, len(text), 64<<10)
	d.Entries = append(d.Entries, longest)
	require.ErrorIs(t, log.Decide(t.Context(), d), eventlog.ErrUnfit)
	require.ErrorIs(t, log.Decide(t.Context(), &domain.Decision{Verdict: "a.b"}), eventlog.ErrUnfit)
}
