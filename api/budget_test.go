package api_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who does not read what was asked for holds bounded memory: another one who asks for
// a webhook meanwhile is told to come again, orders are read all the while, and when the
// slow one has gone there is room again.
func TestSlowReadersHoldBoundedMemory(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	large := l.receive("ordatic", "ordatic", "other", strings.Repeat("x", 32<<20)) // more than sockets take
	c := l.serve()
	path := fmt.Sprintf("/v1/webhooks/%d?raw=true", large.StreamSequence)
	slow, err := net.Dial("tcp", strings.TrimPrefix(c.base, "http://"))
	require.NoError(t, err)
	defer slow.Close()
	_, err = fmt.Fprintf(slow, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
	require.NoError(t, err)
	_, err = slow.Read(make([]byte, 1))
	require.NoError(t, err)

	busy := c.get("/v1/webhooks/1")
	busy.refused(http.StatusServiceUnavailable, "busy")
	require.Equal(t, "1", busy.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, c.get("/v1/orders").Status)

	require.NoError(t, slow.Close())
	require.Equal(t, http.StatusOK, c.get("/v1/webhooks/1").Status)
}
