package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/ingest"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/rebuild"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// App is a running program.
type App struct {
	config      *config.Config
	logger      *slog.Logger
	metrics     *prometheus.Registry
	connections *prometheus.GaugeVec

	broker     *eventlog.Embedded // nil where it is external
	log        *eventlog.Log
	archive    *archive.Archive // as checkFiles found it; nil beside an external broker
	segment    int64            // see Options
	keeper     *archive.Keeper  // nil where no archive is kept
	stored     *archive.Stored  // nil where the archive has no store
	history    History
	projection Projection
	folder     *sqlite.Folder
	readModel  *sqlite.Model
	completeAt uint64 // see api.Config
	// startedOver says why this start began the read model anew; empty where it did not.
	startedOver string
	projector   *projector.Projector
	rebuilder   *rebuild.Rebuilder
	pulse       *api.Pulse
	feed        *api.Feed // nil without listeners
	watcher     *api.Watcher
	receiver    *ingest.Handler  // nil where nothing is received
	alerts      api.Alerts       // nil where changes are not published either
	tracer      trace.Tracer     // nil where nothing is traced
	spans       sdk.SpanExporter // see Options
	asked       atomic.Uint64    // requests of the API
	arrivals    api.Arrivals

	sources     []config.Source
	sourcesMade bool
	addresses   Addresses

	parts     Parts
	from      func(ctx context.Context, path string) error // see Options
	listening bool                                         // others may ask, and not only who opened the folder
	stopping  atomic.Bool
	steps     steps
	failed    chan error
}

// StreamFolder is the folder of the embedded server in a data folder.
func StreamFolder(data string) string { return filepath.Join(data, "stream") }

// Options are what a program is started with beside its configuration.
type Options struct {
	// Parts are those that run here; all of them where there are none.
	Parts Parts
	// From puts a copy of another read model into a file, for a folder that has none to begin
	// with. Nil: that is made from the beginning of the stream.
	From func(ctx context.Context, path string) error
	// Version is the program's, for those who ask.
	Version string
	Logger  *slog.Logger
	// Projection is how webhooks are projected.
	Projection Projection
	// SegmentSize is when a segment of the archive is full, in bytes; the archive's own
	// default where it is 0.
	SegmentSize int64
	// Spans takes the traces in place of the collector that is configured.
	Spans sdk.SpanExporter
}

// Projection is a way to project webhooks. The zero value is the program's own;
// another one tries out a change of the rules.
type Projection struct {
	// Version is projector.Version where it is 0.
	Version int
	// Providers are those of the configuration where they are nil.
	Providers []provider.Provider
}

// Start starts the parts, and returns when their listeners answer; the projector may
// still be looking at the stream then. Where it fails, nothing is left running. ctx
// bounds the start alone.
func Start(ctx context.Context, c *config.Config, o Options) (*App, error) {
	a := newApp(c, o)
	a.listening = true
	var mine []func(*App, context.Context) error
	for _, step := range starting {
		if a.parts&step.of != 0 {
			mine = append(mine, step.start)
		}
	}
	return a.start(ctx, mine...)
}

// Open starts all but the listeners, for a command that works on a data folder
// which no program serves: what the API would answer, its [App.API] answers. A
// read model of older rules is left as it is.
func Open(ctx context.Context, c *config.Config, o Options) (*App, error) {
	return newApp(c, o).start(ctx, (*App).lockFolder, (*App).checkFiles, (*App).openStream, (*App).openHistory, (*App).startArchive,
		(*App).openReadModel, (*App).startProjector)
}

func newApp(c *config.Config, o Options) *App {
	a := &App{
		config:     c,
		logger:     o.Logger,
		metrics:    newMetrics(o.Version, foldersOf(c)),
		projection: o.Projection,
		sources:    c.Sources,
		spans:      o.Spans,
		parts:      cmp.Or(o.Parts, All),
		from:       o.From,
		segment:    o.SegmentSize,
		addresses:  Addresses{PID: os.Getpid(), Version: o.Version},
		failed:     make(chan error, 1),
	}
	a.projection.Version = cmp.Or(a.projection.Version, projector.Version)
	if a.projection.Providers == nil {
		a.projection.Providers = c.Providers()
	}
	a.connections = newConnections(a.metrics)
	return a
}

func (a *App) start(ctx context.Context, parts ...func(*App, context.Context) error) (*App, error) {
	for _, part := range parts {
		if err := part(a, ctx); err != nil {
			return nil, errors.Join(err, a.Stop())
		}
	}
	return a, nil
}

// Stop stops everything, in [StopLimit] at the latest. Its error names the steps
// that failed. A second call does nothing.
func (a *App) Stop() error {
	a.stopping.Store(true)
	return a.steps.stop()
}

