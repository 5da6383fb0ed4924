package quarantine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest/quarantine"
)

// A request is verified with today's secrets, as of the time that it came. What
// was authenticated by a secret alone cannot be, since no secret is kept: it stays for
// the reason for which it was rejected.
func TestRetryVerifiesAgain(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	for _, test := range []struct {
		provider provider.Provider
		seed     byte
		want     domain.Retried
	}{
		{provider.Ivy{}, ours, domain.Retried{Result: domain.RetryReleased, Event: "other", StreamSequence: 1}},
		{provider.Runa{}, ours, domain.Retried{Result: domain.RetryReleased, Event: "other", StreamSequence: 2}},
		{provider.Ivy{}, theirs, domain.Retried{Result: domain.RetryStillRejected, Cause: eventlog.ReasonCredentialWrong}},
		{provider.Runa{}, theirs, domain.Retried{Result: domain.RetryStillRejected, Cause: eventlog.ReasonCredentialWrong}},
		{provider.Ordatic{}, ours, domain.Retried{Result: domain.RetryStillRejected, Cause: eventlog.ReasonCredentialWrong}},
		{provider.Payway{}, ours, domain.Retried{Result: domain.RetryStillRejected, Cause: eventlog.ReasonCredentialWrong}},
	} {
		s.reject(test.provider, test.seed, "msg_1", []byte(`{}`), opening)
		id := fmt.Sprintf("r-%d", s.rejectedLast())
		planned := s.retry(id, domain.Retry{Plan: true})
		require.Equal(t, test.want.Result, planned.Result, test.provider.Name())
		require.Zero(t, planned.StreamSequence)
		require.Equal(t, test.want, s.retry(id, domain.Retry{}), test.provider.Name())
	}
	w, err := s.log.Webhook(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, domain.InstantOf(opening), w.ReceivedAt)
	require.Equal(t, "msg_1", w.ID)
	require.Equal(t, "runa", w.Source)
}

func (s *station) rejectedLast() uint64 {
	s.t.Helper()
	return s.rejected().CachedInfo().State.LastSeq
}

// A timestamp that was too old when the request came is too old for ever: it does
// not become young by waiting, nor does a good one become old.
func TestRetryKeepsTheOriginalTime(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	p := provider.Runa{}
	signed := &provider.Request{Body: completed("o-1"), At: opening}
	p.Sign(signed, secret(p, ours), "msg_1")
	for _, late := range []time.Duration{6 * time.Minute, 4 * time.Minute} {
		s.keep(&eventlog.Rejection{
			Source: "runa", Provider: "runa", Reason: eventlog.ReasonTimestampTooOld,
			Header: signed.Header, Body: signed.Body, ReceivedAt: domain.InstantOf(opening.Add(late)),
		})
	}
	require.Equal(t, domain.Retried{Result: domain.RetryStillRejected, Cause: eventlog.ReasonTimestampTooOld}, s.retry("r-1", domain.Retry{}))
	require.Equal(t, domain.RetryReleased, s.retry("r-2", domain.Retry{}).Result)
}

// An operator may vouch for who sent a request, with a reason that is recorded;
// but not for what is no JSON object, and not for a source that is not there.
func TestTrust(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.reject(provider.Ordatic{}, ours, "", []byte(`{}`), opening)
	s.reject(provider.Ordatic{}, ours, "", []byte(`[]`), opening)
	s.reject(provider.Ordatic{}, ours, "", []byte(`{`), opening)
	s.keep(&eventlog.Rejection{Source: "closed", Provider: "ordatic", Reason: eventlog.ReasonCredentialWrong, Body: []byte(`{}`)})
	s.keep(&eventlog.Rejection{Source: "ivy", Provider: "ordatic", Reason: eventlog.ReasonCredentialWrong, Body: []byte(`{}`)})
	_, err := s.Retry(t.Context(), parse(t, "r-1"), domain.Retry{Ruling: domain.Ruling{Trust: true}})
	require.ErrorIs(t, err, domain.ErrReason)

	trust := domain.Retry{Ruling: domain.Ruling{By: "token-1", Reason: "they called", Trust: true}}
	require.Equal(t, domain.RetryReleased, s.retry("r-1", trust).Result)
	require.Equal(t, domain.Retried{Result: domain.RetryStillRejected, Cause: eventlog.ReasonNotObject}, s.retry("r-2", trust))
	require.Equal(t, domain.Retried{Result: domain.RetryStillRejected, Cause: eventlog.ReasonNotJSON}, s.retry("r-3", trust))
	require.Equal(t, domain.Retried{Result: domain.RetryUnknownSource}, s.retry("r-4", trust))
	require.Equal(t, domain.Retried{Result: domain.RetryUnknownSource}, s.retry("r-5", trust))

	require.Equal(t, trust.Ruling, s.entry("r-1").Decision.Ruling)
	require.Equal(t, []string{"r-2", "r-3", "r-4", "r-5"}, s.all(domain.QuarantineQuery{}))
}

