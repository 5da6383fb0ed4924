package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/eventlog"
)

// serveCommand runs everything in one process until a signal comes.
type serveCommand struct {
	settings
	listeners
	logging
}

// listeners are the flags that say where a program listens and whom it talks to.
type listeners struct {
	IngestListen string `help:"Address that takes webhooks." placeholder:"HOST:PORT" setting:"ingest.listen"`
	APIListen    string `name:"api-listen" help:"Address of the API; another than loopback needs a token." placeholder:"HOST:PORT" setting:"api.listen"`
	broker
}

// logging are the flags of a command that logs, on stderr.
type logging struct {
	LogLevel  string `help:"Least level that is logged: ${enum}." enum:"debug,info,warn,error" default:"info" env:"TICKETRAIL_LOG_LEVEL"`
	LogFormat string `help:"Form of the log: ${enum}." enum:"text,json" default:"text" env:"TICKETRAIL_LOG_FORMAT"`
}

func (l logging) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.LogLevel)) // one of the enum
	options := &slog.HandlerOptions{Level: level}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// Run serves until ctx ends, and stops in bounded time.
func (c *serveCommand) Run(ctx context.Context, p *program) error {
	loaded, err := p.load(c.settings)
	if err != nil {
		return err
	}
	return p.serve(ctx, loaded, app.Options{Parts: app.All, Logger: c.logger(p.stderr)})
}

// serve runs parts of the program until ctx ends, and stops them in bounded time.
func (p *program) serve(ctx context.Context, loaded *config.Config, o app.Options) error {
	o.Version = readVersions(ctx).Version
	defer runtime.KeepAlive(app.LimitMemory(int64(loaded.Rebuild.Memory)))
	running, err := app.Start(ctx, loaded, o)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	printAddresses(p.stdout, running, loaded)
	if _, made := running.Sources(); made {
		fmt.Fprintf(p.stdout, "\nThese secrets are shown once. They are kept in %s.\n", config.SourcesFile(loaded.Data))
	}
	if at := running.Addresses(); at.Ingest != "" {
		o.Logger.Info("taking webhooks", "ingest", at.Ingest, "api", at.API)
	} else {
		o.Logger.Info("following the stream", "api", at.API)
	}
	select {
	case <-ctx.Done():
		o.Logger.Info("stopping", "at_most", app.StopLimit.String())
	case err = <-running.Failed():
	}
	if err := errors.Join(err, running.Stop()); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	o.Logger.Info("stopped")
	return nil
}

// printAddresses tells where everything is. It shows the secrets only to the
// start that made them.
func printAddresses(w io.Writer, running *app.App, c *config.Config) {
	at := running.Addresses()
	fmt.Fprintf(w, "ticketrail %s is running.\n\n", at.Version)
	places := newTable(w)
	if at.Ingest != "" {
		places.AppendRow([]any{"ingest", at.Ingest})
	}
	if running.Reads() {
		places.AppendRow([]any{"api", at.API})
		places.AppendRow([]any{"dashboard", at.API + "/"})
	} else {
		places.AppendRow([]any{"metrics", at.API + "/metrics"})
	}
	places.AppendRow([]any{"data", c.Data})
	places.AppendRow([]any{"broker", brokerName(c)})
	if at.Ingest == "" {
		places.Render()
		return
	}
	places.AppendRow([]any{"a 200 means", explained(eventlog.Durability(at.Durability))})
	places.Render()
	fmt.Fprintln(w)
	printSources(w, running, c)
}

// printSources tells where webhooks are posted to.
func printSources(w io.Writer, running *app.App, c *config.Config) {
	sources, made := running.Sources()
	table := newTable(w, "source", "provider", "post webhooks to", "secret")
	for i, source := range sources {
		secret := "in " + secretsPlace(c)
		if made {
			secret = source.Secrets[0].Reveal()
		}
		table.AppendRow([]any{source.Name, source.Adapter().Name(), running.Addresses().Sources[i].URL, secret})
	}
	table.Render()
}

func secretsPlace(c *config.Config) string {
	switch {
	case len(c.Sources) == 0:
		return config.SourcesFile(c.Data)
	case c.File != "":
		return c.File
	}
	return config.Variable("sources")
}

// explained gives what an answer of 200 means, with what has to be known of it.
func explained(d eventlog.Durability) string {
	if d.Note() == "" {
		return string(d)
	}
	return string(d) + ": " + d.Note()
}

// brokerName names the broker, without what its URL may hold of a password.
func brokerName(c *config.Config) string {
	if c.NATS.Embedded() {
		return "embedded"
	}
	return "NATS at " + app.Servers(c).String()
}
