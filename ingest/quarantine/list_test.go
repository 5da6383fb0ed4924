package quarantine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

// Pages of any size, put together, are the list: each entry once, in the order of
// receipt, whatever was decided about those between them.
func TestPagesAreTheList(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	for i := range 9 {
		s.reject(provider.Runa{}, ours, fmt.Sprint("msg_", i), completed(fmt.Sprint(i)), opening.Add(time.Duration(2*i)*time.Minute))
		s.release(provider.Ordatic{}, []byte(`{"eventType":"order-accepted"}`), opening.Add(time.Duration(2*i+1)*time.Minute))
	}
	s.project()
	s.retry("r-2", domain.Retry{})
	s.discard("old", "r-5", "w-5", "w-6")

	want := s.all(domain.QuarantineQuery{})
	require.Equal(t, []string{
		"r-1", "w-1", "w-2", "r-3", "w-3", "r-4", "w-4", "r-6", "r-7", "w-7", "r-8", "w-8", "r-9", "w-9",
	}, want)
	for limit := 1; limit <= len(want)+1; limit++ {
		query, got := domain.QuarantineQuery{Limit: limit}, []string(nil)
		for more := true; more; {
			page := s.list(query)
			more = page.More
			require.LessOrEqual(t, len(page.Entries), limit)
			for _, e := range page.Entries {
				query.After = query.After.Pass(e.ID)
				got = append(got, e.ID.String())
			}
		}
		require.Equal(t, want, got, "limit %d", limit)
	}
	shown := s.all(domain.QuarantineQuery{Discarded: true})
	require.Len(t, shown, len(want)+3)
	require.NotContains(t, shown, "r-2")
}

// release puts a webhook on the stream that came at a time.
func (s *station) release(p provider.Provider, body []byte, at time.Time) {
	s.t.Helper()
	_, err := s.log.Append(s.t.Context(), &domain.Webhook{
		Provider: p.Name(), Source: p.Name(), Event: provider.Other, Body: body, ReceivedAt: domain.InstantOf(at),
	})
	require.NoError(s.t, err)
}

// An entry tells what is kept of a request and of a webhook. A list leaves out the
// bytes, and tells their size.
func TestEntries(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.keep(&eventlog.Rejection{
		Source: "runa", Provider: "runa", Reason: eventlog.ReasonNotJSON, Body: []byte("\x00\xff"),
		Header:     map[string][]string{"User-Agent": {"one", "two"}, "Authorization": {"secret"}},
		ReceivedAt: domain.InstantOf(opening),
	})
	s.release(provider.Ivy{}, []byte(`{"type":"order_updated","payload":1}`), opening.Add(time.Hour))
	s.project()
	request := &domain.QuarantineEntry{
		ID: parse(t, "r-1"), Source: "runa", Provider: "runa", Cause: eventlog.ReasonNotJSON,
		ReceivedAt: domain.InstantOf(opening), Header: map[string][]string{"User-Agent": {"one", "two"}}, Size: 2,
	}
	webhook := &domain.QuarantineEntry{
		ID: parse(t, "w-1"), Source: "ivy", Provider: "ivy", Event: "other", Cause: domain.CauseWrongType, Where: "/payload",
		ReceivedAt: domain.InstantOf(opening.Add(time.Hour)), Size: 36,
	}
	require.Equal(t, []*domain.QuarantineEntry{request, webhook}, s.list(domain.QuarantineQuery{Limit: 5}).Entries)
	request.Body, webhook.Body = []byte("\x00\xff"), []byte(`{"type":"order_updated","payload":1}`)
	require.Equal(t, request, s.entry("r-1"))
	require.Equal(t, webhook, s.entry("w-1"))
}

// The groups count what is open, by kind, source and cause, the largest first.
func TestGroups(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	for i := range 5 {
		s.reject(provider.Runa{}, ours, "", []byte(`{}`), opening.Add(-time.Duration(i)*time.Minute))
		s.release(provider.Ivy{}, []byte(`{"type":"order_updated","payload":1}`), opening.Add(time.Duration(i)*time.Minute))
	}
	s.reject(provider.Ivy{}, ours, "", []byte(`{}`), opening)
	s.project()
	s.discard("old", "w-1", "w-5")
	groups, err := s.Groups(t.Context(), domain.QuarantineFilter{})
	require.NoError(t, err)
	require.Equal(t, []domain.QuarantineGroup{
		group(domain.RejectedRequest, "runa", eventlog.ReasonCredentialWrong, 5, -4, 0),
		group(domain.UntranslatableWebhook, "ivy", domain.CauseWrongType, 3, 1, 3),
		group(domain.RejectedRequest, "ivy", eventlog.ReasonCredentialWrong, 1, 0, 0),
	}, groups)
	groups, err = s.Groups(t.Context(), domain.QuarantineFilter{Source: "ivy", Kind: domain.UntranslatableWebhook})
	require.NoError(t, err)
	require.Len(t, groups, 1)
}

func group(kind domain.QuarantineKind, source, cause string, count uint64, first, last int) domain.QuarantineGroup {
	minute := func(n int) domain.Instant { return domain.InstantOf(opening.Add(time.Duration(n) * time.Minute)) }
	return domain.QuarantineGroup{
		QuarantineFilter: domain.QuarantineFilter{Kind: kind, Source: source, Cause: cause},
		Count:            count, First: minute(first), Last: minute(last),
	}
}

