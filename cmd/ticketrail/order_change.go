package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ticketrail/ticketrail/api"
)

// changing are the flags of a command that changes one order: by the running server, or
// in the data folder where none runs.
type changing struct {
	settings
	agreement
	APIListen string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	Plan      bool   `help:"Tell what would be done, and change nothing."`
	JSON      bool   `name:"json" help:"Print the API's own JSON."`
	Source    string `arg:"" help:"Source of the order."`
	Key       string `arg:"" help:"Key of the order."`
}

// orderChange is one of the things that can be done to an order. T is what the API
// answers about it, before and after.
type orderChange[T any] struct {
	verb    string // in the path
	request func(plan bool) any
	print   func(*program, *T)
	// needless tells whether there is nothing to be done.
	needless func(*T) bool
	question string
	done     func(*T) string
}

// changeOrder tells what would be done, asks, and does it. It gives the API's last answer.
func changeOrder[T any](ctx context.Context, p *program, c *changing, what orderChange[T]) (found *T, err error) {
	if !c.Plan {
		if err := c.possible(p); err != nil {
			return nil, err
		}
	}
	client, err := p.connect(ctx, c.settings, openParts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	ask := func(plan bool) error {
		found = new(T)
		return client.change(ctx, http.MethodPost, api.PathOfOrder(c.Source, c.Key)+"/"+what.verb, what.request(plan), found)
	}
	if err := ask(true); err != nil {
		return nil, err
	}
	if !c.JSON {
		what.print(p, found)
	}
	if !c.Plan && !what.needless(found) {
		if !c.given(p, what.question) {
			return nil, errUnchanged
		}
		if err := ask(false); err != nil {
			return nil, err
		}
		if !c.JSON {
			fmt.Fprintf(p.stdout, "\n%s\n", what.done(found))
		}
	}
	if c.JSON {
		err = printJSONLine(p.stdout, found)
	}
	return found, err
}
