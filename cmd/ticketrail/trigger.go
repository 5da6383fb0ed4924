package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/fixture"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// triggerCommand posts webhooks of an event that a provider has published, without a
// file.
type triggerCommand struct {
	settings
	posting
	Provider string   `arg:"" optional:"" help:"Provider that sends it."`
	Event    string   `arg:"" optional:"" help:"Name of the event, or of one of its variants: see --list."`
	Source   string   `help:"Source that it is sent to; the first of the provider where none is named." placeholder:"NAME"`
	Order    string   `help:"Key of the order that it is about; each webhook is of a new one where none is named." placeholder:"KEY"`
	Override []string `help:"Put another value into the body, such as payload.price.total=12.50; may be repeated." sep:"none" placeholder:"PATH=VALUE"`
	Count    int      `help:"Send so many." default:"1" placeholder:"N"`
	Print    bool     `help:"Print the request, with its secrets, and send nothing."`
	List     bool     `help:"List the events of all providers, or of one."`
	JSON     bool     `name:"json" help:"Print JSON: an object for each webhook, or the list."`
	listing
}

// maxTriggered is more than anybody means.
const maxTriggered = 1_000_000

// Validate refuses what cannot be sent.
func (c *triggerCommand) Validate() error {
	switch {
	case c.Count < 1 || c.Count > maxTriggered:
		return fmt.Errorf("--count: %d is not from 1 to %d", c.Count, maxTriggered)
	case c.Print && c.Count != 1:
		return errors.New("--print: it prints one; leave out --count")
	case c.List && c.Event != "":
		return errors.New("--list: name a provider at the most")
	case !c.List && c.Event == "":
		return errors.New("name a provider and an event, or see --list")
	}
	return c.posting.Validate()
}

// Run sends, prints or lists.
func (c *triggerCommand) Run(ctx context.Context, p *program) error {
	if c.List {
		return c.list(p)
	}
	f, err := c.fixture(p)
	if err != nil {
		return err
	}
	overrides, err := c.overrides()
	if err != nil {
		return err
	}
	loaded, err := p.load(c.settings)
	if err != nil {
		return err
	}
	if c.Print {
		return c.print(ctx, p, loaded, f, overrides)
	}
	source, err := sourceOf(loaded, c.Source, c.Provider)
	if err != nil {
		return err
	}
	to, err := c.senderTo(p, loaded, source)
	if err != nil {
		return err
	}
	to.Event = f.Event
	refused, err := c.post(ctx, p.stdout, to, f, overrides)
	if err != nil {
		return err
	}
	return refused.asError(c.Count, source.Name)
}

// triggered is one webhook that is to be sent.
type triggered struct {
	id, order string
	body      []byte
}

// make makes a webhook. Random is what tells it from the others.
func (c *triggerCommand) make(f fixture.Fixture, overrides []fixture.Override) (t triggered, err error) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	t.id = fmt.Sprintf("msg_%016x%016x", random.Uint64(), random.Uint64())
	if t.order = c.Order; t.order == "" && f.AboutOrder {
		t.order = f.NewOrder(random)
	}
	t.body, err = f.Body(fixture.Webhook{Order: t.order, ID: t.id, At: time.Now(), Overrides: overrides})
	if missing, ok := errors.AsType[*fixture.PathError](err); ok {
		return t, usagef(pathHint(missing), "--override: %w", err)
	}
	if errors.Is(err, fixture.ErrNoOrder) {
		return t, usagef("leave out --order", "%w", err)
	}
	return t, err
}

// pathHint tells what there is in place of what there is not.
func pathHint(e *fixture.PathError) string {
	place := e.At
	if place == "" {
		place = "it"
	}
	if len(e.Has) == 0 {
		return place + " has nothing by that name"
	}
	return place + " has " + strings.Join(e.Has, ", ")
}

func (c *triggerCommand) post(ctx context.Context, w io.Writer, to *sender.Sender, f fixture.Fixture, overrides []fixture.Override) (refused refusals, err error) {
	pace := c.pace()
	for i := range c.Count {
		t, err := c.make(f, overrides)
		if err != nil {
			return refused, err
		}
		if pace.Wait(ctx) != nil {
			return refused, stopped(ctx, i, c.Count)
		}
		answer, err := to.Send(ctx, t.id, t.body)
		if err != nil {
			return refused, unanswered(err)
		}
		refused.add(answer)
		if err := c.tell(w, to, f, t, answer); err != nil {
			return refused, err
		}
	}
	return refused, nil
}

