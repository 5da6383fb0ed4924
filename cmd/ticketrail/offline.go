package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// openOffline answers from the data folder itself, under its lock, with the very
// handler that a server would answer with.
func openOffline(ctx context.Context, c *config.Config, nobodyAt string) (*apiClient, error) {
	if !hasReadModel(c.Data) {
		return nil, failf("start it: ticketrail serve", "nothing answers at %s, and %s holds no read model", nobodyAt, c.Data)
	}
	lock, err := eventlog.LockFolder(c.Data)
	if err != nil {
		return nil, fmt.Errorf("nothing answers at %s: %w", nobodyAt, err)
	}
	model, err := openReadModel(ctx, c.Data)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	sources, err := knownSources(c)
	if err != nil {
		sources = nil // they give currencies, and without them nothing is amiss
	}
	handler := api.New(model, noStream{}, api.Config{Sources: app.APISources(sources), Version: readVersions(ctx).Version})
	return &apiClient{
		base:  "http://localhost",
		http:  &http.Client{Transport: inProcess{handler}, Timeout: readTimeout},
		close: func() error { return errors.Join(model.Close(), lock.Close()) },
	}, nil
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
	answer := &answer{status: http.StatusOK, header: http.Header{}}
	t.handler.ServeHTTP(answer, request)
	return &http.Response{
		StatusCode:    answer.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        answer.header,
		Body:          io.NopCloser(&answer.body),
		ContentLength: int64(answer.body.Len()),
		Request:       r,
	}, nil
}

// answer keeps what a handler writes.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header            { return a.header }
func (a *answer) WriteHeader(status int)         { a.status = status }
func (a *answer) Write(text []byte) (int, error) { return a.body.Write(text) }
