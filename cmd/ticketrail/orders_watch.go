package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/api"
)

// changesPath is where the API tells the changes of orders.
const changesPath = "/v1/changes"

// ordersWatch prints the changes of orders as they come.
type ordersWatch struct {
	settings
	APIListen string   `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	JSON      bool     `name:"json" help:"Print the API's own JSON, a line for each change."`
	State     []string `help:"Only changes after which the order is in one of these states, such as accepted,in-kitchen." placeholder:"STATE"`
	Source    string   `help:"Only changes of orders of this source." placeholder:"NAME"`
	Store     string   `help:"Only changes of orders of this store." placeholder:"ID"`
	Key       string   `help:"Only changes of orders with this key." placeholder:"KEY"`
	After     *uint64  `help:"Begin after this stream sequence, and not with what comes; 0 gives all there ever were." placeholder:"N"`
}

// Run prints until it is interrupted. It comes back by itself where the feed ends, and goes
// on after the last change that it printed.
func (c *ordersWatch) Run(ctx context.Context, p *program) error {
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return err
	}
	w := &watch{program: p, json: c.JSON, query: set(url.Values{}, "state", strings.Join(c.State, ","))}
	set(set(set(w.query, "source", c.Source), "store", c.Store), "key", c.Key)
	if c.After != nil {
		w.last = strconv.FormatUint(*c.After, 10)
	}
	changes := &feed{
		path:  changesPath,
		query: func() url.Values { return set(w.query, "after", w.last) },
		begun: func(context.Context, *apiClient) error { return nil },
		heard: func(_ context.Context, _ *apiClient, e sse.Event) error {
			w.last = cmp.Or(e.LastEventID, w.last)
			return w.print(e)
		},
		lost: p.tellLost,
	}
	return changes.follow(ctx, p, loaded)
}

// tellLost tells who follows a feed why nothing comes.
func (p *program) tellLost() {
	fmt.Fprintln(p.stderr, "the feed has ended; it is opened again until it is back")
}

// watch is where the watching is.
type watch struct {
	*program
	json  bool
	query url.Values
	last  string // id
}

// print prints an event.
func (w *watch) print(event sse.Event) (err error) {
	switch {
	case event.Type == "change" && w.json:
		_, err = fmt.Fprintf(w.stdout, "%s\n", printableJSON([]byte(event.Data)))
	case event.Type == "change":
		var change api.Change
		if err = understand([]byte(event.Data), &change); err == nil {
			_, err = fmt.Fprintln(w.stdout, changeLine(&change))
		}
	case event.Type == "reset":
		var reset api.Reset
		if err = understand([]byte(event.Data), &reset); err == nil {
			fmt.Fprintf(w.stderr, "changes are left out (%s): it goes on after stream sequence %d\n", printable(reset.Reason), reset.StreamSequence)
		}
	}
	return err
}

// changeLine tells of a change in one line, in columns that stand under one another as a rule.
func changeLine(c *api.Change) string {
	row := cells(c.ReceivedAt, c.StreamSequence, c.Source, c.Key, c.State, c.Effect, c.Event)
	return strings.TrimRight(fmt.Sprintf("%-24s  %8s  %-10s  %-32s  %-16s  %-13s  %s", row...), " ")
}
