package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/eventlog"
)

const (
	// readTimeout is longer than the API takes for any answer.
	readTimeout = 30 * time.Second
	// maxRead bounds an answer in bytes: a page of 200 orders is far below it.
	maxRead = 64 << 20
)

// apiClient reads the API: of the running program over HTTP, or, where none
// runs, of the data folder in this process.
type apiClient struct {
	base  string
	token string
	http  *http.Client
	// offline says that the API is in this process, and ends with it.
	offline bool
	close   func() error
}

// errCutOff marks an answer whose end did not come.
var errCutOff = errors.New("the answer of the api was cut off")

// refusedError is an answer of the API that is not a success.
type refusedError struct {
	status  int
	message string
}

func (e *refusedError) Error() string { return e.message }

// passing tells whether another try may do better: nothing answered, the answer was
// cut off, or what stands between here and the API answered in its place.
func passing(err error) bool {
	if refused, ok := errors.AsType[*refusedError](err); ok {
		return refused.status == http.StatusBadGateway || refused.status == http.StatusServiceUnavailable ||
			refused.status == http.StatusGatewayTimeout
	}
	_, unanswered := errors.AsType[*url.Error](err)
	return unanswered || errors.Is(err, errCutOff)
}

// offline opens what answers where no server runs; nobody says how that is known.
type offline func(ctx context.Context, c *config.Config, nobody string) (*apiClient, error)

// connect loads the configuration and finds its API, or opens what answers in its
// place. The caller closes it.
func (p *program) connect(ctx context.Context, from settings, open offline) (*apiClient, error) {
	loaded, err := p.load(from)
	if err != nil {
		return nil, err
	}
	return connect(ctx, loaded, p.namesFolder("api.listen"), open)
}

// namesFolder tells whether the command line says which folder is meant, and not where a
// server answers, by a key of the configuration.
func (p *program) namesFolder(answers string) bool {
	given := func(key string) bool {
		return slices.ContainsFunc(p.flags, func(f config.Flag) bool { return f.Key == key })
	}
	return given("data") && !given(answers)
}

// connect finds the API of a configuration, or opens what answers in its place. Where the
// data folder is named it is about that one, whoever else answers.
func connect(ctx context.Context, c *config.Config, named bool, open offline) (*apiClient, error) {
	running, err := holder(c, named)
	if err != nil {
		return open(ctx, c, err.Error())
	}
	base := scheme(c.API.Certificate) + reachable(c.API.Listen)
	if running != nil {
		base = running.API
	}
	transport, err := trusting(c.API.Certificate, c.API.CA)
	if err != nil {
		return nil, err
	}
	client := &apiClient{
		base:  base,
		token: c.API.Token.Reveal(),
		http:  &http.Client{Timeout: readTimeout, Transport: transport},
		close: func() error { return nil },
	}
	err = client.probe(ctx)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return open(ctx, c, "nothing answers at "+base)
	case err != nil:
		return nil, &failure{err: err, hint: "see whether it runs: ticketrail doctor"}
	}
	return client, nil
}

// holder gives the addresses of the program that holds the data folder. Where none does,
// the error says so; nil for both where the folder is nothing to go by, as on another machine
// or another user's: who answers where the configuration says may hold any folder.
func holder(c *config.Config, named bool) (*app.Addresses, error) {
	running, err := app.ReadAddresses(c.Data) // one that was killed has left them behind
	locked, unseen := eventlog.FolderIsLocked(c.Data)
	switch {
	case locked && err == nil:
		return running, nil
	case named, unseen == nil && (locked || hasReadModel(c.Data)):
		return nil, fmt.Errorf("no program runs on %s", c.Data)
	}
	return nil, nil
}

// reachable gives the address by which this machine reaches a listener: one that
// listens on every address is reached on loopback.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// probe tells whether anybody answers.
func (a *apiClient) probe(ctx context.Context) error {
	_, err := a.get(ctx, "/healthz", nil)
	return err
}

// get reads one answer. A refusal is an error with the API's own words.
func (a *apiClient) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	return a.ask(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
}

// change asks for a change, with a body in JSON or, where it is nil, without one,
// and reads the answer.
func (a *apiClient) change(ctx context.Context, method, path string, body, answer any) error {
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	text, err := a.ask(ctx, method, path, content)
	if err != nil {
		return err
	}
	return understand(text, answer)
}

// understand reads an answer of the API.
func understand(text []byte, answer any) error {
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("read the answer of the api: %w", err)
	}
	return nil
}

func (a *apiClient) ask(ctx context.Context, method, target string, body io.Reader) ([]byte, error) {
	response, err := a.do(ctx, a.http, method, target, body)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxRead))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("%w: %w", errCutOff, err)
	}
	return text, nil
}

// download copies a file of the API, which may take any time.
func (a *apiClient) download(ctx context.Context, path string, to io.Writer) error {
	patient := *a.http
	patient.Timeout = 0
	response, err := a.do(ctx, &patient, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("download from the api: %w", err)
	}
	return nil
}

// do gives an answer that is a success, with its body still to be read.
func (a *apiClient) do(ctx context.Context, client *http.Client, method, target string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.base+target, body)
	if err != nil {
		return nil, fmt.Errorf("address of the api: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the api: %w", err)
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxRead))
	return nil, errors.Join(err, response.Body.Close(), refusal(response.StatusCode, text))
}

// refusal is the error of an answer that is not a success.
func refusal(status int, text []byte) error {
	var problem api.Problem
	if json.Unmarshal(text, &problem) != nil || problem.Title == "" {
		problem.Title = http.StatusText(status)
	}
	message := fmt.Sprintf("the api answers %d: %s", status, problem.Title)
	if problem.Detail != "" && len(problem.Errors) == 0 {
		message += ": " + onCommandLine.Replace(problem.Detail)
	}
	for _, parameter := range problem.Errors {
		message += ": " + asFlag(parameter.Parameter) + ": " + parameter.Message
	}
	hint := onCommandLine.Replace(problem.Hint)
	switch status {
	case http.StatusUnauthorized:
		hint = "set api.token (" + config.Variable("api.token") + ") to a token of the server, as ticketrail token create makes them"
	case http.StatusForbidden:
		hint = "set api.token (" + config.Variable("api.token") + ") to a token with that scope"
	}
	return &failure{err: &refusedError{status, message}, hint: hint, usage: status == http.StatusBadRequest}
}

// asFlag gives what a parameter of the API comes from here: the flag --updated-since for
// query.updated_since, or for body.updated_since, and the argument <id> for path.id.
func asFlag(parameter string) string {
	place, name, _ := strings.Cut(parameter, ".")
	name = strings.ReplaceAll(name, "_", "-")
	switch place {
	case "query", "body":
		return "--" + name
	case "path":
		return "<" + name + ">"
	}
	return parameter
}

// hasReadModel tells whether a data folder holds a read model, without making one.
func hasReadModel(data string) bool {
	_, err := app.CurrentReadModel(data)
	return !errors.Is(err, fs.ErrNotExist)
}
