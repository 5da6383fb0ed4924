package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

const (
	// comeBackAfter is the pause before a feed that ended is opened again.
	comeBackAfter = 2 * time.Second
	// silentFor is how long a feed may say nothing: three of its heart-beats.
	silentFor = 45 * time.Second
)

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
	for {
		err := w.once(ctx, loaded)
		switch {
		case ctx.Err() != nil:
			return nil // who watches has seen enough
		case err != nil && (!w.opened || !passing(err)):
			return err
		case !w.lost:
			w.lost = true
			fmt.Fprintln(p.stderr, "the feed has ended; it is opened again until it is back")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(comeBackAfter):
		}
	}
}

// watch is where the watching is.
type watch struct {
	*program
	json         bool
	query        url.Values
	last         string // id
	opened, lost bool
}

// once opens the feed, wherever it is by now, and prints until it ends.
func (w *watch) once(ctx context.Context, c *config.Config) (err error) {
	client, err := connect(ctx, c, w.namesFolder("api.listen"), serverOnly)
	switch {
	case err != nil && w.opened: // it may be back
		return fmt.Errorf("%w: %w", errCutOff, err)
	case err != nil:
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(silentFor, cancel)
	defer silence.Stop()
	begun := func() { w.opened, w.lost = true, false }
	return client.events(ctx, "/v1/changes", set(w.query, "after", w.last), begun, func(e sse.Event) error {
		silence.Reset(silentFor)
		w.last = cmp.Or(e.LastEventID, w.last)
		return w.print(e)
	})
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
