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

// A broker that failed to write is started again as soon as that can work, and not before,
// without anybody's doing: meanwhile webhooks are refused, and reads go on. The log says
// why, and when all is well again.
func TestABrokenBrokerIsStartedAgain(t *testing.T) {
	t.Parallel()
	c, o, log := settings(t), options(), &said{}
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	p := run(t, c, o)
	p.ordatic("order-accepted", "1")

	blocks := filepath.Join(app.StreamFolder(c.Data), "jetstream", "$G", "streams", eventlog.WebhooksStream, "msgs")
	require.NoError(t, os.Rename(blocks, blocks+"-aside"))
	require.NoError(t, os.WriteFile(blocks, nil, 0o600)) // so that no next block can be made
	large := fmt.Appendf(nil, `{"eventType":"order-accepted","storeId":"s","text":%q}`, strings.Repeat("x", 3<<20))
	require.Eventually(t, func() bool {
		answer, err := p.sender("ordatic").Send(t.Context(), "", large)
		require.NoError(t, err)
		return answer.Status == http.StatusServiceUnavailable
	}, patience, 5*time.Millisecond)
	log.awaits(t, "the embedded broker cannot write", "the embedded broker cannot be started again yet")
	answer, err := p.sender("ordatic").Send(t.Context(), "", []byte(`{}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, answer.Status)
	require.Equal(t, domain.StateAccepted, p.state("1"))

	require.NoError(t, os.Remove(blocks))
	require.NoError(t, os.Rename(blocks+"-aside", blocks))
	log.awaits(t, "the embedded broker was started again")
	p.ordatic("order-in-kitchen", "1")
	require.Equal(t, domain.StateInKitchen, p.state("1"))
	p.caughtUp()
	p.stop()
}

// awaits waits until all of these lines are in the log.
func (s *said) awaits(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		require.Eventually(t, func() bool { return strings.Contains(s.String(), line) }, patience, 5*time.Millisecond, line)
	}
}
