package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"time"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// signing are the flags that say as whom, and by which secrets, a body is signed or verified.
type signing struct {
	settings
	Source   string `help:"Source whose provider and secrets are meant." xor:"whom" required:"" placeholder:"NAME"`
	Provider string `help:"Provider that is meant, with --secret." xor:"whom" required:"" placeholder:"NAME"`
	Secret   string `help:"Secret in place of the configured ones." placeholder:"SECRET"`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// whom gives the provider and the secrets that are meant.
func (s *signing) whom(p *program) (adapter provider.Provider, secrets []string, err error) {
	if s.Provider != "" && s.Secret == "" {
		return nil, nil, usagef("or name a source: --source", "--secret is missing")
	}
	if s.Provider != "" {
		adapter, err = p.providerNamed(s.settings, s.Provider)
		return adapter, []string{s.Secret}, err
	}
	loaded, err := p.load(s.settings)
	if err != nil {
		return nil, nil, err
	}
	source, err := sourceNamed(loaded, s.Source)
	if err != nil {
		return nil, nil, err
	}
	adapter = source.Adapter()
	if s.Secret != "" {
		return adapter, []string{s.Secret}, nil
	}
	return adapter, source.RevealSecrets(), nil
}

// readBody reads a raw body from a file, or from stdin where that is -.
func (p *program) readBody(file string) ([]byte, error) {
	if file == stdinName {
		return io.ReadAll(p.stdin)
	}
	return os.ReadFile(file)
}

// signCommand prints what a provider would send beside a body.
type signCommand struct {
	signing
	ID   string `name:"id" help:"Id of the webhook, for a provider that sends one beside the body; one is drawn where none is given." placeholder:"ID"`
	File string `arg:"" help:"File of the raw body; - is stdin." placeholder:"FILE"`
}

// Run signs and prints.
func (c *signCommand) Run(p *program) error {
	adapter, secrets, err := c.whom(p)
	if err != nil {
		return err
	}
	body, err := p.readBody(c.File)
	if err != nil {
		return err
	}
	id := c.ID
	if id == "" {
		id = fmt.Sprintf("msg_%016x%016x", rand.Uint64(), rand.Uint64())
	}
	signed := &provider.Request{Header: map[string][]string{"Content-Type": {"application/json"}}, Query: map[string][]string{}, Body: body, At: time.Now()}
	adapter.Sign(signed, secrets[0], id)
	if c.JSON {
		return printJSON(p.stdout, map[string]any{"headers": signed.Header, "query": signed.Query})
	}
	printHeaders(p.stdout, signed.Header)
	if len(signed.Query) > 0 {
		fmt.Fprintf(p.stdout, "\nThe address ends in ?%s\n", url.Values(signed.Query).Encode())
	}
	return nil
}
