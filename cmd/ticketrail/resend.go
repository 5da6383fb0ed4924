package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
)

// resendCommand posts stored webhooks once more, as their provider would if it were asked to.
type resendCommand struct {
	settings
	posting
	APIListen string   `name:"api-listen" help:"Address of the API, which gives the stored webhooks." placeholder:"HOST:PORT" setting:"api.listen"`
	To        string   `help:"Post to this very address, in place of the ingest." placeholder:"URL"`
	Sequences []uint64 `arg:"" name:"stream-sequence" help:"Stream sequences of the webhooks."`
	JSON      bool     `name:"json" help:"Print one JSON object for each webhook."`
}

// Validate refuses what cannot be posted to.
func (c *resendCommand) Validate() error {
	switch {
	case c.To != "" && !isHTTP(c.To):
		return errors.New("--to: write http://HOST:PORT/PATH")
	case c.To != "" && c.URL != "":
		return errors.New("--to: --url says already where to")
	}
	return c.posting.Validate()
}

// Run posts one after the other. Its error says how many were not taken.
func (c *resendCommand) Run(ctx context.Context, p *program) (err error) {
	loaded, err := p.load(c.settings)
	if err != nil {
		return err
	}
	client, err := connect(ctx, loaded, p.namesFolder("api.listen"), openQuarantine)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	pace, refused, source := c.pace(), refusals{}, ""
	for i, sequence := range c.Sequences {
		if pace.Wait(ctx) != nil {
			return stopped(ctx, i, len(c.Sequences))
		}
		stored, body, err := storedWebhook(ctx, client, sequence)
		if err != nil {
			return fmt.Errorf("webhook %d: %w", sequence, err)
		}
		answer, err := c.resend(ctx, p, loaded, stored, body)
		if err != nil {
			return err
		}
		if !c.taken(answer) {
			source = stored.Source
			refused.add(answer)
		}
	}
	return refused.asError(len(c.Sequences), source)
}

// taken tells whether a webhook was taken: another program may say so by any 2xx.
func (c *resendCommand) taken(answer sender.Answer) bool {
	return answer.OK() || c.To != "" && answer.Status/100 == 2
}

// resend posts one webhook, under the id that it had, and tells what was answered.
func (c *resendCommand) resend(ctx context.Context, p *program, loaded *config.Config, stored *api.Webhook, body []byte) (answer sender.Answer, err error) {
	source, err := sourceNamed(loaded, stored.Source)
	if err != nil {
		return answer, err
	}
	to, err := c.senderTo(p, loaded, source)
	if err != nil {
		return answer, err
	}
	if c.To != "" {
		to.URL, to.Client = c.To, &http.Client{Timeout: sendTimeout, CheckRedirect: goNowhereElse}
	}
	id := orEmpty(stored.WebhookID)
	to.Event = stored.Event
	if answer, err = to.Send(ctx, id, body); err != nil {
		return answer, &failure{err: err, hint: "see whether anything listens there"}
	}
	if c.JSON {
		return answer, printJSONLine(p.stdout, struct {
			Webhook uint64 `json:"webhook"`
			outcome
		}{stored.StreamSequence, outcomeOf(to.WebhookID(id, body), answer)})
	}
	said := answered(answer)
	if c.To != "" {
		said = fmt.Sprint(answer.Status, " ", http.StatusText(answer.Status))
	}
	_, err = fmt.Fprintf(p.stdout, "%d (%s %s) → %s\n", stored.StreamSequence, stored.Source, printable(stored.Event), printable(said))
	return answer, err
}
