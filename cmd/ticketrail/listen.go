package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/ingest"
)

// listenCommand shows what comes in, as the running server answers it.
type listenCommand struct {
	settings
	APIListen   string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	Source      string `help:"Only what comes to this source." placeholder:"NAME"`
	Verdict     string `help:"Only accepted, duplicate or refused ones, those refused with a code, such as credential-wrong, or those answered with an HTTP status." placeholder:"VERDICT"`
	ForwardTo   string `help:"Send each accepted webhook on to this address, and tell its answer." placeholder:"URL"`
	AllowPublic bool   `help:"Let --forward-to lead to an address that is neither loopback nor private."`
	JSON        bool   `name:"json" help:"Print one JSON object for each request."`
}

// Validate refuses what cannot be sent on to, and a verdict that there is not: nothing would
// ever be heard.
func (c *listenCommand) Validate() error {
	verdicts := []string{domain.VerdictAccepted, domain.VerdictDuplicate, "refused", strconv.Itoa(http.StatusOK)}
	for _, problem := range ingest.ProblemTypes() {
		verdicts = append(verdicts, problem.Code, strconv.Itoa(problem.Status))
	}
	if err := domain.Known("verdict", c.Verdict, verdicts); err != nil {
		return fmt.Errorf("--verdict: %w", err)
	}
	if c.ForwardTo != "" && !isHTTP(c.ForwardTo) {
		return errors.New("--forward-to: write http://HOST:PORT/PATH")
	}
	return nil
}

// Run listens until it is interrupted. It comes back by itself where the server ends.
func (c *listenCommand) Run(ctx context.Context, p *program) error {
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return err
	}
	l := &listening{program: p, listenCommand: c}
	if c.ForwardTo != "" {
		l.on = newForwarder(c.ForwardTo, c.AllowPublic)
	}
	query := set(set(url.Values{}, "source", c.Source), "verdict", c.Verdict)
	arrivals := &feed{path: "/v1/arrivals", query: func() url.Values { return query }, begun: l.begun, heard: l.heard, lost: p.tellLost}
	return arrivals.follow(ctx, p, loaded)
}

// serverOnly is for a command that has nothing to say where no server runs.
func serverOnly(_ context.Context, _ *config.Config, nobody string) (*apiClient, error) {
	return nil, failf("start it: ticketrail serve", "%s", nobody)
}

// heard is one arrival with what became of it elsewhere, as --json prints it.
type heard struct {
	api.Arrival
	Forwarded *forwarded `json:"forwarded,omitempty"`
}

// arrivalLine puts a request on one line: when, the verdict, where to, what, how large, how long.
func arrivalLine(h *heard) string {
	line := fmt.Sprintf("%s  %d %-18s  %-10s", h.ReceivedAt.Time().Local().Format("15:04:05.000"), h.Status, h.Verdict, orElse(h.Source, "-"))
	if h.Event != nil {
		line += fmt.Sprintf("  %-22s", *h.Event)
	}
	if h.StreamSequence != nil {
		line += fmt.Sprintf("  stream sequence %d", *h.StreamSequence)
	}
	if h.Size != nil {
		line += fmt.Sprintf("  %d B", *h.Size)
	}
	if h.TookSeconds > 0 { // nobody knows of one that was looked up
		took := time.Duration(h.TookSeconds * float64(time.Second))
		line += "  " + took.Round(10*time.Microsecond).String()
	}
	if h.Forwarded != nil {
		line += "  → " + h.Forwarded.text()
	}
	return line
}

// orElse gives a text, or another one where there is none.
func orElse(text *string, other string) string {
	if text == nil {
		return other
	}
	return *text
}