// Failed gives the error of a part without which the program cannot go on.
func (a *App) Failed() <-chan error { return a.failed }

// Addresses tells where the program can be reached.
func (a *App) Addresses() Addresses { return a.addresses }

// Reads tells whether there is a read model here, to be asked about orders.
func (a *App) Reads() bool { return a.parts.has(Reads) }

// Sources gives the sources with their secrets, and tells whether the secrets
// were made by this very start.
func (a *App) Sources() (sources []config.Source, made bool) { return a.sources, a.sourcesMade }

func (a *App) lockFolder(context.Context) error {
	lock, err := eventlog.LockFolder(a.config.Data)
	if err != nil {
		return err
	}
	a.steps.push("unlock the data folder", limitFolder, closing(lock.Close))
	return nil
}

// makeSources makes sources where none are configured and none were kept before.
func (a *App) makeSources(context.Context) (err error) {
	if len(a.sources) > 0 {
		return nil
	}
	a.sources, err = config.KeptSources(a.config.Data)
	if errors.Is(err, fs.ErrNotExist) {
		a.sourcesMade = true
		a.sources, err = config.MakeSources(rand.Reader)
	}
	return err
}

// keepSources keeps the sources that were made. It comes when all else has
// succeeded: the secrets are shown by the very start that keeps them, and one that
// fails leaves none that nobody has seen.
func (a *App) keepSources(context.Context) error {
	if !a.sourcesMade {
		return nil
	}
	return config.KeepSources(a.config.Data, a.sources)
}

// announce writes down where the program is, once it is all there.
func (a *App) announce(context.Context) error {
	a.addresses.Durability = string(a.log.Durability())
	for _, source := range a.sources {
		if !a.parts.has(Ingest) {
			break // nobody posts to this process
		}
		a.addresses.Sources = append(a.addresses.Sources, SourceAddress{
			Name: source.Name, Provider: source.Adapter().Name(), URL: a.addresses.Ingest + "/webhooks/" + source.Name,
		})
	}
	if err := a.addresses.publish(a.config.Data); err != nil {
		return fmt.Errorf("publish the addresses: %w", err)
	}
	a.steps.push("withdraw the addresses", limitFolder, closing(func() error { return withdrawAddresses(a.config.Data) }))
	return nil
}

// listen serves HTTP at an address, over TLS where there is a certificate, and gives
// the URL that it is reached at.
func (a *App) listen(name string, server *http.Server, pair keyPair, limit time.Duration) (url string, err error) {
	scheme, serve := "http://", server.Serve
	if pair.certificate != "" {
		scheme, serve = "https://", func(l net.Listener) error { return server.ServeTLS(l, "", "") }
		if err := a.encrypt(name, server, pair); err != nil {
			return "", err
		}
	}
	listener, err := net.Listen("tcp", server.Addr)
	if err != nil {
		return "", &ListenError{Key: name + ".listen", Address: server.Addr, Err: err}
	}
	server.ErrorLog = slog.NewLogLogger(a.logger.Handler(), slog.LevelDebug)
	server.ConnState = counting(a.connections.WithLabelValues(name))
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.fail(fmt.Errorf("%s: %w", name, err))
		}
	}()
	a.steps.push("finish the requests of "+name, limit, func(ctx context.Context) error {
		defer func() { <-served }()
		return a.shutDown(ctx, name, server)
	})
	return scheme + listener.Addr().String(), nil
}

// shutDown lets the requests in flight finish, and cuts those that take too long.
// A cut is no failure: who was cut was answered nothing, and asks again.
func (a *App) shutDown(ctx context.Context, name string, server *http.Server) error {
	deadline, _ := ctx.Deadline()
	patience, cancel := context.WithDeadline(ctx, deadline.Add(-cutEarly))
	defer cancel()
	err := server.Shutdown(patience)
	if errors.Is(err, context.DeadlineExceeded) {
		a.logger.Info("cut connections that went on", "listener", name)
		err = server.Close()
	}
	return err
}

// cutEarly leaves time to cut the connections before the step's own limit.
const cutEarly = 500 * time.Millisecond

// fail keeps the first failure.
func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default:
	}
}

// ListenError is an address that cannot be listened on.
type ListenError struct {
	// Key is the configuration's key, such as "ingest.listen".
	Key, Address string
	Err          error
}

func (e *ListenError) Error() string { return fmt.Sprintf("%s: %v", e.Key, e.Err) }

// Unwrap gives the operating system's error.
func (e *ListenError) Unwrap() error { return e.Err }

// Hint gives the mend.
func (e *ListenError) Hint() string {
	return fmt.Sprintf("choose another address with %s or %s, or end the program that listens on %s",
		config.FlagName(e.Key), config.Variable(e.Key), e.Address)
}
