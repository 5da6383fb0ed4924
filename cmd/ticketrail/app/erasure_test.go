package app_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// person stands in everything that is sent about the order that is erased.
const person = "Anna-Canary"

// ivyOrder gives a webhook of Ivy about an order, as the n-th of them.
func ivyOrder(id string, n int, status, text string) string {
	return fmt.Sprintf(`{"id":"%[1]s-%[2]d","type":"order_updated","date":"2024-01-01T00:00:0%[2]dZ","payload":{"id":%[1]q,"status":%[3]q,
		"referenceId":%[4]q,"shopperEmail":"%[4]s@example.com","updatedAt":"2024-01-01T00:00:0%[2]dZ","price":{"total":12,"currency":"EUR"},
		"statusHistoryList":[{"currentStatus":"processing","reason":%[4]q,"createdAt":"2024-01-01T00:00:00Z"}],
		"refunds":[{"id":"r","amount":1,"description":%[4]q}]}}`, id, n, status, text)
}

// send sends a webhook, and gives its stream sequence.
func (p *program) send(source, body string) uint64 {
	p.t.Helper()
	answer, err := p.sender(source).Send(p.t.Context(), "", []byte(body))
	require.NoError(p.t, err)
	require.True(p.t, answer.OK())
	return answer.StreamSequence
}

// reject sends a webhook that nobody has signed rightly.
func (p *program) reject(source, body string) {
	p.t.Helper()
	forger := *p.sender(source)
	forger.Secret += "x"
	answer, err := forger.Send(p.t.Context(), "", []byte(body))
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusUnauthorized, answer.Status)
	require.Eventually(p.t, func() bool {
		var list api.QuarantineList
		p.get("/v1/quarantine?kind=rejected", &list)
		return len(list.Entries) > 0
	}, patience, 5*time.Millisecond)
}

func (p *program) erase(source, key string, request api.ErasureRequest) (erased api.Erasure) {
	p.t.Helper()
	p.change(http.MethodPost, api.PathOfOrder(source, key)+"/erase", request, &erased)
	return erased
}

// filesWith gives the files of a data folder in which a text stands, also where it is
// compressed.
func filesWith(t *testing.T, data, text string) (found []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			found = append(found, path)
		}
		return err
	}))
	for e, err := range archive.Read(filepath.Join(data, "archive"), 0) {
		require.NoError(t, err)
		if bytes.Contains(e.Body, []byte(text)) {
			found = append(found, fmt.Sprint("webhook ", e.StreamSequence, " of the archive"))
		}
	}
	return found
}

// An erased order stays what it was but for what was personal, which is nowhere any
// more: not in the stream, the archive, the quarantine, the read model nor in anything
// that was made of it. Rebuilds make the same order; and what comes later is set aside
// and does not bring anything back, until it is erased too.
func TestAnErasedOrderIsNowhereAnyMore(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.send("ivy", ivyOrder("other", 0, "paid", "Somebody-Else"))
	p.send("ivy", ivyOrder("o", 1, "processing", person+"-1"))
	p.send("ivy", ivyOrder("o", 2, "paid", person+"-2"))
	proof := base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n" + strings.Repeat(person, 700)))
	last := p.send("ordatic", `{"eventType":"rider-proof-delivery","storeId":"s","data":{"orderId":"p","proofDelivery":"`+proof+`"}}`)
	p.reached(last)
	p.reject("ivy", ivyOrder("o", 3, "paid", person+"-3"))
	require.Equal(t, domain.RebuildKept, p.ended(p.rebuild(api.RebuildRequest{Until: 3}).ID).State)
	require.Equal(t, domain.RebuildSwitched, p.ended(p.rebuild(api.RebuildRequest{}).ID).State)
	var before, after api.Order
	p.get("/v1/orders/ivy/o", &before)
	require.NotNil(t, before.Reference)

	plan := p.erase("ivy", "o", api.ErasureRequest{Plan: true})
	require.Equal(t, []uint64{2, 3}, plan.Webhooks)
	require.Equal(t, 1, plan.RejectedRequests)
	require.Equal(t, 1, plan.Snapshots)
	require.True(t, plan.Previous)
	status, _, err := p.ask(http.MethodPost, "/v1/orders/ivy/o/erase", api.ErasureRequest{})
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, status, "without a reason")
	require.NotEmpty(t, filesWith(t, c.Data, person))

	reason := "asked for by the customer"
	done := p.erase("ivy", "o", api.ErasureRequest{Reason: reason})
	require.Equal(t, plan.Webhooks, done.Webhooks)
	require.Equal(t, 1, p.erase("ordatic", "s:p", api.ErasureRequest{Reason: reason}).Proofs)
	require.Empty(t, p.erase("ivy", "o", api.ErasureRequest{Reason: reason}).Webhooks, "nothing is left to do")

	p.get("/v1/orders/ivy/o", &after)
	require.Nil(t, after.Reference)
	require.NotNil(t, after.ErasedAt)
	require.Equal(t, before.State, after.State)
	require.Equal(t, before.Total, after.Total)
	status, _, err = p.ask(http.MethodGet, "/v1/webhooks/2", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusGone, status)
	require.Empty(t, filesWith(t, c.Data, person), "while the program runs")
	require.NotEmpty(t, filesWith(t, c.Data, "Somebody-Else"))
	require.Equal(t, domain.RebuildEqual, p.ended(p.rebuild(api.RebuildRequest{Plan: true}).ID).State)

	p.reached(p.send("ivy", ivyOrder("o", 4, "refunded", person+"-4")))
	var again api.Order
	p.get("/v1/orders/ivy/o", &again)
	require.Equal(t, after.Version, again.Version)
	var aside api.QuarantineList
	p.get("/v1/quarantine?cause="+domain.CauseOrderErased, &aside)
	require.Len(t, aside.Entries, 1)
	require.Len(t, p.erase("ivy", "o", api.ErasureRequest{Reason: reason}).Webhooks, 1)
	require.Empty(t, filesWith(t, c.Data, person))
	require.Equal(t, domain.RebuildEqual, p.ended(p.rebuild(api.RebuildRequest{Plan: true}).ID).State)

	p.stop()
	require.Empty(t, filesWith(t, c.Data, person), "after a stop")
	require.NoError(t, os.RemoveAll(app.ReadModelFolder(c.Data)))
	p = run(t, c, options())
	p.caughtUp()
	var anew api.Order
	p.get("/v1/orders/ivy/o", &anew)
	p.get("/v1/orders/ivy/o", &again)
	require.Equal(t, again, anew)
	require.Nil(t, anew.Reference)
	require.Empty(t, filesWith(t, c.Data, person), "after everything was made anew")
}

