package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// sendTimeout bounds the wait for one answer. An ingest answers within its own
// limits, which are shorter.
const sendTimeout = 30 * time.Second

// sendCommand posts webhooks from files, signed as their provider signs them.
type sendCommand struct {
	settings
	plan
	Files  []string `arg:"" help:"Files of one raw body each; of a folder every *.json file below it." name:"file" placeholder:"FILE"`
	Source string   `help:"Source that they are sent to." required:"" placeholder:"NAME"`
	URL    string   `name:"url" help:"Base URL of the ingest, in place of the configured one." placeholder:"URL"`
	Secret string   `help:"Secret to sign with, in place of the configured one." placeholder:"SECRET"`
	Rate   float64  `help:"Post at most this many webhooks a second; 0: as fast as they are answered." placeholder:"R"`
	JSON   bool     `name:"json" help:"Print one JSON object for each delivery."`
}

// sent is what became of one delivery, as --json prints it.
type sent struct {
	File           string  `json:"file"`
	WebhookID      *string `json:"webhook_id"` // null: the provider sends none
	Status         int     `json:"status"`     // 0: there was no answer
	StreamSequence *uint64 `json:"stream_sequence"`
	Duplicate      bool    `json:"duplicate"`
	Problem        string  `json:"problem,omitempty"`
	Detail         string  `json:"detail,omitempty"`
}

// Validate refuses what cannot be posted to.
func (c *sendCommand) Validate() error {
	to, err := url.Parse(c.URL)
	if c.URL != "" && (err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https") {
		return errors.New("--url: write http://HOST:PORT")
	}
	if !(c.Rate >= 0) { // not a number is neither
		return fmt.Errorf("--rate: %v is below zero", c.Rate)
	}
	return c.plan.Validate()
}

// Run posts the deliveries one after the other. Its error says how many were not
// answered with 200.
func (c *sendCommand) Run(ctx context.Context, p *program) error {
	loaded, err := p.load(c.settings)
	if err != nil {
		return err
	}
	files, err := webhookFiles(c.Files)
	if err != nil {
		return err
	}
	deliveries, err := c.deliveries(files)
	if err != nil {
		return err
	}
	to, err := c.sender(loaded)
	if err != nil {
		return err
	}
	refused, err := c.post(ctx, p.stdout, to, deliveries)
	if err != nil || refused.count == 0 {
		return err
	}
	hint := ""
	if refused.unauthentic {
		hint = "sign with a secret that the source " + c.Source + " has where it runs: give it with --secret, or configure it here"
	}
	return failf(hint, "%d of %d webhooks were not answered with 200", refused.count, len(deliveries))
}

// refusals tells how many deliveries were not answered with 200, and whether one of
// them for its signature.
type refusals struct {
	count       int
	unauthentic bool
}

func (r *refusals) add(answer sender.Answer) {
	r.count++
	r.unauthentic = r.unauthentic || answer.Status == http.StatusUnauthorized
}

func (c *sendCommand) post(ctx context.Context, w io.Writer, to *sender.Sender, deliveries []delivery) (refused refusals, err error) {
	pace := rate.NewLimiter(rate.Inf, 1)
	if c.Rate > 0 {
		pace.SetLimit(rate.Limit(c.Rate))
	}
	for i, d := range deliveries {
		if err := pace.Wait(ctx); err != nil {
			return refused, fmt.Errorf("stopped after %d of %d webhooks: %w", i, len(deliveries), context.Cause(ctx))
		}
		answer, err := to.Send(ctx, d.id, d.body)
		if err != nil {
			return refused, &failure{err: err, hint: "see whether it runs: ticketrail serve"}
		}
		if !answer.OK() {
			refused.add(answer)
		}
		if err := c.print(w, to, d, answer); err != nil {
			return refused, err
		}
	}
	return refused, nil
}

func (c *sendCommand) print(w io.Writer, to *sender.Sender, d delivery, answer sender.Answer) error {
	if c.JSON {
		record := sent{File: d.file, Status: answer.Status, Duplicate: answer.Duplicate, Problem: answer.Problem, Detail: answer.Detail}
		if id := to.WebhookID(d.id, d.body); id != "" {
			record.WebhookID = &id
		}
		if answer.OK() {
			record.StreamSequence = &answer.StreamSequence
		}
		return printJSONLine(w, record)
	}
	line := fmt.Sprintf("%s → %d", d.file, answer.Status)
	switch {
	case !answer.OK():
		line += " " + answer.Problem
		if answer.Detail != "" {
			line += ": " + answer.Detail
		}
	case answer.Duplicate:
		line += fmt.Sprintf(", stream sequence %d, duplicate", answer.StreamSequence)
	default:
		line += fmt.Sprintf(", stream sequence %d", answer.StreamSequence)
	}
	_, err := fmt.Fprintln(w, printable(line))
	return err
}

// sender finds the source among the configured ones, or among those that a start
// without configuration made.
func (c *sendCommand) sender(loaded *config.Config) (*sender.Sender, error) {
	sources, err := knownSources(loaded)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, source := range sources {
		if names = append(names, source.Name); source.Name == c.Source {
			return c.senderTo(loaded, &source)
		}
	}
	return nil, usagef("choose one of "+strings.Join(names, ", "), "there is no source %q", c.Source)
}

func (c *sendCommand) senderTo(loaded *config.Config, source *config.Source) (*sender.Sender, error) {
	certificate := loaded.Ingest.Certificate
	if c.URL != "" {
		certificate = "" // that is another ingest, with a certificate of its own
	}
	transport, err := trusting(certificate, loaded.Ingest.CA)
	if err != nil {
		return nil, err
	}
	adapter, _ := provider.Named(source.Provider) // config has checked that it exists
	to := &sender.Sender{
		Client:   &http.Client{Timeout: sendTimeout, Transport: transport},
		URL:      strings.TrimRight(c.URL, "/"),
		Provider: adapter,
		Secret:   c.Secret,
	}
	if to.URL == "" {
		to.URL = ingestURL(loaded)
	}
	to.URL += "/webhooks/" + source.Name
	if to.Secret == "" {
		to.Secret = source.Secrets[0].Reveal()
	}
	return to, nil
}

// knownSources gives the sources that a running program has: the configured
// ones, else the ones it made.
func knownSources(c *config.Config) ([]config.Source, error) {
	if len(c.Sources) > 0 {
		return c.Sources, nil
	}
	sources, err := config.KeptSources(c.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failf("name sources in "+config.DefaultFile+", or start ticketrail serve once: it makes four",
			"no source is configured, and the data folder %s holds none", c.Data)
	}
	return sources, err
}

// ingestURL is where the program that holds the data folder takes webhooks, or
// where it would.
func ingestURL(c *config.Config) string {
	if running, err := app.ReadAddresses(c.Data); err == nil {
		return running.Ingest
	}
	return scheme(c.Ingest.Certificate) + reachable(c.Ingest.Listen)
}
