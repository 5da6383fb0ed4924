package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tmaxmax/go-sse"
)

// events reads the server-sent events of a path for as long as there are any, and ends with
// an error that is [passing] where the server does. Begun is called once the server has agreed.
func (a *apiClient) events(ctx context.Context, path string, query url.Values, begun func() error, each func(sse.Event) error) error {
	patient := *a.http
	patient.Timeout = 0
	response, err := a.do(ctx, &patient, http.MethodGet, path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it has no end
	if err := begun(); err != nil {
		return err
	}
	for event, err := range sse.Read(response.Body, &sse.ReadConfig{MaxEventSize: maxRead}) {
		if err != nil {
			return fmt.Errorf("%w: %w", errCutOff, err)
		}
		if err := each(event); err != nil {
			return err
		}
	}
	return errCutOff
}