// What one process decides, another one knows: decisions are read from their
// stream. The last one counts, but a release is final.
func TestDecisionsAreShared(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	other := s.office(s.log)
	s.reject(provider.Runa{}, ours, "msg_1", completed("1"), opening)
	s.discard("first", "r-1")
	s.discard("second", "r-1")
	e, err := other.Entry(t.Context(), parse(t, "r-1"))
	require.NoError(t, err)
	require.Equal(t, "second", e.Decision.Reason)
	retried, err := other.Retry(t.Context(), parse(t, "r-1"), domain.Retry{})
	require.NoError(t, err)
	require.Equal(t, domain.RetryReleased, retried.Result)
	require.Zero(t, s.discard("third", "r-1"))
	require.Equal(t, domain.Released, s.entry("r-1").Decision.Verdict)
}

// A decision needs a reason that an operator can read later.
func TestDiscardNeedsAReason(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	for _, reason := range []string{"", " \t", "\x1b[2J", "\xff", fmt.Sprintf("%501d", 1)} {
		_, err := s.Discard(t.Context(), nil, domain.Ruling{Reason: reason})
		require.ErrorIs(t, err, domain.ErrReason)
	}
}

// Sequences begin anew with a stream that is made anew: what was decided about
// another request under the same id does not count for this one.
func TestDecisionsDoNotMeetStrangers(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.reject(provider.Runa{}, ours, "msg_1", completed("1"), opening)
	s.discard("old", "r-1")
	config := s.rejected().CachedInfo().Config
	js := s.stream()
	require.NoError(t, js.DeleteStream(t.Context(), eventlog.RejectedStream))
	_, err := js.CreateStream(t.Context(), config)
	require.NoError(t, err)
	s.reject(provider.Runa{}, ours, "msg_2", completed("2"), opening.Add(time.Nanosecond))
	require.Equal(t, []string{"r-1"}, s.all(domain.QuarantineQuery{}))
	require.Nil(t, s.entry("r-1").Decision)
}

// The list says since when it is complete: rejected requests are forgotten.
func TestListTellsWhatIsGone(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	require.Zero(t, s.list(domain.QuarantineQuery{Limit: 1}).RejectedSince)
	s.reject(provider.Ivy{}, ours, "", []byte(`{}`), opening)
	s.reject(provider.Ivy{}, ours, "", []byte(`{}`), opening)
	require.Zero(t, s.list(domain.QuarantineQuery{Limit: 1}).RejectedSince)
	require.NoError(t, s.rejected().DeleteMsg(t.Context(), 1))
	page := s.list(domain.QuarantineQuery{Limit: 1})
	require.Equal(t, "r-2", page.Entries[0].ID.String())
	require.WithinDuration(t, time.Now(), page.RejectedSince.Time(), time.Minute)
	require.NoError(t, s.rejected().DeleteMsg(t.Context(), 2))
	require.Equal(t, page.RejectedSince, s.list(domain.QuarantineQuery{Limit: 1}).RejectedSince)
}

// Whatever bytes a stranger sends, the quarantine can list, show and try them.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	dice := rand.New(rand.NewPCG(7, 7))
	reasons := []string{eventlog.ReasonCredentialUnfit, eventlog.ReasonNotJSON, eventlog.ReasonTimestampTooNew}
	for i := range 60 {
		p := provider.All()[i%4]
		s.keep(&eventlog.Rejection{
			Source: p.Name(), Provider: p.Name(), Reason: reasons[i%3], Body: noise(dice),
			Header: map[string][]string{
				"Svix-Id": {string(noise(dice))}, "Svix-Timestamp": {string(noise(dice))}, "Svix-Signature": {string(noise(dice)), ""},
				"X-Ivy-Signature": {string(noise(dice))}, "Content-Type": {string(noise(dice))},
			},
		})
	}
	for _, id := range s.all(domain.QuarantineQuery{}) {
		require.Equal(t, s.entry(id).Size, len(s.entry(id).Body))
		require.Equal(t, domain.RetryStillRejected, s.retry(id, domain.Retry{}).Result)
		s.retry(id, domain.Retry{Ruling: domain.Ruling{Trust: true, Reason: "why not"}})
	}
	s.project()
}

// noise gives bytes that begin like JSON, or not.
func noise(dice *rand.Rand) []byte {
	beginnings := []string{"", "{", `{"id":"`, `{"id":`, "[", "\x00", "\r\nNats-Rollup: all", `{"type":"order_updated","id":"\u0000`, "{}"}
	body := []byte(beginnings[dice.IntN(len(beginnings))])
	for range dice.IntN(200) {
		body = append(body, byte(dice.Uint32()))
	}
	return body
}

// A question whose asker has gone is not answered.
func TestCanceledQuestions(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.reject(provider.Ivy{}, ours, "", []byte(`{}`), opening)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.List(ctx, domain.QuarantineQuery{Limit: 1})
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Retry(ctx, parse(t, "r-1"), domain.Retry{})
	require.ErrorIs(t, err, context.Canceled)
}

// A stream that does not answer is told from a question that has no answer.
func TestWithoutAStream(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	require.NoError(t, s.embedded.Close())
	_, err := s.List(t.Context(), domain.QuarantineQuery{Limit: 1})
	require.ErrorIs(t, err, domain.ErrNoStream)
	_, err = s.Groups(t.Context(), domain.QuarantineFilter{})
	require.ErrorIs(t, err, domain.ErrNoStream)
	_, err = s.Entry(t.Context(), parse(t, "r-1"))
	require.ErrorIs(t, err, domain.ErrNoStream)
	_, err = s.Retry(t.Context(), parse(t, "r-1"), domain.Retry{})
	require.ErrorIs(t, err, domain.ErrNoStream)
	_, err = s.Discard(t.Context(), nil, domain.Ruling{Reason: "old"})
	require.ErrorIs(t, err, domain.ErrNoStream)
}
