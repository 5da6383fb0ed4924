package faults_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain"
)

// dribble is how long a slow sender waits before its next byte.
const dribble = time.Second

// slowSenders holds so many connections to a program open, on which one byte comes
// after the other: of a head that never ends, of a body, or of nothing yet. Who is cut
// off comes again.
func (b *besieged) slowSenders(ctx context.Context, n int) {
	begun := []string{"POST /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", knock + "Content-Length: 100000\r\n\r\n{", ""}
	conns := make([]net.Conn, n)
	defer func() {
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close()
			}
		}
	}()
	next := time.NewTicker(dribble)
	defer next.Stop()
	for ctx.Err() == nil {
		for i, conn := range conns {
			if conn != nil {
				if _, err := conn.Write([]byte("x")); err == nil {
					continue
				}
				_ = conn.Close()
			}
			conns[i] = b.begin(begun[i%len(begun)])
		}
		select {
		case <-ctx.Done():
		case <-next.C:
		}
	}
}

// begin opens a connection and says something, or gives nil where nobody answers.
func (b *besieged) begin(text string) net.Conn {
	conn, err := dial(b.ingest)
	if err != nil {
		return nil
	}
	_, _ = io.WriteString(conn, text) // the next byte finds out
	return conn
}

// slowReaders opens so many connections to the API, on which much is asked for and
// nothing is read until they are closed.
func (b *besieged) slowReaders(t *testing.T, n int, paths []string) (closeAll func()) {
	t.Helper()
	conns := make([]net.Conn, 0, n)
	closeAll = func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}
	t.Cleanup(closeAll)
	for i := range n {
		conn, err := dial(b.api)
		require.NoError(t, err)
		conns = append(conns, conn)
		require.NoError(t, conn.SetReadBuffer(4<<10))
		_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", paths[i%len(paths)], b.token)
		require.NoError(t, err)
	}
	return closeAll
}

// stock has the program take what is worth reading, and gives the paths of it.
func (b *besieged) stock(t *testing.T, h *history) (paths []string) {
	t.Helper()
	ctx := context.Background()
	ordatic := sourceOf(t, b.sources, "ordatic")
	giant := strings.Replace(served("large"), "{", `{"x":"`+strings.Repeat("x", giantSize-100)+`",`, 1)
	picture := proofOf("proof", []byte(strings.Repeat("p", giantSize/2)))
	take := func(body string) said {
		a := &attempt{source: ordatic.Name, body: domain.DigestBody([]byte(body))}
		h.begin(a)
		answer := b.post(t, ordatic, "", body, "")
		h.end(a, sender.Answer{Status: answer.status, StreamSequence: answer.StreamSequence})
		return answer
	}
	large, proof := take(giant), take(picture)
	require.Equal(t, "200 200", large.String()+" "+proof.String())
	var order api.Order
	require.NoError(t, b.get(ctx, fmt.Sprintf("%s?min_stream_sequence=%d", api.PathOfOrder("ordatic", "h:proof"), proof.StreamSequence), &order))
	snapshot, err := rebuild(ctx, b.program, fmt.Sprintf(`{"until":%d}`, proof.StreamSequence))
	require.NoError(t, err)
	return []string{
		"/v1/orders?limit=200",
		fmt.Sprint("/v1/webhooks/", large.StreamSequence),
		fmt.Sprintf("/v1/webhooks/%d?raw=true", large.StreamSequence),
		order.Proofs[0].URL,
		fmt.Sprintf("/v1/rebuilds/%d/file", snapshot.ID),
	}
}
