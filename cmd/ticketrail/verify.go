package main

import (
	"context"
	"errors"

	"github.com/ticketrail/ticketrail/api"
)

// verifyCommand rebuilds into a scratch file up to the checkpoint of the read model
// in use, compares every row of every table, and changes nothing.
type verifyCommand struct {
	settings
	APIListen string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	JSON      bool   `name:"json" help:"Print the result as JSON."`
}

// Run compares and tells. Its error says that the read model is not what the
// stream makes of it, or that this could not be found out.
func (c *verifyCommand) Run(ctx context.Context, p *program) (err error) {
	client, err := p.connect(ctx, c.settings, openParts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	w := &rebuildWatch{program: p, client: client, json: c.JSON, quiet: c.JSON, accept: "ticketrail rebuild --accept"}
	ended, err := w.follow(ctx, api.RebuildRequest{Plan: true})
	if err != nil {
		return err
	}
	return w.tell(ended)
}
