package main_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tmux is a terminal of 80 columns and 24 lines, on a server of its own.
type tmux struct {
	t      *testing.T
	socket string
}

func newTmux(t *testing.T) tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("there is no tmux to look into: make test installs it")
	}
	m := tmux{t, filepath.Join(t.TempDir(), "tmux")}
	m.do("new-session", "-d", "-x", "80", "-y", "24", "sh")
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", m.socket, "kill-server").Run() })
	return m
}

func (m tmux) do(arguments ...string) string {
	m.t.Helper()
	output, err := exec.CommandContext(m.t.Context(), "tmux", append([]string{"-S", m.socket, "-f", "/dev/null"}, arguments...)...).CombinedOutput()
	require.NoError(m.t, err, "%s", output)
	return string(output)
}

// shows waits until all of the texts are on the screen, with escapes where they are asked for.
func (m tmux) shows(texts ...string) string {
	m.t.Helper()
	screen, err := until(func() (string, error) {
		screen := m.do("capture-pane", "-p", "-e")
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return screen, errors.New("it does not show " + text)
			}
		}
		return screen, nil
	})
	require.NoError(m.t, err, screen)
	return screen
}

// followed waits until so many follow the program's changes.
func (p *process) followed(t *testing.T, followers int) {
	t.Helper()
	want := fmt.Sprintf("\nticketrail_changes_followers %d\n", followers)
	_, err := until(func() (struct{}, error) {
		response, err := http.Get(p.addresses.API + "/metrics")
		if err != nil {
			return struct{}{}, err
		}
		text, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err == nil && !strings.Contains(string(text), want) {
			err = errors.New("there are not " + want)
		}
		return struct{}{}, err
	})
	require.NoError(t, err)
}

// What happens is seen at once in a terminal that is filled, since the feed tells of it. All that
// matters fits into 80 columns and 24 lines, no line is broken whatever the width, and the
// terminal is as it was when it ends.
func TestTopFillsATerminal(t *testing.T) {
	t.Parallel()
	m := newTmux(t)
	p := start(t, filepath.Join(t.TempDir(), "data"))
	p.run(t, "trigger", "ordatic", "order-accepted", "--order", "store-7:first")
	m.do("send-keys", fmt.Sprintf("echo before; %s orders top --every 100ms --data %s", binary, p.data), "Enter")
	m.shows("stream sequence 1", "lag 0", "quarantined 0", "accepted   1        1", "Latest changes", "store-7:first", "\x1b[1m")
	p.followed(t, 1)

	p.run(t, "trigger", "ordatic", "order-accepted", "--count", "30")
	p.run(t, "trigger", "ordatic", "rider-error", "--order", "store-7:a-key-that-is-longer-than-its-column")
	screen := m.shows("stream sequence 32", "Somebody should look at", "store-7:a-key-that-…   placed", "rider-error", "Latest changes")
	require.Equal(t, 2, strings.Count(screen, "rider-error"), "as a trouble, and as a change:\n%s", screen)

	m.do("resize-window", "-x", "40", "-y", "12")
	m.shows("…", "Somebody should look at")
	m.do("resize-window", "-x", "120", "-y", "30")
	m.shows("store-7:a-key-that-is-longer-than-its-column")

	m.do("send-keys", "C-c", "")
	m.do("send-keys", "echo the end $?", "Enter")
	require.Contains(t, m.shows("the end 0", "before"), "before")
	p.followed(t, 0)

	// Without marks where they are not wanted, and not at all where there is no terminal.
	m.do("send-keys", fmt.Sprintf("clear; NO_COLOR=1 %s orders top --data %s", binary, p.data), "Enter")
	require.NotContains(t, m.shows("Latest changes"), "\x1b[1m")
	output, err := exec.CommandContext(t.Context(), binary, "orders", "top", "--data", p.data).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "ticketrail: error: stdout is no terminal\nhint: elsewhere: ticketrail orders list")

	// Who watches a restart is told, and does not have to begin again.
	p.stop(t)
	m.shows("connection refused")
	p = start(t, p.data)
	m.shows(p.addresses.API, "stream sequence 32")
	p.followed(t, 1)
	p.stop(t)
}
