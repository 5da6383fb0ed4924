package app

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/api/access"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
	"github.com/ticketrail/ticketrail/ingest/quarantine"
)

// errStopping is why a program that was told to stop is not ready.
var errStopping = errors.New("it is stopping")

func (a *App) startIngest(context.Context) error {
	handler, err := ingest.New(gate{a.log, a}, ingest.Config{
		Sources:       a.ingestSources(),
		Tracer:        a.tracer,
		FollowSenders: a.config.Traces.FollowSenders,
		MaxBody:       int64(a.config.Ingest.MaxBody),
		MaxInFlight:   a.config.Ingest.MaxInFlight,
		Tell:          a.arrivals.Tell,
		Logger:        a.logger,
		Registerer:    a.metrics,
	})
	if err != nil {
		return err
	}
	a.receiver = handler
	a.addresses.Ingest, err = a.listen("ingest", ingest.Server(a.config.Ingest.Listen, handler),
		keyPair{a.config.Ingest.Certificate, a.config.Ingest.Key}, limitRequests)
	return err
}

// ingestSources gives the sources with their secrets.
func (a *App) ingestSources() []ingest.Source {
	sources := make([]ingest.Source, len(a.sources))
	for i, s := range a.sources {
		sources[i] = ingest.Source{Name: s.Name, Provider: s.Adapter(), Secrets: s.RevealSecrets(), Rate: s.Rate}
	}
	return sources
}

// secretsOf tells which secrets of a source are in use; of none where nothing is received.
func (a *App) secretsOf(source string) []api.SecretUse {
	uses := []api.SecretUse{}
	if a.receiver != nil {
		for _, use := range a.receiver.Secrets(source) {
			shown := api.SecretUse{Fingerprint: use.Fingerprint}
			if !use.LastMatched.IsZero() {
				at := domain.InstantOf(use.LastMatched)
				shown.LastMatchedAt = &at
			}
			uses = append(uses, shown)
		}
	}
	return uses
}

// gate is the stream as the receiver sees it: a program that stops is not ready.
type gate struct {
	*eventlog.Log
	app *App
}

func (g gate) Ready(ctx context.Context) error {
	if g.app.stopping.Load() {
		return errStopping
	}
	return g.Log.Ready(ctx)
}

func (a *App) startAPI(context.Context) error {
	guarded := a.config.API.Token != "" || access.Exists(a.config.Data)
	if err := api.CheckListen(a.config.API.Listen, guarded); err != nil {
		return err
	}
	url, err := a.listen("api", api.Server(a.config.API.Listen, a.API()), keyPair{a.config.API.Certificate, a.config.API.Key}, limitReads)
	a.addresses.API = url
	return err
}

// API gives the handler of the API. It must be asked for once. Without listeners it
// asks for no token: who can open the data folder can read it all.
func (a *App) API() http.Handler {
	settings := a.settings()
	if a.listening {
		settings.Token = a.config.API.Token.Reveal()
		settings.Tokens = access.NewTokens(a.config.Data)
	}
	if !a.parts.has(Reads) {
		return api.NewApart(settings)
	}
	return api.New(a.readModel, a.history, settings)
}

// settings are those of the API but for who may ask.
func (a *App) settings() api.Config {
	settings := api.Config{
		Sources:    APISources(a.sources),
		Secrets:    a.secretsOf,
		Audit:      access.NewAudit(a.config.Data),
		Version:    a.addresses.Version,
		Asked:      &a.asked,
		Problems:   receiverProblems(),
		Gatherer:   a.metrics,
		Registerer: a.metrics,
		Logger:     a.logger,
	}
	if a.listening && a.parts.has(Ingest) {
		settings.Arrivals = &a.arrivals
	}
	if a.parts.has(Reads) {
		a.readSettings(&settings)
	}
	if a.parts.has(Acts) {
		settings.Eraser = a.eraser()
	}
	return settings
}

// readSettings adds what the API has to know beside a read model.
func (a *App) readSettings(settings *api.Config) {
	rebuilds := rebuilds{a.rebuilder}
	settings.Limits = a.config.LimitsOf(a.sources)
	settings.Watcher = a.watcher
	settings.Projector = a.projectorHealth
	settings.CompleteAt = a.completeAt
	settings.Pulse = a.pulse
	settings.Feed = a.feed
	settings.Rebuilds, settings.Snapshots = rebuilds, rebuilds
	settings.LookBack = a.lookBack()
	setAside := quarantine.New(a.history, a.readModel, quarantine.Config{
		Sources: a.ingestSources(), Providers: a.projection.Providers,
	})
	settings.Quarantine = setAside
	if !a.parts.has(Acts) {
		settings.Quarantine = looked{setAside}
	}
}

