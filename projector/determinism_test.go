package projector_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// contentHash gives the SHA-256 of a read model's content, without the traces
// that its history of writes left in the file.
func contentHash(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	copied := filepath.Join(t.TempDir(), "content.db")
	_, err = db.ExecContext(t.Context(), "VACUUM INTO ?", copied)
	require.NoError(t, err)
	content, err := os.ReadFile(copied)
	require.NoError(t, err)
	return sha256.Sum256(content)
}

// The same stream gives the same read model, byte for byte, however it was cut
// into batches and however often the projector was restarted.
func TestReadModelDependsOnTheStreamAlone(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	last := fillWithHistories(t, log)
	var want [sha256.Size]byte
	for i, test := range []struct {
		name     string
		maxBatch int
		restarts []uint64
	}{
		{"one batch", 100_000, nil},
		{"a transaction for each webhook", 1, nil},
		{"seven at a time", 7, nil},
		{"restarts", 50, []uint64{1, 2, last / 3, last / 2, last - 1}},
		{"one thread", 33, nil}, // last, since it is so for the whole process until the test ends
	} {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", i))
		model, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		if test.name == "one thread" {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		}
		for _, until := range append(test.restarts, last) {
			run(t, log, model, until, projector.Config{MaxBatch: test.maxBatch})
		}
		checkpoint, err := model.Checkpoint(t.Context())
		require.NoError(t, err)
		require.Equal(t, checkpoint.StreamSequence, checkpoint.Counts.Sum())
		require.NoError(t, model.Close())
		have := contentHash(t, path)
		if i == 0 {
			want = have
		}
		require.Equal(t, want, have, test.name)
	}
}

// fillWithHistories puts orders of every provider on the stream, interleaved and
// with some webhooks repeated, and gives the last stream sequence.
func fillWithHistories(t *testing.T, log *projectortest.Broker) (last uint64) {
	t.Helper()
	events := []string{
		"rider-created", "order-accepted", "rider-error", "rider-created", "order-in-kitchen",
		"rider-delivering", "rider-completed", "order-canceled", "no-such-event",
	}
	for i := range 30 {
		for j, event := range events {
			log.Accept(projectortest.Ordatic(event, fmt.Sprint((i*7+j*3)%13)))
		}
		log.AcceptAs(&domain.Webhook{Provider: "runa", Source: "cards", Event: "order-completion", ID: fmt.Sprint(i % 20), Body: fmt.Appendf(nil,
			`{"id":"O-%d","status":"COMPLETED","created_at":"2026-01-01T00:00:0%dZ","currency":"EUR","total_price":"%d","total_discount":"0"}`, i%6, i%9, i%4)})
		log.AcceptAs(&domain.Webhook{Provider: "ivy", Source: "bank", Event: "order_updated", Body: fmt.Appendf(nil,
			`{"id":"e-%d","type":"order_updated","date":"2026-01-01T00:00:00Z","payload":{"id":"i-%d","status":"paid","updatedAt":"2026-01-01T00:00:%02dZ",
			"price":{"total":%d.5,"currency":"EUR"},"statusHistoryList":[{"currentStatus":"processing","reason":"ORDER_CREATED","createdAt":"2026-01-01T00:00:00Z"}]}}`, i, i%5, (i*17)%60, i)})
		last = log.Accept(`{"eventType":"order-accepted"}`)
	}
	return last
}
