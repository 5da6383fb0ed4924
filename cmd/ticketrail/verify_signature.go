package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/ingest"
)

// verifySignatureCommand tells whether a request would be taken as its sender's.
type verifySignatureCommand struct {
	signing
	Header []string  `help:"Header of the request; may be repeated." sep:"none" placeholder:"'NAME: VALUE'"`
	Query  string    `help:"Query of the address that it was sent to: token=…" placeholder:"QUERY"`
	At     time.Time `help:"When it came, for signed timestamps: 2026-01-31T12:00:00Z; now where it is not given." placeholder:"TIME"`
	File   string    `arg:"" help:"File of the raw body; - is stdin." placeholder:"FILE"`
}

// verified is what is known of a request, as --json prints it.
type verified struct {
	Authentic bool   `json:"authentic"`
	Secret    int    `json:"secret,omitempty"` // which of the active ones fits, from 1
	Reason    string `json:"reason,omitempty"` // the code that ingest would answer with
	Part      string `json:"part,omitempty"`   // the header or parameter that is wrong
	Detail    string `json:"detail"`
}

// Run verifies and tells. Its error says that the request is not authentic.
func (c *verifySignatureCommand) Run(p *program) error {
	adapter, secrets, err := c.whom(p)
	if err != nil {
		return err
	}
	request, err := c.request(p)
	if err != nil {
		return err
	}
	found := examineRequest(adapter, request, secrets)
	if c.JSON {
		err = printJSON(p.stdout, found)
	} else if found.Authentic {
		_, err = fmt.Fprintln(p.stdout, found.Detail)
	}
	if err != nil || found.Authentic {
		return err
	}
	return failf("what is checked: "+adapter.Scheme(), "not authentic (%s): %s", found.Reason, found.Detail)
}

func (c *verifySignatureCommand) request(p *program) (*provider.Request, error) {
	header := http.Header{}
	for _, line := range c.Header {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, usagef("such as --header 'X-Ivy-Signature: 9f86…'", "--header: write NAME: VALUE")
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	query, err := url.ParseQuery(strings.TrimPrefix(c.Query, "?"))
	if err != nil {
		return nil, usagef("such as --query token=…", "--query: it is no query")
	}
	body, err := p.readBody(c.File)
	at := c.At
	if at.IsZero() {
		at = time.Now()
	}
	return &provider.Request{Header: header, Query: query, Body: body, At: at}, err
}

// examineRequest tells whether a request verifies and, if not, which part of it is wrong.
// Nothing of a secret is in what it tells.
func examineRequest(adapter provider.Provider, r *provider.Request, secrets []string) verified {
	err := adapter.Verify(r, secrets)
	if err == nil {
		return fitting(adapter, r, secrets)
	}
	found := verified{Reason: ingest.Reason(err), Detail: strings.TrimPrefix(err.Error(), provider.ErrUnauthentic.Error()+": ")}
	ideal := idealOf(adapter, r, secrets[0])
	switch {
	case errors.Is(err, provider.ErrCredentialMissing), errors.Is(err, provider.ErrCredentialRepeated):
		found.Part = oddParts(ideal, r)
	case errors.Is(err, provider.ErrCredentialUnfit):
		found.Part = unfitPart(adapter, ideal, r, secrets)
	case errors.Is(err, provider.ErrTimestampTooOld), errors.Is(err, provider.ErrTimestampTooNew):
		found.Part = "the timestamp"
		found.Detail += "; " + r.At.UTC().Format(time.RFC3339) + " is when it came"
	default:
		found.Detail += changedBody(adapter, r, secrets)
	}
	if found.Part != "" {
		found.Detail += ": " + found.Part
	}
	return found
}

// fitting tells which of the active secrets fits.
func fitting(adapter provider.Provider, r *provider.Request, secrets []string) verified {
	found := verified{Authentic: true}
	for i, secret := range secrets {
		if adapter.Verify(r, []string{secret}) == nil {
			found.Secret = i + 1
			break
		}
	}
	found.Detail = fmt.Sprintf("authentic: secret %d of %d fits", found.Secret, len(secrets))
	return found
}

// part is one header or parameter by which a provider shows who it is.
type part struct {
	name  string
	query bool
}

func (p part) of(r *provider.Request) map[string][]string {
	if p.query {
		return r.Query
	}
	return r.Header
}

func (p part) String() string {
	if p.query {
		return "the parameter " + p.name
	}
	return "the header " + p.name
}

// idealOf gives the request as its provider would have sent it then. What is signed by
// Standard Webhooks may have neutral names in place of Svix's own.
func idealOf(adapter provider.Provider, r *provider.Request, secret string) *provider.Request {
	ideal := &provider.Request{Header: map[string][]string{}, Query: map[string][]string{}, Body: r.Body, At: r.At}
	adapter.Sign(ideal, secret, "msg_1")
	neutral := func(name string) string { return strings.Replace(name, "Svix-", "Webhook-", 1) }
	if !slices.ContainsFunc(sortedKeys(r.Header), func(name string) bool { return strings.HasPrefix(name, "Webhook-") }) {
		return ideal
	}
	for _, name := range sortedKeys(ideal.Header) {
		values := ideal.Header[name]
		delete(ideal.Header, name)
		ideal.Header[neutral(name)] = values
	}
	return ideal
}

func partsOf(ideal *provider.Request) (parts []part) {
	for _, name := range sortedKeys(ideal.Header) {
		parts = append(parts, part{name: name})
	}
	for _, name := range sortedKeys(ideal.Query) {
		parts = append(parts, part{name: name, query: true})
	}
	return parts
}

// oddParts names the parts that are not there, or are there more than once.
func oddParts(ideal, r *provider.Request) string {
	var odd []string
	for _, p := range partsOf(ideal) {
		if values := p.of(r)[p.name]; len(values) != 1 || values[0] == "" {
			odd = append(odd, p.String())
		}
	}
	return strings.Join(odd, ", ")
}

// unfitPart names the part that, made as the provider would, leaves nothing that has an odd
// form.
func unfitPart(adapter provider.Provider, ideal, r *provider.Request, secrets []string) string {
	for _, p := range partsOf(ideal) {
		tried := &provider.Request{Header: http.Header(r.Header).Clone(), Query: http.Header(r.Query).Clone(), Body: r.Body, At: r.At}
		p.of(tried)[p.name] = p.of(ideal)[p.name]
		if !errors.Is(adapter.Verify(tried, secrets), provider.ErrCredentialUnfit) {
			return p.String()
		}
	}
	return "more than one part of it"
}
