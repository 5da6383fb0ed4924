package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/api/access"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// openOffline answers from the data folder itself, under its lock, with the very
// handler that a server would answer with.
func openOffline(ctx context.Context, c *config.Config, nobody string) (*apiClient, error) {
	if !hasReadModel(c.Data) {
		return nil, failf("start it: ticketrail serve", "%s, and %s holds no read model", nobody, c.Data)
	}
	lock, err := eventlog.LockFolder(c.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nobody, err)
	}
	model, err := openReadModel(ctx, c.Data)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	sources, err := knownSources(c)
	if err != nil {
		sources = nil // they give currencies, and without them nothing is amiss
	}
	handler := api.New(model, noStream{}, api.Config{
		Sources: app.APISources(sources), Limits: c.LimitsOf(sources), Version: readVersions(ctx).Version, Audit: access.NewAudit(c.Data),
	})
	return inThisProcess(c, handler, func() error { return errors.Join(model.Close(), lock.Close()) }), nil
}

// openParts answers from the data folder itself as openOffline does, and can
// rebuild its read model: the stream is opened, and the projector runs.
func openParts(ctx context.Context, c *config.Config, nobody string) (*apiClient, error) {
	if !hasReadModel(c.Data) {
		return nil, failf("start it: ticketrail serve", "%s, and %s holds no read model", nobody, c.Data)
	}
	parts, err := app.Open(ctx, c, app.Options{Version: readVersions(ctx).Version, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nobody, err)
	}
	return inThisProcess(c, parts.API(), parts.Stop), nil
}

func inThisProcess(c *config.Config, handler http.Handler, closer func() error) *apiClient {
	return &apiClient{
		base:    "http://localhost",
		token:   c.API.Token.Reveal(),
		http:    &http.Client{Transport: inProcess{handler}, Timeout: readTimeout},
		offline: true,
		close:   closer,
	}
}

// openReadModel opens the read model in use in a data folder that is locked.
func openReadModel(ctx context.Context, data string) (*sqlite.Model, error) {
	path, err := app.CurrentReadModel(data)
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return sqlite.NewModel(db), nil
}

// noStream stands for the stream while no broker runs.
type noStream struct{}

func (noStream) Webhook(context.Context, uint64) (*domain.Webhook, error) {
	return nil, eventlog.ErrUnavailable
}

func (noStream) Info(context.Context) (domain.StreamInfo, error) {
	return domain.StreamInfo{}, eventlog.ErrUnavailable
}

// inProcess is a transport that hands requests to a handler, without a network.
type inProcess struct{ handler http.Handler }

// RoundTrip gives the handler's answer.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	request := r.Clone(r.Context())
	request.RequestURI = r.URL.RequestURI()
	request.Host = r.URL.Host
	request.RemoteAddr = "127.0.0.1:0"
	if request.Body == nil {
		request.Body = http.NoBody
	}
	body, writer := io.Pipe()
	answer := &answer{header: http.Header{}, body: writer, status: make(chan int, 1)}
	go answer.by(t.handler, request)
	return &http.Response{
		StatusCode:    <-answer.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        answer.header.Clone(),
		Body:          body,
		ContentLength: -1, // nobody knows before the end
		Request:       r,
	}, nil
}

// answer hands on what a handler writes, piece by piece: it may be a file of any
// size.
type answer struct {
	header http.Header
	body   *io.PipeWriter
	status chan int
	begun  bool
}

// by has the handler answer. A handler panics where its reader has gone.
func (a *answer) by(handler http.Handler, r *http.Request) {
	defer func() {
		if recover() != nil {
			_ = a.body.CloseWithError(io.ErrUnexpectedEOF) // it always gives nil
		}
		a.WriteHeader(http.StatusInternalServerError) // if nothing was answered yet
	}()
	handler.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	_ = a.body.Close() // it always gives nil
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.begun {
		a.begun = true
		a.status <- status
	}
}

func (a *answer) Write(text []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(text)
}
