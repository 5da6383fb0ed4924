package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// endless is an API whose one rebuild goes on until it is canceled.
type endless struct {
	comparing bool
	canceled  atomic.Bool
}

func (e *endless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	told := api.Rebuild{
		ID: 7, State: domain.RebuildBuilding, StreamSequence: 250_000, Target: 1_000_000, Progress: 0.25,
		RatePerSecond: 50_000, ETASeconds: new(15.0), StartedAt: domain.InstantOf(time.Unix(1_700_000_000, 0)),
	}
	if e.comparing {
		told.State, told.StreamSequence, told.Progress, told.ETASeconds = domain.RebuildComparing, told.Target, 1, nil
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/rebuilds":
		w.WriteHeader(http.StatusAccepted)
	case "POST /v1/rebuilds/7/cancel":
		e.canceled.Store(true)
		told.State, told.ETASeconds = domain.RebuildCanceled, nil
	case "GET /healthz", "GET /v1/rebuilds/7":
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	_ = json.NewEncoder(w).Encode(told) // who does not read has gone
}

// rebuildOn gives a command that rebuilds at an API, and ends with the test.
func rebuildOn(t *testing.T, api http.Handler, arguments ...string) *exec.Cmd {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	arguments = append([]string{"rebuild", "--data", t.TempDir(), "--api-listen", strings.TrimPrefix(server.URL, "http://")}, arguments...)
	return exec.CommandContext(t.Context(), binary, arguments...)
}

// interrupt sends a Ctrl-C and requires that the rebuild is canceled and that the
// command says so.
func (e *endless) interrupt(t *testing.T, command *exec.Cmd) {
	t.Helper()
	require.NoError(t, command.Process.Signal(syscall.SIGINT))
	require.Error(t, command.Wait())
	require.Equal(t, 1, command.ProcessState.ExitCode())
	require.True(t, e.canceled.Load())
}

// A program gets a line of JSON a second, and Ctrl-C cancels the rebuild.
func TestRebuildProgressInJSON(t *testing.T) {
	t.Parallel()
	e := &endless{}
	command := rebuildOn(t, e, "--json")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	lines := bufio.NewScanner(stdout)
	for range 2 {
		require.True(t, lines.Scan())
		var told api.Rebuild
		require.NoError(t, json.Unmarshal(lines.Bytes(), &told))
		require.Equal(t, 0.25, told.Progress)
	}
	e.interrupt(t, command)
	require.Equal(t, "ticketrail: error: rebuild 7 was canceled; nothing was changed\n", stderr.String())
}

// A person sees one line that is drawn anew: a bar, how far, how fast, how long; and
// of a comparison, which nobody can say that of, that it goes on.
func TestRebuildProgressOnATerminal(t *testing.T) {
	t.Parallel()
	for comparing, want := range map[bool]string{
		false: "building  " + strings.Repeat("█", 7) + strings.Repeat("░", 23) + "  25 %  250000 of 1000000  50000/s  ETA 15s",
		true:  "comparing every row of every table, at stream sequence 1000000",
	} {
		e := &endless{comparing: comparing}
		command := rebuildOn(t, e)
		ours, theirs := terminal(t)
		command.Stderr = theirs
		require.NoError(t, command.Start())
		reader := bufio.NewReader(ours)
		for range 2 {
			line, err := reader.ReadString('K') // the last of what clears the rest of the line
			require.NoError(t, err)
			require.Equal(t, "\r"+want+"\x1b[K", line)
		}
		e.interrupt(t, command)
	}
}

// wavering is an API whose answers do not all come through while a rebuild goes on.
type wavering struct{ looks atomic.Int32 }

func (a *wavering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	told := api.Rebuild{ID: 7, State: domain.RebuildBuilding}
	if r.Method == http.MethodGet && r.URL.Path == "/v1/rebuilds/7" {
		switch look := a.looks.Add(1); look {
		case 1, 2, 3:
			w.WriteHeader([]int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}[look-1])
			return
		case 4:
			w.Header().Set("Content-Length", "1000") // which do not come
		case 5:
			panic(http.ErrAbortHandler)
		default:
			told.State = domain.RebuildSwitched
		}
	}
	_ = json.NewEncoder(w).Encode(told) // who does not read has gone
}

// A proxy that answers in the place of the server, and an answer that is cut off, do
// not end the following of a rebuild.
func TestRebuildIsFollowedThroughAnswersThatDoNotCome(t *testing.T) {
	t.Parallel()
	a := &wavering{}
	output, err := rebuildOn(t, a).CombinedOutput()
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "rebuild 7 is in use")
	require.EqualValues(t, 6, a.looks.Load())
}

// terminal gives both ends of a pseudo-terminal.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ours.Close()) })
	require.NoError(t, unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetUint32(int(ours.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	theirs, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, theirs.Close()) })
	return ours, theirs
}