// forgetful is a log that fails to keep a decision, as where the program is killed
// after the webhook was stored.
type forgetful struct{ quarantine.Log }

var errKilled = errors.New("killed")

func (forgetful) Decide(context.Context, *domain.Decision) error { return errKilled }

// A crash between the webhook and the decision leaves the request open, and the
// next retry finds the webhook that is there already, with a webhook id or without.
func TestReleaseIsRepeatable(t *testing.T) {
	t.Parallel()
	for p, body := range map[provider.Provider][]byte{
		provider.Ivy{}:  []byte(`{"type":"order_updated"}`), // without an id
		provider.Runa{}: completed("o-1"),
	} {
		s := newStation(t)
		s.reject(p, ours, "msg_1", body, opening)
		s.reject(p, ours, "msg_2", body, opening) // the same bytes, another request
		_, err := s.office(forgetful{s.log}).Retry(t.Context(), parse(t, "r-1"), domain.Retry{})
		require.ErrorIs(t, err, errKilled)
		require.Equal(t, []string{"r-1", "r-2"}, s.all(domain.QuarantineQuery{}))

		repeated := s.retry("r-1", domain.Retry{})
		require.True(t, repeated.Duplicate)
		require.Equal(t, uint64(1), repeated.StreamSequence)
		require.Equal(t, uint64(2), s.retry("r-2", domain.Retry{}).StreamSequence)
		require.Equal(t, uint64(2), s.stored())
		require.Empty(t, s.all(domain.QuarantineQuery{}))
	}
}

// However many operators release a request at once, in one process or in several,
// it becomes one webhook and each of them learns which.
func TestReleaseIsOnce(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.reject(provider.Ivy{}, ours, "", []byte(`{"type":"order_updated"}`), opening)
	offices := []*quarantine.Quarantine{s.Quarantine, s.office(s.log), s.office(s.log)}
	results := make([]domain.Retried, 24)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i], _ = offices[i%len(offices)].Retry(t.Context(), parse(t, "r-1"), domain.Retry{}) })
	}
	all.Wait()
	for _, r := range results {
		require.Contains(t, []domain.RetryResult{domain.RetryReleased, domain.RetryAlreadyReleased}, r.Result)
		require.Equal(t, uint64(1), r.StreamSequence)
	}
	require.Equal(t, uint64(1), s.stored())
}

// A sender who sent a rejected request again, and was heard, has it stored once.
func TestReleaseOfWhatWasSentAgain(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.reject(provider.Runa{}, ours, "msg_1", completed("o-1"), opening)
	_, err := s.log.Append(t.Context(), &domain.Webhook{
		Provider: "runa", Source: "runa", Event: "order-completion", ID: "msg_1", Body: completed("o-1"),
	})
	require.NoError(t, err)
	require.Equal(t, domain.Retried{
		Result: domain.RetryReleased, Event: "order-completion", StreamSequence: 1, Duplicate: true,
	}, s.retry("r-1", domain.Retry{}))
}

// translator is a provider whose translation is another one than it was.
type translator struct {
	provider.Provider
	translate func(*domain.Webhook) (*domain.Event, error)
}

func (t translator) Translate(w *domain.Webhook) (*domain.Event, error) { return t.translate(w) }

