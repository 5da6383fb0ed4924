package main

import (
	"context"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// apart are the flags of a command that runs a part of the program, beside others that run
// elsewhere on the same stream.
type apart struct {
	settings
	APIListen string `name:"api-listen" help:"Private address, for the API or for metrics alone; another than loopback needs a token." placeholder:"HOST:PORT" setting:"api.listen"`
	broker
	logging
}

// broker are the flags that say which NATS servers hold the stream.
type broker struct {
	NATSURL     string `name:"nats-url" help:"NATS servers to use in place of the embedded one." placeholder:"URL" setting:"nats.url"`
	NATSContext string `name:"nats-context" help:"Context of the nats command line that says which they are." placeholder:"NAME" setting:"nats.context"`
}

// ingestCommand takes webhooks, and does no more.
type ingestCommand struct {
	apart
	IngestListen string `help:"Address that takes webhooks." placeholder:"HOST:PORT" setting:"ingest.listen"`
}

// Run takes webhooks until ctx ends.
func (c *ingestCommand) Run(ctx context.Context, p *program) error {
	loaded, err := p.load(c.settings)
	if err != nil {
		return err
	}
	return c.run(ctx, p, loaded, app.Options{Parts: app.Ingest, Logger: c.logger(p.stderr)})
}

// projectCommand is serve without ingest.
type projectCommand struct{ replica }

// Run projects until ctx ends.
func (c *projectCommand) Run(ctx context.Context, p *program) error {
	loaded, err := p.load(c.settings)
	if err != nil {
		return err
	}
	return c.replicate(ctx, p, loaded, app.Reads|app.Acts)
}

// apiCommand is a read replica.
type apiCommand struct{ replica }

// Run answers until ctx ends.
func (c *apiCommand) Run(ctx context.Context, p *program) error {
	loaded, err := p.loadToRead(c.settings) // it verifies nobody
	if err != nil {
		return err
	}
	return c.replicate(ctx, p, loaded, app.Reads)
}

// run runs parts of the program. What they all have to know alike must be configured: the
// sources that one of them made for itself would be its own.
func (c *apart) run(ctx context.Context, p *program, loaded *config.Config, o app.Options) error {
	switch {
	case loaded.NATS.Embedded():
		return usagef("set nats.url ("+config.Variable("nats.url")+" or --nats-url); or run all parts in one: ticketrail serve",
			"the parts share the stream of NATS servers, and nats.url is empty")
	case len(loaded.Sources) == 0:
		return usagef("list them in the configuration, the same for each part",
			"the parts share the sources, and none are configured")
	}
	return p.serve(ctx, loaded, o)
}