// tell prints what became of one webhook.
func (c *triggerCommand) tell(w io.Writer, to *sender.Sender, f fixture.Fixture, t triggered, answer sender.Answer) error {
	if c.JSON {
		var order *string
		if t.order != "" {
			order = &t.order
		}
		return printJSONLine(w, struct {
			Provider string  `json:"provider"`
			Event    string  `json:"event"`
			Order    *string `json:"order"` // null: it is about none
			outcome
		}{c.Provider, f.Name, order, outcomeOf(to.WebhookID(t.id, t.body), answer)})
	}
	what := c.Provider + " " + f.Name
	if t.order != "" {
		what += " of " + t.order
	}
	_, err := fmt.Fprintln(w, printable(what+" → "+answered(answer)))
	return err
}

// fixture finds what is meant.
func (c *triggerCommand) fixture(p *program) (f fixture.Fixture, err error) {
	adapter, err := p.providerNamed(c.settings, c.Provider)
	if err != nil {
		return f, err
	}
	all, err := fixture.Of(adapter)
	if err != nil {
		return f, err
	}
	f, known := fixture.Find(all, c.Event)
	if mapped, is := adapter.(*provider.Mapped); !known && is && mapped.Knows(c.Event) {
		return f, usagef("write one under examples", "the mapping of %s has no example of %q to send", c.Provider, c.Event)
	}
	if !known {
		var names []string
		for _, f := range all {
			names = append(names, f.Name)
		}
		return f, usagef("did you mean "+domain.Nearest(c.Event, names)+"? See ticketrail trigger --list",
			"%s has no event %q", c.Provider, c.Event)
	}
	return f, nil
}

// providerNamed gives the provider of a name on the command line. It asks the
// configuration for no more than it must: who signs by hand may have none that is right.
func (p *program) providerNamed(s settings, name string) (provider.Provider, error) {
	if adapter, builtIn := provider.Named(name); builtIn {
		return adapter, nil
	}
	loaded, err := p.loadToRead(s)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, adapter := range loaded.Providers() {
		if names = append(names, adapter.Name()); adapter.Name() == name {
			return adapter, nil
		}
	}
	return nil, usagef("choose one of "+strings.Join(names, ", "), "there is no provider %q", name)
}

func (c *triggerCommand) overrides() (all []fixture.Override, err error) {
	for _, text := range c.Override {
		o, err := fixture.ParseOverride(text)
		if err != nil {
			return nil, usagef("such as --override payload.price.total=12.50", "--override: %w", err)
		}
		all = append(all, o)
	}
	return all, nil
}

// listedEvent is one event in the list.
type listedEvent struct {
	Provider   string   `json:"provider"`
	Event      string   `json:"event"`
	AboutOrder bool     `json:"about_order"` // but for the variants
	Variants   []string `json:"variants"`
}

func (c *triggerCommand) list(p *program) error {
	providers, err := c.listed(p)
	if err != nil {
		return err
	}
	events := []listedEvent{}
	for _, adapter := range providers {
		all, err := fixture.Of(adapter)
		if err != nil {
			return err
		}
		events = append(events, listEvents(all)...)
	}
	s := newSheet("provider", "event", "about an order", "variants")
	s.wide = hintWidth
	for _, e := range events {
		about := ""
		if e.AboutOrder {
			about = "yes"
		}
		s.add(e.Provider, e.Event, about, strings.Join(e.Variants, ", "))
	}
	return c.printList(p, c.JSON, map[string]any{"events": events}, s)
}

// listed gives the providers whose events are listed.
func (c *triggerCommand) listed(p *program) ([]provider.Provider, error) {
	if c.Provider != "" {
		one, err := p.providerNamed(c.settings, c.Provider)
		return []provider.Provider{one}, err
	}
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return nil, err
	}
	return loaded.Providers(), nil
}

// listEvents puts the fixtures of a provider, which are in the order of their events, under
// these.
func listEvents(all []fixture.Fixture) (events []listedEvent) {
	for i, f := range all {
		if i > 0 && all[i-1].Event == f.Event {
			last := &events[len(events)-1]
			last.Variants = append(last.Variants, f.Name)
			continue
		}
		events = append(events, listedEvent{Provider: f.Provider.Name(), Event: f.Name, AboutOrder: f.AboutOrder, Variants: []string{}})
	}
	return events
}
