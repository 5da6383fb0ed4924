package api_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

func link(streamSequence int) string { return "/v1/webhooks/" + strconv.Itoa(streamSequence) }

// nothingRejected is the log of a ledger: of rejected requests it knows none, and
// decisions it does not take.
type nothingRejected struct{ *ledger }

var errNoDecisions = errors.New("a ledger takes no decisions")

func (nothingRejected) RejectedRequest(context.Context, uint64) (*eventlog.RejectedRequest, error) {
	return nil, domain.ErrNotFound
}

func (nothingRejected) RejectedRequests(context.Context, uint64, string, string) iter.Seq2[*eventlog.RejectedRequest, error] {
	return func(func(*eventlog.RejectedRequest, error) bool) {}
}

func (nothingRejected) RejectedSince(context.Context) (domain.Instant, error) {
	return domain.Instant{}, nil
}

func (nothingRejected) RejectedLast(context.Context) (uint64, error) { return 0, nil }

func (nothingRejected) Release(context.Context, *eventlog.RejectedRequest, *domain.Webhook) (eventlog.Receipt, error) {
	return eventlog.Receipt{}, errNoDecisions
}

func (nothingRejected) Decide(context.Context, *domain.Decision) error { return errNoDecisions }

func (nothingRejected) Decisions(context.Context, uint64) iter.Seq2[eventlog.Decided, error] {
	return func(func(eventlog.Decided, error) bool) {}
}

// reject keeps a request that was signed with the secret of a seed, and that came
// so many minutes after the opening. A pipeline's own secrets are of seed 1.
func (p *pipeline) reject(of provider.Provider, seed byte, body string, minutes int) {
	p.t.Helper()
	received := opening.Add(time.Duration(minutes) * time.Minute)
	signed := &provider.Request{Header: map[string][]string{}, Body: []byte(body), At: received}
	of.Sign(signed, of.NewSecret([24]byte{seed}), "msg_"+strconv.Itoa(minutes))
	require.NoError(p.t, p.log.Reject(p.t.Context(), &eventlog.Rejection{
		Source: of.Name(), Provider: of.Name(), Reason: eventlog.ReasonCredentialWrong,
		Header: signed.Header, Body: signed.Body, ReceivedAt: domain.InstantOf(received),
	}))
}

// The quarantine lists what could not be translated, why, where, and the way to
// its bytes, in pages.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.quarantine("runa", domain.CauseKeyMissing, "/id")
	l.apply("ordatic", "ordatic", accepted("o-1"))
	l.quarantine("ivy", domain.CauseMalformed, "")
	l.quarantine("ivy", domain.CauseTooDeep, "")
	c := l.serve()
	var first, second api.QuarantineList
	answer := c.get("/v1/quarantine?limit=2")
	answer.into(&first)
	require.Equal(t, `{"entries":[`+
		`{"id":"w-1","kind":"untranslatable","source":"runa","provider":"runa","event":"other","cause":"order-key-missing","where":"/id",`+
		`"received_at":"2026-03-01T12:00:00Z","size":2,"erased":false,"headers":[],"webhook":"/v1/webhooks/1","decision":null},`+
		`{"id":"w-3","kind":"untranslatable","source":"ivy","provider":"ivy","event":"other","cause":"malformed-json","where":null,`+
		`"received_at":"2026-03-01T12:02:00Z","size":2,"erased":false,"headers":[],"webhook":"/v1/webhooks/3","decision":null}`+
		`],"next_cursor":"`+*first.NextCursor+`","rejected_since":null}`+"\n", answer.Body)
	c.get("/v1/quarantine?limit=2&cursor=" + *first.NextCursor).into(&second)
	require.Len(t, second.Entries, 1)
	require.Nil(t, second.NextCursor)
	var webhook api.Webhook
	c.get(*second.Entries[0].Webhook).into(&webhook)
	require.Equal(t, uint64(4), webhook.StreamSequence)
	c.get("/v1/quarantine?source=ivy&cursor="+*first.NextCursor).refused(http.StatusBadRequest, "invalid-cursor")
}

