package ingest_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// A kept request holds the exact bytes, the reason and what its signature can be
// verified from again; no other header, and no secret.
func TestRejectedRequestIsKept(t *testing.T) {
	t.Parallel()
	at := newClock()
	r := start(t, at.configure)
	request := r.signedWith(t, "runa", secretOf(provider.Runa{}, 9), "msg_1", []byte(`{"id": 1}`))
	request.Header.Set("Nats-Rollup", "sub")
	request.Header.Set("Cookie", canary)
	request.Header.Set("Authorization", canary)

	require.Equal(t, http.StatusUnauthorized, r.do(t, request).status)

	require.Len(t, r.kept(t), 1)
	kept := r.kept(t)[0]
	require.Equal(t, "rejected.runa.runa.credential-wrong", kept.Subject)
	require.Equal(t, `{"id": 1}`, string(kept.Data))
	headers := fmt.Sprint(kept.Header)
	require.Contains(t, headers, at.Now().Format("2006-01-02T15:04:05"))
	require.Contains(t, headers, request.Header.Get("Svix-Signature"))
	require.NotContains(t, headers, canary)
}

// A stranger cannot use the disk: only so many requests of a source are kept,
// large ones count for more, and all get their answer.
func TestKeptRequestsAreLimited(t *testing.T) {
	t.Parallel()
	at := newClock()
	r := start(t, at.configure)
	refuse := func(times int, body []byte) {
		for range times {
			require.Equal(t, http.StatusUnauthorized, r.do(t, r.plain(t, http.MethodPost, "/webhooks/ivy", body)).status)
		}
	}

	refuse(60, []byte(`{}`))
	require.Len(t, r.kept(t), 50)

	at.advance(time.Second)
	refuse(20, []byte(`{}`))
	require.Len(t, r.kept(t), 60)

	require.Equal(t, 60.0, r.count(t, "ticketrail_ingest_rejected_total", "ivy", "kept"))
	require.Equal(t, 20.0, r.count(t, "ticketrail_ingest_rejected_total", "ivy", "dropped"))
}

// Whether a refused request could be kept never changes the answer.
func TestKeepingMayFail(t *testing.T) {
	t.Parallel()
	r := startOn(t, failingWith(errors.New("no room")))

	got := r.do(t, r.plain(t, http.MethodPost, "/webhooks/ivy", []byte(`{}`)))

	require.Equal(t, http.StatusUnauthorized, got.status)
	require.Equal(t, "credential-missing", got.code(t))
	require.Equal(t, 1.0, r.count(t, "ticketrail_ingest_rejected_total", "ivy", "failed"))
}
