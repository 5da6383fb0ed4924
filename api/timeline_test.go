package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// A timeline tells of every webhook what it did, and what it back-filled right
// after it; null stands for what is absent.
func TestTimelineInJSON(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.apply("ivy", "ivy", withHistory("i-1"))
	require.Equal(t, `{"entries":[`+
		`{"stream_sequence":1,"event":"order_updated","status":"paid","effect":"advanced","note":null,"state":"completed","occurred_at":"2026-03-01T12:00:00Z","received_at":"2026-03-01T12:00:00Z","webhook":"/v1/webhooks/1"},`+
		`{"stream_sequence":1,"event":null,"status":"processing","effect":"back-filled","note":null,"state":"completed","occurred_at":"2026-03-01T11:00:00Z","received_at":"2026-03-01T12:00:00Z","webhook":null},`+
		`{"stream_sequence":1,"event":null,"status":"finalizing","effect":"back-filled","note":null,"state":"completed","occurred_at":"2026-03-01T11:30:00Z","received_at":"2026-03-01T12:00:00Z","webhook":null}`+
		`],"next_cursor":null,"redacted":false}`+"\n", l.serve().get("/v1/orders/ivy/i-1/timeline").Body)
}

// withHistory is a snapshot that knows of two statuses before its own.
func withHistory(key string) domain.Event {
	return domain.Event{
		Kind:       domain.Snapshot,
		Key:        key,
		Name:       "order_updated",
		Stamp:      domain.Stamp{Clock: at(0)},
		OccurredAt: at(0),
		Standing:   domain.Standing{Axes: domain.Axes{Payment: domain.PaymentPaid, Outcome: domain.OutcomeCompleted}},
		Facts:      domain.Facts{ProviderStatus: "paid"},
		History: []domain.HistoryEntry{
			{Status: "processing", At: at(-60)},
			{Status: "finalizing", At: at(-30)},
			{Status: "paid", At: at(0)},
		},
	}
}

// Whatever the size of the pages, paging gives every entry exactly once, also
// where a page ends between a webhook and what it back-filled.
func TestPagesOfATimeline(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.apply("ivy", "ivy", withHistory("i-1"))
	for range 4 {
		l.apply("ivy", "ivy", withHistory("i-1"))
	}
	c := l.serve()
	var whole api.Timeline
	c.get("/v1/orders/ivy/i-1/timeline").into(&whole)
	require.Len(t, whole.Entries, 7)
	for limit := 1; limit <= 8; limit++ {
		var entries []api.TimelineEntry
		for cursor := ""; ; {
			var page api.Timeline
			c.get(fmt.Sprintf("/v1/orders/ivy/i-1/timeline?limit=%d&cursor=%s", limit, cursor)).into(&page)
			entries = append(entries, page.Entries...)
			if page.NextCursor == nil {
				break
			}
			cursor = *page.NextCursor
		}
		require.Equal(t, whole.Entries, entries, limit)
	}
}

// The cursor of one order's timeline does not open another's.
func TestTimelineCursorOfAnotherOrder(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.apply("ivy", "ivy", withHistory("i-1"))
	l.apply("ivy", "ivy", withHistory("i-2"))
	c := l.serve()
	var page api.Timeline
	c.get("/v1/orders/ivy/i-1/timeline?limit=1").into(&page)
	c.get("/v1/orders/ivy/i-2/timeline?limit=1&cursor="+*page.NextCursor).refused(400, "invalid-cursor")
}

// A cursor that is sealed as it must be and names a position that cannot be is
// refused as any other mangled one.
func TestCursorBeyondEveryPosition(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.apply("ivy", "ivy", accepted("i-1"))
	c := l.serve()
	for path, cursors := range map[string][]string{
		"timeline":    {forge(`timeline "ivy" "i-1"`, 1<<63, 0), forge(`timeline "ivy" "i-1"`, 1, 1<<63)},
		"explanation": {forge(`explanation "ivy" "i-1"`, math.MaxUint64)},
	} {
		for _, cursor := range cursors {
			c.get("/v1/orders/ivy/i-1/"+path+"?cursor="+cursor).refused(http.StatusBadRequest, "invalid-cursor")
		}
	}
	var page api.Timeline
	c.get("/v1/orders/ivy/i-1/timeline?cursor=" + forge(`timeline "ivy" "i-1"`, math.MaxInt64, math.MaxInt64)).into(&page)
	require.Empty(t, page.Entries)
}

// forge seals a cursor as the API does.
func forge(scope string, position ...uint64) string {
	var text []byte
	for _, part := range position {
		text = binary.BigEndian.AppendUint64(text, part)
	}
	sum := sha256.Sum256(append([]byte(scope), text...))
	return base64.RawURLEncoding.EncodeToString(append(text, sum[:8]...))
}
