// Package sender plays the provider: it signs webhooks as a provider would and
// posts them to an ingest.
package sender

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// maxAnswer is more than any answer of an ingest takes, in bytes.
const maxAnswer = 64 << 10

// Sender posts webhooks of one source. It is safe for concurrent use.
type Sender struct {
	// Client must bound the time of a request by itself or by the context.
	Client *http.Client
	// URL is the source's address: http://host:port/webhooks/name.
	URL      string
	Provider provider.Provider
	Secret   string
	// Event is what the webhooks are of, as name or token, for a provider that has that
	// beside the body.
	Event string
}

// Answer is what the ingest said to one webhook.
type Answer struct {
	// Status is the HTTP status; only 200 means that the webhook is stored.
	Status int
	// StreamSequence and Duplicate come with a 200.
	StreamSequence uint64
	Duplicate      bool
	// Problem is the title of a refusal and Detail what it says more; both are empty
	// with a 200.
	Problem, Detail string
}

// OK tells whether the webhook is stored.
func (a Answer) OK() bool { return a.Status == http.StatusOK }

// Send signs a webhook at the present time and posts it. The id is that of the
// delivery, for providers that send one beside the body: a retransmission has
// the id of the first. The error says that there was no answer.
func (s *Sender) Send(ctx context.Context, id string, body []byte) (Answer, error) {
	request, err := s.Request(ctx, id, body)
	if err != nil {
		return Answer{}, err
	}
	response, err := s.Client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("post to %s: %w", withoutQuery(s.URL), cause(err))
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return Answer{}, fmt.Errorf("read the answer of %s: %w", withoutQuery(s.URL), err)
	}
	return read(response.StatusCode, text), nil
}

// WebhookID gives the id that the provider's webhook bears when it is sent with
// this id: that one, one of the body's own, or none.
func (s *Sender) WebhookID(id string, body []byte) string {
	identity, err := s.Provider.Identify(s.sign(id, body))
	if err != nil {
		return "" // it is no webhook, and is sent all the same
	}
	return identity.WebhookID
}

func (s *Sender) sign(id string, body []byte) *provider.Request {
	signed := &provider.Request{
		Header: map[string][]string{"Content-Type": {"application/json"}},
		Query:  map[string][]string{},
		Body:   body,
		At:     time.Now(),
	}
	s.Provider.Sign(signed, s.Secret, id)
	if mapped, ok := s.Provider.(*provider.Mapped); ok {
		mapped.SetEvent(signed, s.Event)
	}
	return signed
}

// Request gives what Send posts, signed at the present time.
func (s *Sender) Request(ctx context.Context, id string, body []byte) (*http.Request, error) {
	signed := s.sign(id, body)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("address of the ingest: %w", cause(err))
	}
	request.Header = signed.Header
	query := request.URL.Query()
	for name, values := range signed.Query {
		query[name] = values
	}
	request.URL.RawQuery = query.Encode()
	return request, nil
}

// read takes an answer as it is: what is no answer of an ingest has a status too.
func read(status int, text []byte) Answer {
	answer := Answer{Status: status}
	var said struct {
		StreamSequence uint64 `json:"stream_sequence"`
		Duplicate      bool   `json:"duplicate"`
		Title          string `json:"title"`
		Detail         string `json:"detail"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		said.Title = "the answer is not JSON"
	}
	if answer.OK() {
		answer.StreamSequence, answer.Duplicate = said.StreamSequence, said.Duplicate
		return answer
	}
	answer.Problem, answer.Detail = said.Title, said.Detail
	return answer
}

// cause drops the URL from an error of net/http: a token may be in its query.
func cause(err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		return inner.Err
	}
	return err
}

func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	u.RawQuery, u.User = "", nil
	return u.String()
}
