package main_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
)

// A webhook that is on its way when the program is told to stop is taken and
// answered; only then the program ends.
func TestARequestInFlightIsFinished(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	slow := beginWebhook(t, p)
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	p.await(t, "stopping")
	require.Equal(t, http.StatusOK, slow.finish(t))
	p.ended()
	require.NoError(t, p.command.Wait())
}

// Two signals at once are one: who signals a process and its group as well, as
// timeout does, does not mean to cut it off.
func TestTwoSignalsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	slow := beginWebhook(t, p)
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.command.Process.Signal(syscall.SIGINT))
	p.await(t, "stopping")
	require.Equal(t, http.StatusOK, slow.finish(t))
	p.ended()
	require.NoError(t, p.command.Wait())
}

// A signal a second later or more ends the program at once, whatever is in flight.
func TestALaterSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	beginWebhook(t, p)
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	p.await(t, "stopping")
	require.Eventually(t, func() bool {
		_ = p.command.Process.Signal(syscall.SIGTERM) // until it has ended
		select {
		case _, open := <-p.said:
			return !open
		default:
			return false
		}
	}, startTimeout, 50*time.Millisecond)
	require.Error(t, p.command.Wait())
	require.Equal(t, 1, p.command.ProcessState.ExitCode())
	require.NotContains(t, p.logged.String(), "not done after", "it waited")
}

// removeStream removes the stream and its second copy, without which the program does
// not start on the rest.
func removeStream(t *testing.T, data string) {
	t.Helper()
	require.NoError(t, errors.Join(os.RemoveAll(app.StreamFolder(data)), os.RemoveAll(filepath.Join(data, "archive"))))
}

// A stream that is not the one that the read model was made from stops the
// projector and nothing else: webhooks are taken, orders are read, and both the
// log and /readyz say why and what to do. Where the present stream is the truth, a
// rebuild makes the read model of it, and the projector goes on with that.
func TestAStoppedProjectorStopsNothingElse(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	p.run(t, "send", "../../testdata/webhooks/runa", "--source", "runa")
	p.caughtUp(t)
	p.stop(t)

	removeStream(t, data)
	p = start(t, data)
	p.await(t, "the projector stopped")
	p.run(t, "send", "../../testdata/webhooks/runa", "--source", "runa")
	var orders api.OrderList
	p.get(t, "/v1/orders", &orders)
	require.Len(t, orders.Orders, 4)
	response, err := http.Get(p.addresses.API + "/readyz")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)

	require.Contains(t, p.run(t, "rebuild", "--accept", "--yes"), "is in use")
	p.caughtUp(t)
	p.stop(t)
	require.Contains(t, p.logged.String(), "restore the stream")
}

// slowWebhook is a request whose body has not come yet.
type slowWebhook struct {
	conn   net.Conn
	reader *bufio.Reader
	body   string
}

// beginWebhook sends the head of a webhook, and returns when the program waits
// for its body.
func beginWebhook(t *testing.T, p *process) *slowWebhook {
	t.Helper()
	source := p.sources(t)[1]
	require.Equal(t, "ordatic", source.Provider)
	address := strings.TrimPrefix(p.addresses.Ingest, "http://")
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	w := &slowWebhook{conn: conn, reader: bufio.NewReader(conn), body: `{"eventType":"order-accepted"}`}
	_, err = fmt.Fprintf(conn, "POST /webhooks/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		source.Name, address, source.Secrets[0].Reveal(), len(w.body))
	require.NoError(t, err)
	line, err := w.reader.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue")
	_, err = w.reader.ReadString('\n')
	require.NoError(t, err)
	return w
}

// finish sends the body and gives the status of the answer.
func (w *slowWebhook) finish(t *testing.T) int {
	t.Helper()
	_, err := w.conn.Write([]byte(w.body))
	require.NoError(t, err)
	response, err := http.ReadResponse(w.reader, nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}
