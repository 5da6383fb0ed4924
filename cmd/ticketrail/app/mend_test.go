package app_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// said is a log that can be read while it is written.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(line)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// broken starts a program and has its broker fail to write, until it cannot be started again
// either. It gives how the reason for that is taken away.
func broken(t *testing.T) (p *program, log *said, mend func()) {
	t.Helper()
	c, o, log := settings(t), options(), &said{}
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	p = run(t, c, o)
	p.ordatic("order-accepted", "1")
	blocks := filepath.Join(app.StreamFolder(c.Data), "jetstream", "$G", "streams", eventlog.WebhooksStream, "msgs")
	require.NoError(t, os.Rename(blocks, blocks+"-aside"))
	require.NoError(t, os.WriteFile(blocks, nil, 0o600)) // so that no next block can be made
	large := fmt.Appendf(nil, `{"eventType":"order-accepted","storeId":"s","text":%q}`, strings.Repeat("x", 3<<20))
	require.Eventually(t, func() bool {
		return p.sends(large) == http.StatusServiceUnavailable && strings.Contains(log.String(), "the embedded broker cannot write")
	}, patience, 5*time.Millisecond)
	log.awaits(t, "the embedded broker cannot be started again yet")
	return p, log, func() {
		require.NoError(t, os.Remove(blocks))
		require.NoError(t, os.Rename(blocks+"-aside", blocks))
	}
}

// sends sends a webhook of Ordatic, and gives the status of the answer.
func (p *program) sends(body []byte) int {
	p.t.Helper()
	answer, err := p.sender("ordatic").Send(p.t.Context(), "", body)
	require.NoError(p.t, err)
	return answer.Status
}

// A broker that failed to write is started again as soon as that can work, and not before,
// without anybody's doing: meanwhile webhooks are refused, and orders are read. Then all
// parts go on, and the log says why they did not, and that all is well again.
func TestABrokenBrokerIsStartedAgain(t *testing.T) {
	t.Parallel()
	p, log, mend := broken(t)
	require.Equal(t, http.StatusServiceUnavailable, p.sends([]byte(`{}`)))
	require.Equal(t, domain.StateAccepted, p.state("1"))
	mend()
	log.awaits(t, "the embedded broker was started again")

	inKitchen := []byte(`{"eventType":"order-in-kitchen","storeId":"s","data":{"orderId":"1"}}`)
	require.Eventually(t, func() bool { return p.sends(inKitchen) == http.StatusOK }, patience, 5*time.Millisecond)
	p.caughtUp()
	require.Equal(t, domain.StateInKitchen, p.state("1"))
	require.Equal(t, http.StatusBadRequest, p.sends([]byte(`not JSON`)))
	var discarded api.QuarantineEntry
	p.change(http.MethodPost, "/v1/quarantine/r-1/discard", api.DiscardRequest{Reason: "a test"}, &discarded)
	require.NotNil(t, discarded.Decision)
}

// A program whose broker cannot be started again ends as any other.
func TestAStopDoesNotWaitForABrokenBroker(t *testing.T) {
	t.Parallel()
	p, _, _ := broken(t)
	p.stop()
}

// awaits waits until something is in the log.
func (s *said) awaits(t *testing.T, what string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(s.String(), what) }, patience, 5*time.Millisecond, what)
}
