package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
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

// Validate refuses what cannot be sent on to.
func (c *listenCommand) Validate() error {
	if c.ForwardTo != "" && !isHTTP(c.ForwardTo) {
		return errors.New("--forward-to: write http://HOST:PORT/PATH")
	}
	return nil
}

// Run listens until ctx ends.
func (c *listenCommand) Run(ctx context.Context, p *program) (err error) {
	client, err := p.connect(ctx, c.settings, serverOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	var on *forwarder
	if c.ForwardTo != "" {
		on = newForwarder(client, c.ForwardTo, c.AllowPublic)
	}
	query := set(set(url.Values{}, "source", c.Source), "verdict", c.Verdict)
	begun := func() { fmt.Fprintf(p.stderr, "listening to %s; end with Ctrl-C\n", client.base) }
	err = client.events(ctx, "/v1/arrivals", query, begun, func(e sse.Event) error { return c.hear(ctx, p, on, e) })
	switch {
	case ctx.Err() != nil:
		return nil // who listens has heard enough
	case errors.Is(err, errCutOff):
		return failf("start it again: ticketrail serve", "the server has ended, or let go of who was too slow: %w", err)
	}
	return err
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

// hear prints one event.
func (c *listenCommand) hear(ctx context.Context, p *program, on *forwarder, e sse.Event) error {
	if e.Type == "unheard" {
		var unheard api.Unheard
		if err := understand([]byte(e.Data), &unheard); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.stderr, "%s came faster than they were read, and are not shown\n", counted(unheard.Unheard, "more request"))
		return err
	}
	if e.Type != "arrival" {
		return nil // a comment
	}
	var h heard
	if err := understand([]byte(e.Data), &h.Arrival); err != nil {
		return err
	}
	if on != nil && h.Verdict == domain.VerdictAccepted && h.StreamSequence != nil {
		h.Forwarded = on.forward(ctx, *h.StreamSequence)
	}
	if c.JSON {
		return printJSONLine(p.stdout, h)
	}
	_, err := fmt.Fprintln(p.stdout, printable(arrivalLine(&h)))
	return err
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
	took := time.Duration(h.TookSeconds * float64(time.Second))
	line += "  " + took.Round(10*time.Microsecond).String()
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
