package ingest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
)

// loud is a log that panics with what it is given.
type loud struct{ ingest.Log }

func (loud) Append(_ context.Context, w *domain.Webhook) (eventlog.Receipt, error) {
	panic(string(w.Body))
}

// A panic is a fault on this side: the sender is asked to come again, nothing that it
// sent is told, and its place is free again.
func TestAPanicTellsNothing(t *testing.T) {
	t.Parallel()
	r := startOn(t, func(log ingest.Log) ingest.Log { return loud{log} }, func(c *ingest.Config) { c.MaxInFlight = 1 })
	for range 2 {
		got := r.do(t, r.signed(t, "ordatic", "", []byte(`{"customer":"canary"}`)))
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.Equal(t, "stream-unavailable", got.code(t))
		require.NotEmpty(t, got.header.Get("Retry-After"))
	}
	require.Contains(t, r.logged.String(), "panicked with a string")
	require.NotContains(t, r.logged.String(), "canary")
}

// A connection ends with a body in chunks: with a length beside them, which net/http
// drops, a proxy may take what follows for another request than this server does.
func TestABodyInChunksEndsTheConnection(t *testing.T) {
	t.Parallel()
	r := start(t)
	conn := r.dial(t)
	_, err := fmt.Fprintf(conn, "POST /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nContent-Length: 4\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", r.secrets["ordatic"][0])
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	_, err = reader.ReadByte()
	require.ErrorIs(t, err, io.EOF, "the second answer could be taken for that to a webhook")
	require.EqualValues(t, 1, r.stored(t))
}
