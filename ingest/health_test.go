package ingest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
)

// A receiver that can take webhooks is ready, and says what its 200 means.
func TestReady(t *testing.T) {
	t.Parallel()
	r := start(t)
	got := r.do(t, r.plain(t, http.MethodGet, "/readyz", nil))
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, `{"ready":true,"durability":"synced"}`, got.body)
}

// Where the broker's durability cannot be known it is one word all the same, and
// its explanation is beside it.
func TestReadyOnAnUnknownDurability(t *testing.T) {
	t.Parallel()
	r := startOn(t, func(log ingest.Log) ingest.Log { return elsewhere{log} })
	var report map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.do(t, r.plain(t, http.MethodGet, "/readyz", nil)).body), &report))
	require.Equal(t, map[string]any{"ready": true, "durability": "unknown", "durability_note": eventlog.Unknown.Note()}, report)
}

// elsewhere is a log whose broker is another process.
type elsewhere struct{ ingest.Log }

func (elsewhere) Durability() eventlog.Durability { return eventlog.Unknown }

// A receiver that cannot take webhooks is not ready, gives the code that they
// would get as the reason, and is alive all the same.
func TestNotReady(t *testing.T) {
	t.Parallel()
	for reason, err := range map[string]error{
		"stream-full":        eventlog.ErrFull,
		"stream-unavailable": eventlog.ErrUnavailable,
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			r := startOn(t, failingWith(err))

			got := r.do(t, r.plain(t, http.MethodGet, "/readyz", nil))
			require.Equal(t, http.StatusServiceUnavailable, got.status)
			require.Equal(t, `{"ready":false,"durability":"synced","reason":"`+reason+`"}`, got.body)

			got = r.do(t, r.plain(t, http.MethodGet, "/healthz", nil))
			require.Equal(t, http.StatusOK, got.status)
			require.Equal(t, `{"alive":true}`, got.body)
		})
	}
}

// Health is for reading.
func TestHealthIsRead(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		got := r.do(t, r.plain(t, http.MethodPost, path, nil))
		require.Equal(t, http.StatusMethodNotAllowed, got.status)
		require.Equal(t, "GET, HEAD", got.header.Get("Allow"))
		require.Equal(t, http.StatusOK, r.do(t, r.plain(t, http.MethodHead, path, nil)).status)
	}
}

// However many ask whether the receiver is ready, the stream is asked once a second.
func TestReadinessIsAskedOnceASecond(t *testing.T) {
	t.Parallel()
	now := newClock()
	asked := &counting{}
	r := startOn(t, func(log ingest.Log) ingest.Log {
		asked.Log = log
		return asked
	}, now.configure)
	ask := func() {
		require.Equal(t, http.StatusOK, r.do(t, r.plain(t, http.MethodGet, "/readyz", nil)).status)
	}
	for range 5 {
		ask()
	}
	require.EqualValues(t, 1, asked.times.Load())

	now.advance(time.Second)
	ask()
	require.EqualValues(t, 2, asked.times.Load())
}

// counting is a log that counts how often it is asked whether it is ready.
type counting struct {
	ingest.Log
	times atomic.Int64
}

func (c *counting) Ready(ctx context.Context) error {
	c.times.Add(1)
	return c.Log.Ready(ctx)
}
