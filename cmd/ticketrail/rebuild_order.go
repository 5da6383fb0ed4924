package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ticketrail/ticketrail/api"
)

// ordersRebuild has one order folded anew from its webhooks: by the running server,
// or in the data folder where none runs.
type ordersRebuild struct {
	settings
	agreement
	APIListen string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	Plan      bool   `help:"Compare, and replace nothing."`
	JSON      bool   `name:"json" help:"Print the API's own JSON."`
	Source    string `arg:"" help:"Source of the order."`
	Key       string `arg:"" help:"Key of the order."`
}

// Run compares, asks, and replaces. Its error says that the order differs from what
// its webhooks make and was left as it is, or that it could not be rebuilt.
func (c *ordersRebuild) Run(ctx context.Context, p *program) (err error) {
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
	found, err := c.rebuild(ctx, client, true)
	if err != nil {
		return err
	}
	if !c.JSON {
		printOrderRebuild(p, found)
	}
	switch {
	case !found.Differs:
		return c.tell(p, found)
	case c.Plan:
		return errors.Join(c.tell(p, found), failf("replace it: the same without --plan"+c.beforehand(p), "the order differs; nothing was changed"))
	case !c.given(p, "Replace it?"):
		return errors.New("nothing was changed")
	}
	if found, err = c.rebuild(ctx, client, false); err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(p.stdout, "\nreplaced: it is %s\n", found.Order.State)
	}
	return c.tell(p, found)
}

func (c *ordersRebuild) rebuild(ctx context.Context, client *apiClient, plan bool) (*api.OrderRebuild, error) {
	var found api.OrderRebuild
	request := api.OrderRebuildRequest{Plan: plan}
	return &found, client.change(ctx, http.MethodPost, api.PathOfOrder(c.Source, c.Key)+"/rebuild", request, &found)
}

// tell prints the end of it in JSON, where that was asked for.
func (c *ordersRebuild) tell(p *program, found *api.OrderRebuild) error {
	if !c.JSON {
		return nil
	}
	return printJSONLine(p.stdout, found)
}

func printOrderRebuild(p *program, r *api.OrderRebuild) {
	if !r.Differs {
		fmt.Fprintf(p.stdout, "nothing differs: it is %s, of %d webhooks\n", r.Order.State, r.Order.Version)
		return
	}
	printTables(p.stdout, r.Tables)
	if len(r.Fields) > 0 {
		fmt.Fprintln(p.stdout)
		printFields(p.stdout, r.Fields)
	}
}
