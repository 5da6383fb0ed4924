package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
)

// sendCommand posts webhooks from files, signed as their provider signs them.
type sendCommand struct {
	settings
	plan
	posting
	Files  []string `arg:"" help:"Files of one raw body each; of a folder every *.json file below it; - is stdin." name:"file" placeholder:"FILE"`
	Source string   `help:"Source that they are sent to." required:"" placeholder:"NAME"`
	Event  string   `help:"Name of the event, for a provider that has it in a header." placeholder:"NAME"`
	JSON   bool     `name:"json" help:"Print one JSON object for each delivery."`
}

// sent is what became of one delivery, as --json prints it.
type sent struct {
	File string `json:"file"`
	outcome
}

// Validate refuses what cannot be posted.
func (c *sendCommand) Validate() error { return errors.Join(c.posting.Validate(), c.plan.Validate()) }

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
	deliveries, err := c.deliveries(files, p.readBody)
	if err != nil {
		return err
	}
	source, err := sourceNamed(loaded, c.Source)
	if err != nil {
		return err
	}
	to, err := c.senderTo(p, loaded, source)
	if err != nil {
		return err
	}
	to.Event = c.Event
	refused, err := c.post(ctx, p.stdout, to, deliveries)
	if err != nil {
		return err
	}
	return refused.asError(len(deliveries), c.Source)
}

func (c *sendCommand) post(ctx context.Context, w io.Writer, to *sender.Sender, deliveries []delivery) (refused refusals, err error) {
	pace := c.pace()
	for i, d := range deliveries {
		if pace.Wait(ctx) != nil {
			return refused, stopped(ctx, i, len(deliveries))
		}
		answer, err := to.Send(ctx, d.id, d.body)
		if err != nil {
			return refused, unanswered(err)
		}
		refused.add(answer)
		if err := c.print(w, to, d, answer); err != nil {
			return refused, err
		}
	}
	return refused, nil
}

func (c *sendCommand) print(w io.Writer, to *sender.Sender, d delivery, answer sender.Answer) error {
	if c.JSON {
		return printJSONLine(w, sent{d.file, outcomeOf(to.WebhookID(d.id, d.body), answer)})
	}
	_, err := fmt.Fprintln(w, printable(d.file+" → "+answered(answer)))
	return err
}
