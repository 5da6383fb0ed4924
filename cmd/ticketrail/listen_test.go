package main_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// An accepted webhook is sent on once, byte for byte with what the stream keeps of its
// headers, and what was answered is told; a duplicate and what is refused are not.
func TestListenForwardsWhatIsAccepted(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 10)
	bodies := make(chan string, 10)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r
		bodies <- string(body)
		w.WriteHeader(http.StatusTeapot)
	}))
	defer app.Close()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	listen := exec.CommandContext(t.Context(), binary, "listen", "--json", "--forward-to", app.URL+"/hook", "--data", p.data)
	said, err := listen.StderrPipe()
	require.NoError(t, err)
	told, err := listen.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, listen.Start())
	defer func() { _ = listen.Process.Kill() }()
	hello, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(hello, "listening to "), hello)

	p.run(t, "send", "../../testdata/webhooks/runa/order.completion-failed.json", "--source", "runa", "--repeat", "2", "--seed", "1")
	lines := bufio.NewScanner(told)
	for _, verdict := range []string{"accepted", "duplicate"} {
		require.True(t, lines.Scan())
		var line struct {
			Verdict   string
			Forwarded *struct{ Status int }
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		require.Equal(t, verdict, line.Verdict)
		if verdict == "accepted" {
			require.Equal(t, http.StatusTeapot, line.Forwarded.Status)
		} else {
			require.Nil(t, line.Forwarded)
		}
	}
	request := <-got
	require.Equal(t, "/hook", request.URL.Path)
	require.Equal(t, "application/json", request.Header.Get("Content-Type"))
	require.Equal(t, "order-completion", request.Header.Get("Ticketrail-Event"))
	require.Equal(t, "1", request.Header.Get("Ticketrail-Stream-Sequence"))
	require.True(t, strings.HasPrefix(request.Header.Get("Ticketrail-Webhook-Id"), "msg_"))
	require.Empty(t, request.Header.Get("Svix-Signature"))
	var stored struct{ Body string }
	p.get(t, "/v1/webhooks/1", &stored)
	require.Equal(t, stored.Body, <-bodies)
	require.Empty(t, got)

	require.NoError(t, listen.Process.Signal(syscall.SIGINT))
	require.NoError(t, listen.Wait())
	p.stop(t)
}

// Who listens over a restart hears of each accepted webhook once, also of those that came
// before it could listen again, and of no others than it asked for.
func TestListenComesBack(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	listen := exec.CommandContext(t.Context(), binary, "listen", "--json", "--source", "ordatic", "--data", p.data)
	said, err := listen.StderrPipe()
	require.NoError(t, err)
	told, err := listen.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, listen.Start())
	defer func() { _ = listen.Process.Kill() }()
	words, lines := bufio.NewScanner(said), bufio.NewScanner(told)
	says := func(text string) {
		require.True(t, words.Scan())
		require.Contains(t, words.Text(), text)
	}
	hears := func(sequence uint64) {
		require.True(t, lines.Scan())
		var line struct {
			Verdict        string
			Source         string
			StreamSequence uint64 `json:"stream_sequence"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		require.Equal(t, "accepted ordatic", line.Verdict+" "+line.Source)
		require.Equal(t, sequence, line.StreamSequence)
	}
	says("listening to " + p.addresses.API)
	p.run(t, "trigger", "ordatic", "order-accepted")
	hears(1)

	require.NoError(t, listen.Process.Signal(syscall.SIGSTOP)) // it cannot be back too soon
	p.stop(t)
	p = start(t, p.data)
	p.run(t, "trigger", "ordatic", "order-accepted", "--count", "3")
	p.run(t, "trigger", "ivy", "order_updated")
	require.NoError(t, listen.Process.Signal(syscall.SIGCONT))
	says("the feed has ended; it is opened again until it is back")
	says("listening to " + p.addresses.API)
	for _, sequence := range []uint64{2, 3, 4} {
		hears(sequence)
	}
	p.run(t, "trigger", "ordatic", "order-accepted")
	hears(6)
	require.NoError(t, listen.Process.Signal(syscall.SIGINT))
	require.NoError(t, listen.Wait())
	p.stop(t)
}

// What a stored webhook holds goes to the address that was named, and not where that leads on.
func TestResendIsNotLedOn(t *testing.T) {
	t.Parallel()
	elsewhere := make(chan *http.Request, 10)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere <- r }))
	defer other.Close()
	named := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer named.Close()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	p.run(t, "trigger", "ivy", "order_updated")
	said, err := exec.CommandContext(t.Context(), binary, "resend", "1", "--to", named.URL, "--data", p.data).Output()
	require.Error(t, err)
	require.Equal(t, "1 (ivy order_updated) → 307 Temporary Redirect\n", string(said))
	require.Empty(t, elsewhere)
	p.stop(t)
}
