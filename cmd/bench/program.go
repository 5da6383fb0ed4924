package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/cmd/bench/load"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// program is ticketrail itself, serving on a data folder.
type program struct {
	*process
	binary, dir string
	ingest, api string // host:port
}

// serveTicketrail starts the program on a data folder. The settings are lines of its
// configuration beside those that every run has.
func serveTicketrail(ctx context.Context, binary, dir string, settings ...string) (*program, error) {
	if err := writeConfiguration(dir, settings); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, binary, "serve", "--config", configuration(dir), "--log-level", "error")
	p, err := start(command)
	if err != nil {
		return nil, err
	}
	served := &program{process: p, binary: binary, dir: dir}
	if _, err := p.line(); err != nil { // it speaks when it takes webhooks
		return nil, err
	}
	addresses, err := app.ReadAddresses(dir)
	if err != nil {
		return nil, errors.Join(err, served.stop())
	}
	served.ingest = strings.TrimPrefix(addresses.Ingest, "http://")
	served.api = strings.TrimPrefix(addresses.API, "http://")
	return served, nil
}

func configuration(dir string) string { return filepath.Join(dir, "bench.yaml") }

func writeConfiguration(dir string, settings []string) error {
	lines := append([]string{
		"data: " + dir,
		fmt.Sprintf("ingest: {listen: '127.0.0.1:0', max_in_flight: %d}", unlimited),
		"api: {listen: '127.0.0.1:0'}",
	}, settings...)
	lines = append(lines, "sources:")
	for _, p := range provider.All() {
		lines = append(lines, fmt.Sprintf("  - {name: %s, provider: %s, rate: %d, secrets: ['%s']}",
			p.Name(), p.Name(), unlimited, load.Secret(p)))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(configuration(dir), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// stop ends it as an operator does.
func (p *program) stop() error { return p.terminate() }

// verify has the program compare its read model with what the stream makes of it, row
// by row. It must have been stopped.
func (p *program) verify(ctx context.Context) error {
	command := exec.CommandContext(ctx, p.binary, "verify", "--config", configuration(p.dir))
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("ticketrail verify: %w\n%s", err, output)
	}
	return nil
}

// get asks the API.
func (p *program) get(ctx context.Context, path string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.api+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s was answered with %d", path, response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// projection is what the API tells of the read model.
type projection struct {
	Checkpoint uint64 `json:"checkpoint"`
	Counts     struct {
		Quarantined uint64 `json:"quarantined"`
		Sum         uint64 `json:"sum"`
	} `json:"counts"`
	Stream struct {
		Last uint64 `json:"last"`
	} `json:"stream"`
}

// caughtUp waits until the read model has every webhook of the stream, and checks that
// what became of them adds up.
func (p *program) caughtUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var at projection
		if err := p.get(ctx, "/v1/projection", &at); err != nil {
			return err
		}
		switch {
		case at.Counts.Sum != at.Checkpoint || at.Counts.Quarantined > 0:
			return fmt.Errorf("at %d the counts sum to %d, %d in quarantine", at.Checkpoint, at.Counts.Sum, at.Counts.Quarantined)
		case at.Checkpoint == at.Stream.Last:
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}
