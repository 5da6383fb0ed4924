package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

const (
	// patience bounds every wait for something that must come, on any machine.
	patience = 90 * time.Second
	// pollEvery is how often a condition is looked at again.
	pollEvery = 20 * time.Millisecond
)

// sources makes the sources that every program of a test is started with, and
// gives them with their file.
func sources(t *testing.T) (made []config.Source, file string) {
	t.Helper()
	folder := t.TempDir()
	made, err := config.MakeSources(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, config.KeepSources(folder, made))
	return made, config.SourcesFile(folder)
}

// program is a real ticketrail serve in a process of its own.
type program struct {
	command     *exec.Cmd
	ingest, api string
	client      *http.Client
	logged      bytes.Buffer  // complete once ended is closed
	printed     bytes.Buffer  // likewise
	ended       chan struct{} // closed when the process is gone
	err         error         // of its end
}

// start starts a program on a data folder. It returns when webhooks are taken; or
// with an error that says why they are not, and then nothing runs.
func start(t *testing.T, binary, config, data string, environment ...string) (*program, error) {
	t.Helper()
	environment = append(environment, "TICKETRAIL_INGEST_LISTEN=127.0.0.1:0")
	return startCommand(t, binary, []string{"serve", "--config", config, "--data", data}, environment...)
}

// startCommand starts a program by a command that serves, and returns when it does.
func startCommand(t *testing.T, binary string, arguments []string, environment ...string) (*program, error) {
	t.Helper()
	p := &program{
		command: exec.Command(binary, append(arguments, "--log-format", "json", "--api-listen", "127.0.0.1:0")...),
		client:  &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
		ended:   make(chan struct{}),
	}
	p.command.Dir = "/"
	p.command.Env = append(p.command.Environ(), environment...)
	p.command.Stdout = &p.printed
	stderr, err := p.command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	t.Cleanup(p.kill)
	ready := make(chan struct{})
	go p.follow(stderr, ready)
	select {
	case <-ready:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("it ends instead of starting: %w: %s", p.err, lastLine(p.logged.String()))
	case <-time.After(patience):
		p.kill()
		return nil, errors.New("it does not start")
	}
}

// follow keeps the log to its end, and tells when webhooks are taken, or the stream is followed.
func (p *program) follow(stderr io.Reader, ready chan struct{}) {
	defer close(p.ended)
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		p.logged.WriteString(line)
		var said struct{ Msg, Ingest, API string }
		if json.Unmarshal([]byte(line), &said) == nil && (said.Msg == "taking webhooks" || said.Msg == "following the stream") {
			p.ingest, p.api = said.Ingest, said.API
			close(ready)
		}
		if err != nil {
			p.err = p.command.Wait()
			return
		}
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// kill ends the process as kill -9 does, and waits until it is gone.
func (p *program) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
	p.client.CloseIdleConnections()
}

// stop ends the process as an operator does.
func (p *program) stop() error {
	p.client.CloseIdleConnections()
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		p.kill()
		return errors.New("it does not stop")
	}
}

// get asks the API and decodes its answer.
func (p *program) get(ctx context.Context, path string, answer any) error {
	return p.ask(ctx, http.MethodGet, path, "", answer)
}

func (p *program) ask(ctx context.Context, method, path, body string, answer any) error {
	text, status, err := p.raw(ctx, method, path, body)
	switch {
	case err != nil:
		return err
	case status/100 != 2:
		return fmt.Errorf("%s answers %d: %s", path, status, text)
	}
	return json.Unmarshal(text, answer)
}

func (p *program) raw(ctx context.Context, method, path, body string) (text []byte, status int, err error) {
	request, err := http.NewRequestWithContext(ctx, method, p.api+path, strings.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(response.Body)
	return text, response.StatusCode, err
}

// ready gives what ingest answers to who asks whether it takes webhooks; 0 for nothing in time.
func (p *program) ready() int {
	ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.ingest+"/readyz", http.NoBody)
	if err != nil {
		return 0
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close() // only its status is of interest
	return response.StatusCode
}

// await polls until a condition holds, or for so long; it tells whether it held.
func await(limit time.Duration, condition func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			return condition()
		case <-poll.C:
		}
	}
	return true
}