// Of a webhook that could not be translated, a retry tells what today's program
// would make of it. It changes nothing: a rebuild does.
func TestRetryTranslatesAgain(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	sequence := s.accept(provider.Ordatic{}, []byte(`{"eventType":"order-accepted","storeId":"s","data":{}}`))
	s.accept(provider.Ordatic{}, []byte(`{"eventType":"order-accepted","storeId":"s","data":{"orderId":"1"}}`))
	s.project()
	for _, test := range []struct {
		translate func(*domain.Webhook) (*domain.Event, error)
		want      domain.Retried
	}{
		{
			provider.Ordatic{}.Translate,
			domain.Retried{Result: domain.RetryStillUntranslatable, Cause: domain.CauseKeyMissing, Where: "/data/orderId"},
		}, {
			func(w *domain.Webhook) (*domain.Event, error) {
				return &domain.Event{Key: fmt.Sprint("s:", w.StreamSequence), Name: "order-accepted"}, nil
			},
			domain.Retried{Result: domain.RetryWouldApply, Event: "order-accepted", OrderKey: "s:1"},
		}, {
			func(*domain.Webhook) (*domain.Event, error) { return nil, domain.ErrNotAboutOrder },
			domain.Retried{Result: domain.RetryNotAboutOrder},
		}, {
			func(*domain.Webhook) (*domain.Event, error) { panic("a bug") },
			domain.Retried{Result: domain.RetryStillUntranslatable, Cause: domain.CauseInternalDefect},
		},
	} {
		today := s.office(s.log, translator{provider.Ordatic{}, test.translate})
		retried, err := today.Retry(t.Context(), domain.QuarantineID{Kind: domain.UntranslatableWebhook, Sequence: sequence}, domain.Retry{})
		require.NoError(t, err)
		retried.ID = domain.QuarantineID{}
		require.Equal(t, test.want, retried)
	}
	without := s.office(s.log, provider.Ivy{})
	retried, err := without.Retry(t.Context(), parse(t, "w-1"), domain.Retry{})
	require.NoError(t, err)
	require.Equal(t, domain.CauseUnknownProvider, retried.Cause)
	require.Equal(t, []string{"w-1"}, s.all(domain.QuarantineQuery{}))
	require.Equal(t, uint64(2), s.stored())
}

// What is not there cannot be tried: neither what never was, nor a webhook that
// was translated, nor a request that was forgotten.
func TestRetryOfNothing(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.accept(provider.Ordatic{}, []byte(`{"eventType":"order-accepted","storeId":"s","data":{"orderId":"1"}}`))
	s.project()
	s.reject(provider.Ivy{}, ours, "", []byte(`{}`), opening)
	require.NoError(t, s.rejected().Purge(t.Context()))
	for _, id := range []string{"r-1", "r-2", "w-1", "w-2"} {
		_, err := s.Retry(t.Context(), parse(t, id), domain.Retry{})
		require.ErrorIs(t, err, domain.ErrNotFound, id)
		_, err = s.Entry(t.Context(), parse(t, id))
		require.ErrorIs(t, err, domain.ErrNotFound, id)
	}
}

// What came of an order after it was erased stays set aside, whatever program tries it
// again. Once it is erased too, its bytes are gone and its size is known.
func TestRetryOfAnErasedOrder(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	body := []byte(`{"eventType":"order-accepted","storeId":"s","data":{"orderId":"1"}}`)
	s.accept(provider.Ordatic{}, body)
	_, err := s.log.Append(t.Context(), &domain.Webhook{
		Provider: "ordatic", Source: "ordatic", Event: domain.EventErased, Body: []byte(`{"key":"s:1","webhooks":[]}`),
	})
	require.NoError(t, err)
	s.accept(provider.Ordatic{}, body)
	s.project()
	require.Equal(t, domain.Retried{Result: domain.RetryStillUntranslatable, Cause: domain.CauseOrderErased}, s.retry("w-3", domain.Retry{}))

	entry, err := s.office(erasedLog{s.log}).Entry(t.Context(), parse(t, "w-3"))
	require.NoError(t, err)
	require.True(t, entry.Erased)
	require.Empty(t, entry.Body)
	require.Equal(t, len(body), entry.Size)
	require.Equal(t, domain.CauseOrderErased, entry.Cause)
}

// erasedLog is a stream whose webhooks were erased.
type erasedLog struct{ quarantine.Log }

func (l erasedLog) Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error) {
	w, err := l.Log.Webhook(ctx, streamSequence)
	if err != nil {
		return nil, err
	}
	return w.Erased(&domain.Event{Key: "s:1"}, domain.Tokens(nil)), nil
}
