package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/api/access"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// tokenCommand changes the file of the tokens in the data folder. A program that
// serves on it notices at its next request.
type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Make a token, and print it once."`
	List   tokenList   `cmd:"" help:"List the tokens, without telling them."`
	Rotate tokenRotate `cmd:"" help:"Make a new token in place of one, with its scope."`
	Revoke tokenRevoke `cmd:"" help:"End a token at once."`
}

// tokenChange are the settings of every command that changes the tokens.
type tokenChange struct {
	settings
	Name string `arg:"" help:"Name of the token: whose it is."`
}

// lifetime is the flag that says when a new token ends.
type lifetime struct {
	Expires span `help:"End the token after this time, such as 12h or 90d; 0: never." default:"0" placeholder:"TIME"`
}

// span is a time as the configuration writes it.
type span time.Duration

// UnmarshalText reads a span.
func (s *span) UnmarshalText(text []byte) error {
	d, err := config.ParseDuration(string(text))
	*s = span(d)
	return err
}

// tokenCreate makes a token.
type tokenCreate struct {
	tokenChange
	lifetime
	Scope string `help:"What it may do: ${enum}. Each holds those before it." enum:"read,raw,admin" default:"read"`
	JSON  bool   `name:"json" help:"Print JSON."`
}

// Run makes and prints.
func (c *tokenCreate) Run(p *program) error {
	var scope api.Scope
	_ = scope.UnmarshalText([]byte(c.Scope)) // one of the enum
	var token string
	var made access.Record
	err := c.change(p, "create", func(tokens *access.Tokens) (err error) {
		token, made, err = tokens.Create(c.Name, scope, time.Now(), time.Duration(c.Expires))
		return err
	})
	if err != nil {
		return err
	}
	return printToken(p, c.JSON, token, made)
}

// tokenRotate makes a new token in place of one.
type tokenRotate struct {
	tokenChange
	lifetime
	Grace span `help:"Leave the former token this long, so that its bearer can change over." default:"0" placeholder:"TIME"`
	JSON  bool `name:"json" help:"Print JSON."`
}

// Run makes and prints.
func (c *tokenRotate) Run(p *program) error {
	var token string
	var made access.Record
	err := c.change(p, "rotate", func(tokens *access.Tokens) (err error) {
		token, made, err = tokens.Rotate(c.Name, time.Now(), time.Duration(c.Grace), time.Duration(c.Expires))
		return err
	})
	if err != nil {
		return err
	}
	return printToken(p, c.JSON, token, made)
}

// printToken prints a token for the only time: it alone on stdout, so that it can
// go where it is kept without being seen.
func printToken(p *program, asJSON bool, token string, made access.Record) error {
	if asJSON {
		return printJSON(p.stdout, struct {
			Token string `json:"token"`
			access.Record
		}{token, made})
	}
	fmt.Fprintf(p.stderr, "The token %s (%s), with the scope %s, is shown once:\n", made.Name, made.Fingerprint(), made.Scope)
	_, err := fmt.Fprintln(p.stdout, token)
	return err
}

// tokenRevoke ends a token.
type tokenRevoke struct{ tokenChange }

// Run ends it.
func (c *tokenRevoke) Run(p *program) error {
	return c.change(p, "revoke", func(tokens *access.Tokens) error {
		revoked, err := tokens.Revoke(c.Name)
		for _, r := range revoked {
			fmt.Fprintf(p.stdout, "revoked %s (%s)\n", r.Name, r.Fingerprint())
		}
		return err
	})
}

// change changes the tokens between two records of the audit log. The name is
// recorded once it is known to be one.
func (c *tokenChange) change(p *program, verb string, change func(*access.Tokens) error) error {
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return err
	}
	if !access.IsName(c.Name) {
		return &failure{err: access.ErrName, usage: true}
	}
	err = audited(loaded.Data, "token "+verb, map[string]string{"name": c.Name}, func() error {
		return change(access.NewTokens(loaded.Data))
	})
	switch {
	case errors.Is(err, access.ErrTaken):
		return usagef("choose another name, or: ticketrail token rotate "+c.Name, "%w", err)
	case errors.Is(err, access.ErrNoToken):
		return failf("see which there are: ticketrail token list", "%w", err)
	}
	return err
}

// tokenList lists the tokens.
type tokenList struct {
	settings
	listing
	JSON bool `name:"json" help:"Print JSON."`
}

// Run reads and prints.
func (c *tokenList) Run(p *program) error {
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return err
	}
	records, err := access.NewTokens(loaded.Data).List()
	if err != nil {
		return err
	}
	s := newSheet("name", "scope", "fingerprint", "created", "expires")
	for _, r := range records {
		s.add(r.Name, r.Scope, r.Fingerprint(), r.Created.Format(time.RFC3339), expiry(r))
	}
	return c.printList(p, c.JSON, map[string]any{"tokens": append([]access.Record{}, records...)}, s)
}

// expiry gives when a token ends, or that it has.
func expiry(r access.Record) string {
	switch {
	case r.Expires == nil:
		return "never"
	case time.Now().After(*r.Expires):
		return "expired"
	}
	return r.Expires.Format(time.RFC3339)
}
