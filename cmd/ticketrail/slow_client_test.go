package main_test

import (
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nobody who is slow keeps the program from ending, in time and with 0: neither a
// reader who waits for a webhook, nor a sender who holds back a body, nor a
// connection that nobody uses.
func TestSlowClientsDoNotFailAStop(t *testing.T) {
	t.Parallel()
	for name, occupy := range map[string]func(*testing.T, *process){
		"a reader that waits": func(t *testing.T, p *process) {
			conn := dial(t, p.addresses.API)
			_, err := io.WriteString(conn, "GET /v1/orders?min_stream_sequence=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
			require.NoError(t, err)
		},
		"a body held back":           func(t *testing.T, p *process) { beginWebhook(t, p) },
		"a fresh connection, api":    func(t *testing.T, p *process) { dial(t, p.addresses.API) },
		"a fresh connection, ingest": func(t *testing.T, p *process) { dial(t, p.addresses.Ingest) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, filepath.Join(t.TempDir(), "data"))
			occupy(t, p)
			response, err := http.Get(p.addresses.API + "/healthz") // accepted after the other connection
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			p.stop(t)
		})
	}
}

func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
