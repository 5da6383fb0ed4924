package ingest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/ingest"
)

// strangerHead is the head of a request that nobody signed.
func strangerHead(size int) string {
	return fmt.Sprintf("POST /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", size)
}

// A stranger's body is read only to be kept: beyond the limit of kept requests the
// answer comes without it.
func TestAStrangersBodyIsReadOnlyToBeKept(t *testing.T) {
	t.Parallel()
	const size = 1 << 20 // of less, net/http itself reads the rest, to keep the connection
	r := start(t, newClock().configure, func(c *ingest.Config) { c.MaxBody = size })
	for range 50 {
		require.Equal(t, http.StatusUnauthorized, r.do(t, r.plain(t, http.MethodPost, "/webhooks/ordatic", []byte(`{}`))).status)
	}
	conn := r.dial(t)
	_, err := conn.Write([]byte(strangerHead(size)))
	require.NoError(t, err)
	require.Equal(t, "credential-missing", await(t, conn).code(t))
	require.Len(t, r.kept(t), 50)
	require.Equal(t, 1.0, r.count(t, "ticketrail_ingest_rejected_total", "ordatic", "dropped"))
}

// Strangers who hold back the ends of their bodies do not shut out the sender,
// whose largest webhook has room all the while.
func TestStrangersDoNotShutOutTheSender(t *testing.T) {
	t.Parallel()
	const strangers = 8
	r := start(t, func(c *ingest.Config) { c.BodyBudget = 4 * maxBody })
	for range strangers {
		conn := r.dial(t)
		_, err := conn.Write(append([]byte(strangerHead(maxBody)), padded(maxBody-1)...))
		require.NoError(t, err)
	}
	givenUp := func() bool { return r.count(t, "ticketrail_ingest_rejected_total", "ordatic", "failed") >= strangers-1 }
	require.Eventually(t, givenUp, 10*time.Second, time.Millisecond, "there is room for one of them")

	require.Equal(t, http.StatusOK, r.do(t, r.signed(t, "ordatic", "", padded(maxBody))).status)
}

// A refused request is kept whole even where its size is not announced, if it is
// small.
func TestAStrangersBodyOfUnknownSizeIsKept(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *ingest.Config) { c.MaxBody = 1 << 20 })
	for _, body := range [][]byte{[]byte(`{"a":1}`), padded(256 << 10)} {
		request := r.plain(t, http.MethodPost, "/webhooks/ordatic", body)
		request.ContentLength = -1
		require.Equal(t, http.StatusUnauthorized, r.do(t, request).status)
	}
	require.Len(t, r.kept(t), 1)
	require.Equal(t, `{"a":1}`, string(r.kept(t)[0].Data))
}