// Entries of both kinds are in one list, by time of receipt, and in one count by
// cause; a filter narrows both.
func TestQuarantineOfBothKinds(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	p.reject(provider.Runa{}, 9, `{"id":"1","status":"COMPLETED"}`, 5)
	p.reject(provider.Ivy{}, 9, "\xff not json", 1)
	p.reject(provider.Runa{}, 9, `{"id":"2","status":"COMPLETED"}`, 7)
	broken := p.accept(`{"eventType":"order-accepted","storeId":"store-7","data":{}}`)

	var list api.QuarantineList
	p.get(fmt.Sprintf("/v1/quarantine?min_stream_sequence=%d", broken)).into(&list)
	require.Equal(t, []string{"r-1", "r-2", "r-3", "w-1"}, ids(list))
	require.Equal(t, api.Header{Name: "Svix-Id", Value: "msg_5"}, list.Entries[0].Headers[0])
	p.get("/v1/quarantine?source=runa&cause=credential-wrong").into(&list)
	require.Equal(t, []string{"r-1", "r-3"}, ids(list))
	p.get("/v1/quarantine?kind=untranslatable").into(&list)
	require.Equal(t, []string{"w-1"}, ids(list))

	var causes api.QuarantineCauses
	p.get("/v1/quarantine/causes").into(&causes)
	require.Len(t, causes.Causes, 3)
	require.Equal(t, api.QuarantineCause{
		Kind: domain.RejectedRequest, Source: "runa", Cause: "credential-wrong", Count: 2, First: at(5), Last: at(7),
		Hint: causes.Causes[0].Hint,
	}, causes.Causes[0])

	var detail api.QuarantineDetail
	p.get("/v1/quarantine/r-2").into(&detail)
	require.Nil(t, detail.Body)
	require.Equal(t, "/yBub3QganNvbg==", *detail.BodyBase64)
	raw := p.get("/v1/quarantine/r-2?raw=true")
	require.Equal(t, "\xff not json", raw.Body)
	require.Equal(t, "application/octet-stream", raw.Header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="quarantine-r-2"`, raw.Header.Get("Content-Disposition"))
}

func ids(list api.QuarantineList) []string {
	all := make([]string, len(list.Entries))
	for i, e := range list.Entries {
		all[i] = e.ID
	}
	return all
}

// A request that is authentic by now is released once: it becomes a webhook with
// the time that it came, its order shows it, and it leaves the quarantine.
func TestRetryReleases(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	p.reject(provider.Runa{}, 1, `{"id":"o-1","status":"COMPLETED"}`, 5)
	var planned, released, again api.Retried
	p.post("/v1/quarantine/r-1/retry", `{"plan":true}`).into(&planned)
	require.Equal(t, domain.RetryReleased, planned.Result)
	require.Nil(t, planned.StreamSequence)

	p.post("/v1/quarantine/r-1/retry", `{}`).into(&released)
	require.Equal(t, domain.RetryReleased, released.Result)
	var order api.Order
	p.get(fmt.Sprintf("/v1/orders/runa/o-1?min_stream_sequence=%d", *released.StreamSequence)).into(&order)
	require.Equal(t, at(5), order.FirstSeenAt)

	p.post("/v1/quarantine/r-1/retry", `{}`).into(&again)
	require.Equal(t, domain.RetryAlreadyReleased, again.Result)
	require.Equal(t, released.StreamSequence, again.StreamSequence)
	var list api.QuarantineList
	p.get("/v1/quarantine?discarded=true").into(&list)
	require.Empty(t, list.Entries)
	var entry api.QuarantineDetail
	p.get("/v1/quarantine/r-1").into(&entry)
	require.Equal(t, domain.Released, entry.Decision.Verdict)
	require.Equal(t, "local", entry.Decision.By)
	require.Equal(t, *released.Webhook, *entry.Webhook)
	p.post("/v1/quarantine/r-1/discard", `{"reason":"too late"}`).refused(http.StatusConflict, "quarantine-entry-released")
}

// What stays in the quarantine stays for a reason, and the answer says what can be
// done about it.
func TestRetryInVain(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	p.reject(provider.Runa{}, 9, `{}`, 1)
	p.reject(provider.Ordatic{}, 1, ordatic("order-accepted"), 2)
	broken := p.accept(`{"eventType":"order-accepted","storeId":"store-7","data":{}}`)
	p.get(fmt.Sprintf("/v1/quarantine?min_stream_sequence=%d", broken))

	for id, want := range map[string]api.Retried{
		"r-1": {Result: domain.RetryStillRejected, Cause: new("credential-wrong")},
		"r-2": {Result: domain.RetryStillRejected, Cause: new("credential-wrong")}, // as when it came: its secret is not kept
		"w-1": {Result: domain.RetryStillUntranslatable, Cause: new("order-key-missing"), Where: new("/data/orderId")},
	} {
		var retried api.Retried
		p.post("/v1/quarantine/"+id+"/retry", `{}`).into(&retried)
		require.NotEmpty(t, *retried.Hint, id)
		retried.Hint, want.ID = nil, id
		require.Equal(t, want, retried)
	}

	problem := p.post("/v1/quarantine/r-2/retry", `{"trust":true}`).refused(http.StatusBadRequest, "invalid-parameter")
	require.Equal(t, "body.reason", problem.Errors[0].Parameter)
	var trusted api.Retried
	p.post("/v1/quarantine/r-2/retry", `{"trust":true,"reason":"the shop confirmed it"}`).into(&trusted)
	require.Equal(t, domain.RetryReleased, trusted.Result)
	var entry api.QuarantineDetail
	p.get("/v1/quarantine/r-2").into(&entry)
	require.True(t, entry.Decision.Trusted)
	require.Equal(t, "the shop confirmed it", *entry.Decision.Reason)
}

// What is discarded is hidden with who did it and why; it can be shown, and
// released after all.
func TestDiscard(t *testing.T) {
	t.Parallel()
	const token = "a-token-of-the-api"
	p := startPipeline(t, func(c *api.Config) { c.Token = token })
	bearer := "Authorization: Bearer " + token
	p.reject(provider.Runa{}, 1, `{"id":"o-1","status":"FAILED"}`, 1)
	p.post("/v1/quarantine/r-1/discard", `{"reason":"x"}`).refused(http.StatusUnauthorized, "unauthorized")
	p.post("/v1/quarantine/r-1/discard", `{}`, bearer).refused(http.StatusBadRequest, "invalid-parameter")
	p.post("/v1/quarantine/r-1/discard", `{"reason":"\u001b[2J"}`, bearer).refused(http.StatusBadRequest, "invalid-parameter")
	p.post("/v1/quarantine/r-1/discard", `{"reason":" "}`, bearer).refused(http.StatusBadRequest, "invalid-parameter")

	var discarded api.Discarded
	p.post("/v1/quarantine/r-1/discard", `{"reason":"a port scan"}`, bearer).into(&discarded)
	require.Nil(t, discarded.Before)
	entry := discarded.QuarantineEntry
	require.Equal(t, &api.Decision{
		Verdict: domain.Discarded, By: entry.Decision.By, Reason: new("a port scan"), At: domain.InstantOf(now()),
	}, entry.Decision)
	require.Regexp(t, "^token-[0-9a-f]{8}$", entry.Decision.By)
	var list api.QuarantineList
	p.get("/v1/quarantine", bearer).into(&list)
	require.Empty(t, list.Entries)
	p.get("/v1/quarantine?discarded=true", bearer).into(&list)
	require.Equal(t, []api.QuarantineEntry{entry}, list.Entries)

	var again api.Discarded
	p.post("/v1/quarantine/r-1/discard", `{"reason":"a mistake"}`, bearer).into(&again)
	require.Equal(t, new("a mistake"), again.Decision.Reason)
	require.Equal(t, entry.Decision, again.Before)

	var released api.Retried
	p.post("/v1/quarantine/r-1/retry", `{}`, bearer).into(&released)
	require.Equal(t, domain.RetryReleased, released.Result)
}

// Many entries are decided about by a filter, a page at a time: a plan counts and
// changes nothing.
func TestBulk(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	for i := range 7 {
		p.reject(provider.Runa{}, byte(1+i%2), fmt.Sprintf(`{"id":"o-%d","status":"COMPLETED"}`, i), i)
	}
	var plan api.Bulk
	p.post("/v1/quarantine/retry", `{"source":"runa","plan":true}`).into(&plan)
	require.Equal(t, api.Bulk{
		Plan: true, Until: plan.Until, Entries: 7, Results: []api.ResultCount{{"released", 4}, {"still-rejected", 3}},
		Staying: []api.StayCount{{"still-rejected", "credential-wrong", 3, plan.Staying[0].Hint}},
	}, plan)
	require.Contains(t, plan.Staying[0].Hint, "Add the secret")

	var first, second api.Bulk
	p.post("/v1/quarantine/retry", `{"source":"runa","limit":5}`).into(&first)
	require.Equal(t, []api.ResultCount{{"released", 3}, {"still-rejected", 2}}, first.Results)
	p.post("/v1/quarantine/retry", `{"source":"runa","limit":5,"cursor":"`+*first.NextCursor+`"}`).into(&second)
	require.Equal(t, []api.ResultCount{{"released", 1}, {"still-rejected", 1}}, second.Results)
	require.Nil(t, second.NextCursor)

	var discard api.Bulk
	p.post("/v1/quarantine/discard", `{"plan":true,"reason":"old"}`).into(&discard)
	require.Equal(t, []api.ResultCount{{"discarded", 3}}, discard.Results)
	p.post("/v1/quarantine/discard", `{"reason":"old"}`).refused(http.StatusBadRequest, "invalid-parameter")
	p.post("/v1/quarantine/discard", `{"reason":"old","all":true}`).into(&discard)
	require.Equal(t, api.Bulk{Until: discard.Until, Entries: 3, Results: []api.ResultCount{{"discarded", 3}}, Staying: []api.StayCount{}}, discard)
	p.post("/v1/quarantine/discard", `{"reason":"old","all":true}`).into(&discard)
	require.Equal(t, api.Bulk{Until: discard.Until, Results: []api.ResultCount{}, Staying: []api.StayCount{}}, discard)
}

// A decision about many is about what its plan showed: a forged request that
// arrives between the plan and the yes, or between two pages, is not decided about.
func TestBulkIsAboutWhatItsPlanShowed(t *testing.T) {
	t.Parallel()
	for verb, ruling := range map[string]string{"retry": `"source":"ordatic","trust":true,"reason":"they called"`, "discard": `"source":"ordatic","reason":"old"`} {
		p := startPipeline(t)
		arrive := func(n int) { p.reject(provider.Ordatic{}, 9, ordatic("order-canceled"), n) }
		arrive(1)
		arrive(2)
		arrive(3)
		bulk := func(more string) (b api.Bulk) {
			p.post("/v1/quarantine/"+verb, `{`+ruling+more+`}`).into(&b)
			return b
		}
		plan := bulk(`,"plan":true`)
		require.Equal(t, 3, plan.Entries)
		arrive(4)
		first := bulk(`,"limit":2,"until":"` + plan.Until + `"`)
		require.Equal(t, plan.Until, first.Until)
		require.Equal(t, 2, first.Entries)
		last := bulk(`,"cursor":"` + *first.NextCursor + `"`)
		require.Equal(t, 1, last.Entries)
		require.Nil(t, last.NextCursor)
		var list api.QuarantineList
		p.get("/v1/quarantine").into(&list)
		require.Equal(t, []string{"r-4"}, ids(list), verb)

		// Without a plan it is about what there is when it begins.
		arrive(5)
		begun := bulk(`,"limit":1`)
		arrive(6)
		require.Equal(t, 1, bulk(`,"cursor":"`+*begun.NextCursor+`"`).Entries)
		p.get("/v1/quarantine").into(&list)
		require.Equal(t, []string{"r-6"}, ids(list), verb)

		problem := p.post("/v1/quarantine/"+verb, `{`+ruling+`,"kind":"rejected","until":"`+plan.Until+`"}`).refused(http.StatusBadRequest, "invalid-parameter")
		require.Equal(t, "body.until", problem.Errors[0].Parameter, "the plan had other filters")
	}
}

// For every cause of both kinds it is said what can be done.
func TestEveryCauseHasAHint(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	learn := func(c *client) {
		var causes api.QuarantineCauses
		c.get("/v1/quarantine/causes").into(&causes)
		for _, cause := range causes.Causes {
			require.NotEmpty(t, cause.Hint, cause.Cause)
			told[cause.Cause] = true
		}
	}
	p := startPipeline(t)
	for _, reason := range eventlog.Reasons() {
		require.NoError(t, p.log.Reject(t.Context(), &eventlog.Rejection{Source: "ivy", Provider: "ivy", Reason: reason}))
	}
	learn(p.client)
	l := newLedger(t)
	for _, cause := range domain.Causes() {
		l.quarantine("ivy", cause, "")
	}
	learn(l.serve())
	require.Len(t, told, len(eventlog.Reasons())+len(domain.Causes()))
}

// A filter with a name that nothing can bear is mistyped: it is refused with the
// name that was most likely meant, wherever it is used, and selects nothing.
func TestMistypedFilters(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	p.reject(provider.Runa{}, 9, `{}`, 1)
	require.NoError(t, p.log.Reject(t.Context(), &eventlog.Rejection{
		Source: "removed", Provider: "ivy", Reason: eventlog.ReasonCredentialWrong, Body: []byte(`{}`),
	}))
	var causes api.QuarantineCauses
	p.get("/v1/quarantine/causes?source=removed").into(&causes)
	require.Len(t, causes.Causes, 1)
	var list api.QuarantineList
	p.get("/v1/quarantine?source=payway&cause=wrong-type").into(&list)
	require.Empty(t, list.Entries)

	for _, test := range []struct{ name, value, meant string }{
		{"source", "runna", "runa"},
		{"source", "remove", "removed"},
		{"source", "*", "ivy"},
		{"cause", "credentials-wrong", "credential-wrong"},
		{"cause", "wrong_type", "wrong-type"},
		{"kind", "reject", "rejected"},
	} {
		query := "?" + test.name + "=" + url.QueryEscape(test.value)
		selection := fmt.Sprintf(`{%q:%q,"reason":"old"}`, test.name, test.value)
		for place, refused := range map[string]reply{
			"query": p.get("/v1/quarantine" + query), "query.": p.get("/v1/quarantine/causes" + query),
			"body": p.post("/v1/quarantine/retry", selection), "body.": p.post("/v1/quarantine/discard", selection),
		} {
			problem := refused.refused(http.StatusBadRequest, "invalid-parameter")
			require.Equal(t, strings.TrimSuffix(place, ".")+"."+test.name, problem.Errors[0].Parameter)
			require.Contains(t, problem.Errors[0].Message, test.meant)
		}
	}
	problem := p.get("/v1/quarantine?kind=rejected&cause=wrong-type").refused(http.StatusBadRequest, "invalid-parameter")
	require.Equal(t, "query.cause", problem.Errors[0].Parameter, "a cause of the other kind")
}

// A decision cannot be asked for by accident: an unknown word, another type, an
// unknown entry and a trust in everybody are refused.
func TestHostileDecisions(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	p.reject(provider.Runa{}, 1, `{}`, 1)
	for path, body := range map[string]string{
		"/v1/quarantine/r-1/retry":                     `{"plna":true}`,
		"/v1/quarantine/r-0/retry":                     `{}`,
		"/v1/quarantine/r-01/retry":                    `{}`,
		"/v1/quarantine/x-1/retry":                     `{}`,
		"/v1/quarantine/%2E/retry":                     `{}`,
		"/v1/quarantine/retry?":                        `{"limit":7}`,
		"/v1/quarantine/retry":                         `{"trust":true,"reason":"all of them"}`,
		"/v1/quarantine/discard":                       `{"reason":"` + strings.Repeat("a", 501) + `"}`,
		"/v1/quarantine/w-1/discard":                   `["reason"]`,
		"/v1/quarantine/r-1/discard":                   `{"reason":`,
		"/v1/quarantine/r--1/discard":                  `{"reason":"x"}`,
		"/v1/quarantine/w-9223372036854775808/discard": `{"reason":"x"}`,
	} {
		p.post(path, body).refused(http.StatusBadRequest, "invalid-parameter")
	}
	p.post("/v1/quarantine/r-2/retry", `{}`).refused(http.StatusNotFound, "quarantine-entry-not-found")
	p.post("/v1/quarantine/w-9223372036854775807/discard", `{"reason":"x"}`).refused(http.StatusNotFound, "quarantine-entry-not-found")
	p.send(http.MethodPost, "/v1/quarantine/retry", `{}`, "Content-Type: text/plain").refused(http.StatusUnsupportedMediaType, "not-json")
	p.send(http.MethodPost, "/v1/quarantine/retry", ``).refused(http.StatusUnsupportedMediaType, "not-json")

	var list api.QuarantineList
	p.get("/v1/quarantine").into(&list)
	require.Equal(t, []string{"r-1"}, ids(list))
}

// unreachable is a quarantine whose stream does not answer.
type unreachable struct{ api.Quarantine }

func (unreachable) List(context.Context, domain.QuarantineQuery) (*domain.QuarantinePage, error) {
	return nil, fmt.Errorf("list: %w", domain.ErrNoStream)
}

func (unreachable) End(context.Context) (*domain.QuarantinePosition, error) {
	return nil, fmt.Errorf("find the end: %w", domain.ErrNoStream)
}

// A stream that does not answer is no defect: the question may be asked again.
func TestQuarantineWithoutAStream(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve(func(c *api.Config) { c.Quarantine = unreachable{} })
	require.Equal(t, "1", c.get("/v1/quarantine").Header.Get("Retry-After"))
	c.post("/v1/quarantine/retry", `{"all":true}`).refused(http.StatusServiceUnavailable, "stream-unavailable")
}

// A process that cannot read the stream says so.
func TestQuarantineElsewhere(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve(func(c *api.Config) { c.Quarantine = nil })
	c.get("/v1/quarantine").refused(http.StatusNotImplemented, "quarantine-elsewhere")
	c.post("/v1/quarantine/r-1/retry", `{}`).refused(http.StatusNotImplemented, "quarantine-elsewhere")
}