// An archive without room takes no tombstone, and it is said so.
func TestAFullDiskTellsThatItCannotErase(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	require.NoError(t, os.Symlink("/dev/full", filepath.Join(app.ArchiveFolder(c), "00000000000000000001.jsonl.zst")))
	answer, err := p.sender("ivy").Send(t.Context(), "", []byte(ivyOrder("o", 1, "paid", person)))
	require.NoError(t, err)
	require.False(t, answer.OK(), "it is in the stream alone")
	p.reached(1)
	status, text, err := p.ask(http.MethodPost, "/v1/orders/ivy/o/erase", api.ErasureRequest{Reason: "asked for"})
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, string(text), "no-room")
}

// An order is erased from a stream that takes no webhook any more.
func TestAFullStreamTakesAnErasure(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.Stream.MaxBytes = 1 << 20
	p := run(t, c, options())
	p.reached(p.send("ivy", ivyOrder("o", 1, "paid", person)))
	for _, length := range []int{20_000, 10} {
		filler := fmt.Sprintf(`{"eventType":"order-accepted","storeId":"s","data":{"orderId":"1"},"x":%q}`, strings.Repeat("x", length))
		require.Eventually(t, func() bool {
			answer, err := p.sender("ordatic").Send(t.Context(), "", []byte(filler))
			require.NoError(t, err)
			return !answer.OK()
		}, patience, time.Millisecond)
	}
	require.Equal(t, []uint64{1}, p.erase("ivy", "o", api.ErasureRequest{Reason: "asked for"}).Webhooks)
	require.Empty(t, filesWith(t, c.Data, person))
}

// What an order said is erased from the archive although the stream has forgotten it, and
// it is nowhere any more after the next start.
func TestAnOrderThatTheStreamHasForgottenIsErased(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.Stream.MaxAge, c.Stream.DuplicateWindow = config.Duration(10*time.Second), config.Duration(time.Second)
	p := run(t, c, options())
	p.reached(p.send("ivy", ivyOrder("o", 1, "paid", person)))
	require.Eventually(t, func() bool {
		status, _, err := p.ask(http.MethodGet, "/v1/webhooks/1", nil)
		return err == nil && status == http.StatusNotFound
	}, patience, 10*time.Millisecond)
	require.NotEmpty(t, filesWith(t, c.Data, person))
	require.Equal(t, []uint64{1}, p.erase("ivy", "o", api.ErasureRequest{Plan: true}).Webhooks)
	require.Equal(t, []uint64{1}, p.erase("ivy", "o", api.ErasureRequest{Reason: "asked for"}).Webhooks)
	require.Empty(t, p.erase("ivy", "o", api.ErasureRequest{Plan: true}).Webhooks)
	p.stop()
	p = run(t, c, options())
	require.Empty(t, filesWith(t, c.Data, person))
	var order api.Order
	p.get("/v1/orders/ivy/o", &order)
	require.NotNil(t, order.ErasedAt)
}
