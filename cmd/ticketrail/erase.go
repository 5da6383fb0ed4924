package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ticketrail/ticketrail/api"
)

// eraseCommand takes what is personal of an order out of everything that is kept: by the
// running server, or in the data folder where none runs.
type eraseCommand struct {
	settings
	agreement
	APIListen string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	Plan      bool   `help:"Tell what would be taken away, and change nothing."`
	Reason    string `help:"Why; it is recorded, and stays in the stream." placeholder:"TEXT"`
	JSON      bool   `name:"json" help:"Print the API's own JSON."`
	Source    string `arg:"" help:"Source of the order."`
	Key       string `arg:"" help:"Key of the order."`
}

// Validate refuses an erasure that nobody could account for.
func (c *eraseCommand) Validate() error {
	if !c.Plan && c.Reason == "" {
		return errors.New("--reason is missing: an erasure is recorded with it; --plan does without")
	}
	return nil
}

// Run tells what there is, asks, and erases.
func (c *eraseCommand) Run(ctx context.Context, p *program) (err error) {
	if !c.Plan {
		if err := c.possible(p); err != nil {
			return err
		}
	}
	client, err := p.connect(ctx, c.settings, openParts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	found, err := c.ask(ctx, client, true)
	if err != nil {
		return err
	}
	if !c.JSON {
		printErasure(p, found)
	}
	switch {
	case c.Plan:
		return c.tell(p, found)
	case !c.given(p, "Erase it? It cannot be undone."):
		return errors.New("nothing was changed")
	}
	if found, err = c.ask(ctx, client, false); err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(p.stdout, "\nerased: the order is %s, and takes no webhook any more. Backups that were made before, and what was set aside, still hold it.\n", found.Order.State)
	}
	return c.tell(p, found)
}

func (c *eraseCommand) ask(ctx context.Context, client *apiClient, plan bool) (*api.Erasure, error) {
	var found api.Erasure
	request := api.ErasureRequest{Plan: plan, Reason: c.Reason}
	return &found, client.change(ctx, http.MethodPost, api.PathOfOrder(c.Source, c.Key)+"/erase", request, &found)
}

// tell prints the end of it in JSON, where that was asked for.
func (c *eraseCommand) tell(p *program, found *api.Erasure) error {
	if !c.JSON {
		return nil
	}
	return printJSONLine(p.stdout, found)
}

func printErasure(p *program, e *api.Erasure) {
	if e.Order.ErasedAt != nil {
		fmt.Fprintf(p.stdout, "erased before, at %s; what is left since:\n", e.Order.ErasedAt)
	}
	fmt.Fprintf(p.stdout, "the bodies of %d webhooks, with %d proofs of delivery\n", len(e.Webhooks), e.Proofs)
	fmt.Fprintf(p.stdout, "%d rejected requests\n", e.RejectedRequests)
	fmt.Fprintf(p.stdout, "%d snapshots, and what %d rebuilds say of the order\n", e.Snapshots, e.Records)
	if e.Previous {
		fmt.Fprintln(p.stdout, "the previous read model, so that there is nothing to roll back to")
	}
}