// looked is the quarantine where another process decides about it.
type looked struct{ *quarantine.Quarantine }

// Retry is the other process's.
func (looked) Retry(context.Context, domain.QuarantineID, domain.Retry) (domain.Retried, error) {
	return domain.Retried{}, api.ErrElsewhere
}

// Discard is the other process's, too.
func (looked) Discard(context.Context, []domain.QuarantineMark, domain.Ruling) (int, error) {
	return 0, api.ErrElsewhere
}

// receiverProblems gives what the receiver's answers mean, for the API to explain: the
// public side explains nothing.
func receiverProblems() (problems []api.ProblemType) {
	for _, t := range ingest.ProblemTypes() {
		problems = append(problems, api.ProblemType(t))
	}
	return problems
}

// startPulse watches from outside whether the projector does its work. The first look
// is over before anybody can ask.
func (a *App) startPulse(ctx context.Context) error {
	a.pulse = api.NewPulse(a.readModel, a.history, nil, a.metrics)
	a.pulse.Look(ctx)
	a.steps.beside("stop watching", limitWatch, a.pulse.Run)
	return nil
}

// startWatcher watches for late orders and silent sources.
func (a *App) startWatcher(context.Context) error {
	settings := api.WatcherConfig{
		Limits: a.config.LimitsOf(a.sources), Pulse: a.pulse, Alerts: a.alerts, Logger: a.logger, Registerer: a.metrics,
	}
	for _, source := range a.sources {
		settings.Sources = append(settings.Sources, source.Name)
	}
	a.watcher = api.NewWatcher(a.readModel, settings)
	a.steps.beside("stop looking for late orders", limitWatch, a.watcher.Run)
	return nil
}

// APISources gives what the API has to know of the sources.
func APISources(sources []config.Source) []api.Source {
	known := make([]api.Source, len(sources))
	for i, s := range sources {
		known[i] = api.Source{Name: s.Name, Provider: s.Adapter().Name(), Currency: s.Currency, States: provider.StatesOf(s.Adapter())}
	}
	return known
}

// openStream connects to the broker and opens the stream. With the embedded
// server that includes asserting that an acknowledged webhook is synced.
func (a *App) openStream(ctx context.Context) error {
	if a.config.NATS.Embedded() {
		return a.openEmbedded(ctx)
	}
	var open []interface{ Close() }
	a.steps.push("close the connections to the broker", limitBroker, func(context.Context) error {
		for _, conn := range open {
			conn.Close()
		}
		return nil
	})
	servers := Servers(a.config)
	servers.Part = a.parts.String()
	conn, err := eventlog.Connect(servers, a.logger)
	if err != nil {
		return err
	}
	open = append(open, conn)
	settings := StreamConfig(a.config)
	settings.Looks = !a.parts.has(Acts)
	if settings.Reading, err = eventlog.Connect(servers, a.logger); err != nil {
		return err
	}
	open = append(open, settings.Reading)
	a.log, err = eventlog.Open(ctx, conn, settings)
	return err
}

// Servers gives the external servers that are configured.
func Servers(c *config.Config) eventlog.Servers {
	n := c.NATS
	return eventlog.Servers{URL: n.URL, Credentials: n.Credentials, CA: n.CA, Certificate: n.Certificate, Key: n.Key}
}

func (a *App) openEmbedded(ctx context.Context) error {
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{
		Dir: StreamFolder(a.config.Data), MaxBody: int64(a.config.Ingest.MaxBody),
		Sync: eventlog.Sync(a.config.Stream.Durability), Logger: a.logger,
	})
	if err != nil {
		return err
	}
	a.broker = server
	a.steps.push("stop the embedded broker", limitBroker, closing(server.Close))
	settings := StreamConfig(a.config)
	settings.Reading = server.Reading()
	a.log, err = eventlog.Open(ctx, server.Conn(), settings)
	return err
}

// StreamConfig gives the settings of the stream that a configuration asks for.
func StreamConfig(c *config.Config) eventlog.Config {
	settings := eventlog.Config{
		Replicas:        c.NATS.Replicas,
		MaxBytes:        int64(c.Stream.MaxBytes),
		MaxBody:         int64(c.Ingest.MaxBody),
		MaxAge:          time.Duration(c.Stream.MaxAge),
		DuplicateWindow: time.Duration(c.Stream.DuplicateWindow),
		Embedded:        c.NATS.Embedded(),
		KeptHeaders:     c.KeptHeaders(),
	}
	if c.Publishes() {
		settings.Beside = int64(c.Orders.MaxBytes)
	}
	if settings.Embedded {
		settings.Dir = StreamFolder(c.Data)
	}
	return settings
}
