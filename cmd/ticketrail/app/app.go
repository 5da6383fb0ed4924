package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// App is a running program.
type App struct {
	config  *config.Config
	logger  *slog.Logger
	metrics *prometheus.Registry

	log       *eventlog.Log
	readModel *sqlite.DB
	projector *projector.Projector

	sources     []config.Source
	sourcesMade bool
	addresses   Addresses

	stopping atomic.Bool
	steps    steps
	failed   chan error
}

// ReadModelFile is the path of the read model in a data folder.
func ReadModelFile(data string) string { return filepath.Join(data, "read-model", "orders.sqlite") }

// StreamFolder is the folder of the embedded server in a data folder.
func StreamFolder(data string) string { return filepath.Join(data, "stream") }

// Start starts everything, and returns when webhooks are taken; the projector may
// still be looking at the stream then. Where it fails, nothing is left running. ctx
// bounds the start alone.
func Start(ctx context.Context, c *config.Config, version string, logger *slog.Logger) (*App, error) {
	a := &App{
		config:    c,
		logger:    logger,
		metrics:   prometheus.NewRegistry(),
		sources:   c.Sources,
		addresses: Addresses{PID: os.Getpid(), Version: version},
		failed:    make(chan error, 1),
	}
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, part := range []func(context.Context) error{
		a.openFolder, a.openStream, a.openReadModel, a.startProjector, a.startIngest, a.startAPI, a.announce,
	} {
		if err := part(ctx); err != nil {
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

// Sources gives the sources with their secrets, and tells whether the secrets
// were made by this very start.
func (a *App) Sources() (sources []config.Source, made bool) { return a.sources, a.sourcesMade }

func (a *App) openFolder(context.Context) error {
	lock, err := eventlog.LockFolder(a.config.Data)
	if err != nil {
		return err
	}
	a.steps.push("unlock the data folder", limitFolder, closing(lock.Close))
	if len(a.sources) == 0 {
		a.sources, a.sourcesMade, err = config.MakeSources(a.config.Data, rand.Reader)
	}
	return err
}

func (a *App) openReadModel(ctx context.Context) (err error) {
	if a.readModel, err = sqlite.Open(ctx, ReadModelFile(a.config.Data)); err != nil {
		return err
	}
	a.steps.push("close the read model", limitStore, closing(a.readModel.Close))
	return nil
}

// startProjector runs the projector beside everything else. That it stops is
// told and ends nothing.
func (a *App) startProjector(context.Context) error {
	a.projector = projector.New(a.log, a.readModel, projector.Config{Logger: a.logger, Registerer: a.metrics})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.projector.Run(ctx); err != nil {
			a.logger.Error("the projector stopped; webhooks are still taken", "error", err, "hint", a.projector.Status().Hint)
		}
	}()
	a.steps.push("stop the projector", limitProjector, func(context.Context) error {
		cancel()
		<-done
		return nil
	})
	return nil
}

// announce writes down where the program is, once it is all there.
func (a *App) announce(context.Context) error {
	a.addresses.Durability = a.log.Durability()
	for _, source := range a.sources {
		a.addresses.Sources = append(a.addresses.Sources, SourceAddress{
			Name: source.Name, Provider: source.Provider, URL: a.addresses.Ingest + "/webhooks/" + source.Name,
		})
	}
	if err := a.addresses.publish(a.config.Data); err != nil {
		return fmt.Errorf("publish the addresses: %w", err)
	}
	a.steps.push("withdraw the addresses", limitFolder, closing(func() error { return withdrawAddresses(a.config.Data) }))
	return nil
}

// listen serves HTTP at an address and gives the URL that it is reached at.
func (a *App) listen(name string, server *http.Server, limit time.Duration) (url string, err error) {
	listener, err := net.Listen("tcp", server.Addr)
	if err != nil {
		return "", &ListenError{Key: name + ".listen", Address: server.Addr, Err: err}
	}
	server.ErrorLog = slog.NewLogLogger(a.logger.Handler(), slog.LevelDebug)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.fail(fmt.Errorf("%s: %w", name, err))
		}
	}()
	a.steps.push("finish the requests of "+name, limit, func(ctx context.Context) error {
		defer func() { <-served }()
		return shutDown(ctx, server)
	})
	return "http://" + listener.Addr().String(), nil
}

// shutDown lets the requests in flight finish, and cuts those that take too long.
func shutDown(ctx context.Context, server *http.Server) error {
	deadline, _ := ctx.Deadline()
	patience, cancel := context.WithDeadline(ctx, deadline.Add(-cutEarly))
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		return errors.Join(fmt.Errorf("cut requests that went on: %w", err), server.Close())
	}
	return nil
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
	return fmt.Sprintf("choose another address with %s, or end the program that listens on %s", config.Variable(e.Key), e.Address)
}
