package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// process is a real ticketrail serve, on free ports.
type process struct {
	command   *exec.Cmd
	addresses *app.Addresses
	data      string
	said      chan string   // the messages of the log, closed at its end
	heard     []string      // those that await has taken from said
	logged    *bytes.Buffer // the whole log, complete once said is closed
}

// start starts a program on a data folder and returns once it takes webhooks.
func start(t *testing.T, data string, more ...string) *process {
	t.Helper()
	arguments := append([]string{
		"serve", "--data", data, "--log-format", "json",
		"--ingest-listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0",
	}, more...)
	p := &process{command: exec.Command(binary, arguments...), data: data, said: make(chan string, 1000), logged: &bytes.Buffer{}}
	p.command.Dir = t.TempDir()
	stderr, err := p.command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	t.Cleanup(func() { _ = p.command.Process.Kill() })
	go p.readLog(stderr)
	p.await(t, "taking webhooks")
	p.addresses, err = app.ReadAddresses(data)
	require.NoError(t, err)
	return p
}

// readLog keeps the log and passes its messages on.
func (p *process) readLog(stderr io.Reader) {
	defer close(p.said)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		p.logged.WriteString(lines.Text() + "\n")
		var line struct{ Msg string }
		_ = json.Unmarshal(lines.Bytes(), &line) // what is no JSON says nothing
		select {
		case p.said <- line.Msg:
		default: // nobody waits, and the program must not
		}
	}
}

// await returns when the process has logged a message, lately or long ago.
func (p *process) await(t *testing.T, message string) {
	t.Helper()
	isIt := func(said string) bool { return strings.HasPrefix(said, message) }
	if slices.ContainsFunc(p.heard, isIt) {
		return
	}
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	for {
		select {
		case said, open := <-p.said:
			require.True(t, open, "it ended without saying %q: %s", message, p.logged)
			if p.heard = append(p.heard, said); isIt(said) {
				return
			}
		case <-deadline.C:
			require.FailNow(t, "it does not say "+message)
		}
	}
}

// ended waits until the log has ended, as it does with the process.
func (p *process) ended() {
	for range p.said {
	}
}

// stop asks the process to end, and requires that it does so well and in time.
func (p *process) stop(t *testing.T) {
	t.Helper()
	began := time.Now()
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	overdue := time.AfterFunc(app.StopLimit, func() { _ = p.command.Process.Kill() })
	defer overdue.Stop()
	p.ended()
	require.NoError(t, p.command.Wait(), "after %s: %s", time.Since(began), p.logged)
}

// kill ends the process as kill -9 does: it gets no chance to do anything.
func (p *process) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.command.Process.Kill())
	p.ended()
	require.Error(t, p.command.Wait())
}

// get asks the process's API.
func (p *process) get(t *testing.T, path string, answer any) {
	t.Helper()
	response, err := http.Get(p.addresses.API + path)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", path, text)
	require.NoError(t, json.Unmarshal(text, answer))
}

// caughtUp waits until the read model has all of the stream, and gives where it is.
func (p *process) caughtUp(t *testing.T) (projection api.Projection) {
	t.Helper()
	p.get(t, "/v1/projection", &projection)
	require.NotNil(t, projection.Stream)
	p.get(t, fmt.Sprintf("/v1/projection?min_stream_sequence=%d", projection.Stream.Last), &projection)
	require.Equal(t, projection.Checkpoint, projection.Counts.Sum)
	return projection
}

// run runs a command on the process's data folder and gives what it prints.
func (p *process) run(t *testing.T, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, binary, append(arguments, "--data", p.data)...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	require.NoError(t, err, "%s\n%s", output, &stderr)
	return string(output)
}

// sources gives the sources that the first start made.
func (p *process) sources(t *testing.T) []config.Source {
	t.Helper()
	sources, err := config.KeptSources(p.data)
	require.NoError(t, err)
	return sources
}
