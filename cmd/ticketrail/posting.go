package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
)

// sendTimeout bounds the wait for one answer. An ingest answers within its own
// limits, which are shorter.
const sendTimeout = 30 * time.Second

// maxRate is more webhooks a second than anybody posts.
const maxRate = 1e6

// posting are the flags of a command that plays the provider.
type posting struct {
	URL    string  `name:"url" help:"Base URL of the ingest, in place of the configured one." placeholder:"URL"`
	Secret string  `help:"Secret to sign with, in place of the configured one." placeholder:"SECRET"`
	Rate   float64 `help:"Post at most this many webhooks a second; 0: as fast as they are answered." placeholder:"R"`
}

// Validate refuses what cannot be posted to.
func (c *posting) Validate() error {
	if c.URL != "" && !isHTTP(c.URL) {
		return errors.New("--url: write http://HOST:PORT")
	}
	if !(c.Rate >= 0 && c.Rate <= maxRate) { // not a number is neither
		return fmt.Errorf("--rate: %v is not from 0 to %.0f", c.Rate, maxRate)
	}
	return nil
}

// isHTTP tells whether a text is the address of something on the web.
func isHTTP(address string) bool {
	to, err := url.Parse(address)
	return err == nil && to.Host != "" && (to.Scheme == "http" || to.Scheme == "https")
}

// pace gives what lets the postings through.
func (c *posting) pace() *rate.Limiter {
	if c.Rate > 0 {
		return rate.NewLimiter(rate.Limit(c.Rate), 1)
	}
	return rate.NewLimiter(rate.Inf, 1)
}

// outcome is what became of one posting, as --json prints it.
type outcome struct {
	WebhookID      *string `json:"webhook_id"` // null: the provider sends none
	Status         int     `json:"status"`     // 0: there was no answer
	StreamSequence *uint64 `json:"stream_sequence"`
	Duplicate      bool    `json:"duplicate"`
	Problem        string  `json:"problem,omitempty"`
	Detail         string  `json:"detail,omitempty"`
}

func outcomeOf(webhookID string, answer sender.Answer) outcome {
	o := outcome{Status: answer.Status, Duplicate: answer.Duplicate, Problem: answer.Problem, Detail: answer.Detail}
	if webhookID != "" {
		o.WebhookID = &webhookID
	}
	if answer.OK() {
		o.StreamSequence = &answer.StreamSequence
	}
	return o
}

// answered says what the ingest said.
func answered(answer sender.Answer) string {
	switch {
	case !answer.OK() && answer.Detail != "":
		return fmt.Sprintf("%d %s: %s", answer.Status, answer.Problem, answer.Detail)
	case !answer.OK():
		return fmt.Sprintf("%d %s", answer.Status, answer.Problem)
	case answer.Duplicate:
		return fmt.Sprintf("200, stream sequence %d, duplicate", answer.StreamSequence)
	}
	return fmt.Sprintf("200, stream sequence %d", answer.StreamSequence)
}

// refusals tells how many postings were not answered with 200, and whether one of
// them for its signature.
type refusals struct {
	count       int
	unauthentic bool
}

func (r *refusals) add(answer sender.Answer) {
	if !answer.OK() {
		r.count++
		r.unauthentic = r.unauthentic || answer.Status == http.StatusUnauthorized
	}
}

// asError is the error of so many postings to a source of which some were refused.
func (r refusals) asError(posted int, source string) error {
	hint := ""
	if r.unauthentic {
		hint = "sign with a secret that the source " + source + " has where it runs: give it with --secret, or configure it here"
	}
	if r.count == 0 {
		return nil
	}
	return failf(hint, "%d of %d webhooks were not answered with 200", r.count, posted)
}

// unanswered is the error of a posting that nobody answered.
func unanswered(err error) error {
	return &failure{err: err, hint: "see whether it runs: ticketrail serve"}
}

// stopped is the error of postings that were interrupted.
func stopped(ctx context.Context, after, of int) error {
	return fmt.Errorf("stopped after %d of %d webhooks: %w", after, of, context.Cause(ctx))
}

// sourceNamed finds a source among the configured ones, or among those that a start
// without configuration made.
func sourceNamed(c *config.Config, name string) (*config.Source, error) {
	sources, err := knownSources(c)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, source := range sources {
		if names = append(names, source.Name); source.Name == name {
			return &source, nil
		}
	}
	return nil, usagef("choose one of "+strings.Join(names, ", "), "there is no source %q", name)
}

// sourceOf finds the source of that name, or the first of a provider where none is named.
func sourceOf(c *config.Config, name, providerName string) (*config.Source, error) {
	if name != "" {
		found, err := sourceNamed(c, name)
		if err == nil && found.Adapter().Name() != providerName {
			err = usagef("leave out --source, or name one of "+providerName, "the source %s is one of %s", name, found.Adapter().Name())
		}
		return found, err
	}
	sources, err := knownSources(c)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(sources, func(s config.Source) bool { return s.Adapter().Name() == providerName })
	if i < 0 {
		return nil, failf("configure one", "no source is one of %s", providerName)
	}
	return &sources[i], nil
}

func (c *posting) senderTo(p *program, loaded *config.Config, source *config.Source) (*sender.Sender, error) {
	certificate := loaded.Ingest.Certificate
	if c.URL != "" {
		certificate = "" // that is another ingest, with a certificate of its own
	}
	transport, err := trusting(certificate, loaded.Ingest.CA)
	if err != nil {
		return nil, err
	}
	to := &sender.Sender{
		Client:   &http.Client{Timeout: sendTimeout, Transport: transport, CheckRedirect: goNowhereElse},
		URL:      strings.TrimRight(c.URL, "/"),
		Provider: source.Adapter(),
		Secret:   c.Secret,
	}
	if to.URL == "" {
		if to.URL, err = ingestURL(loaded, p.namesFolder("ingest.listen")); err != nil {
			return nil, err
		}
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

// ingestURL is where the program that holds the data folder takes webhooks, or where the
// configuration says: never where another one does, which would get a secret.
func ingestURL(c *config.Config, named bool) (string, error) {
	running, err := holder(c, named)
	switch {
	case err != nil:
		return "", failf("start it: ticketrail serve", "%w", err)
	case running != nil:
		return running.Ingest, nil
	}
	return configuredIngest(c), nil
}

// configuredIngest is where the configuration says that webhooks are taken.
func configuredIngest(c *config.Config) string {
	return scheme(c.Ingest.Certificate) + reachable(c.Ingest.Listen)
}
