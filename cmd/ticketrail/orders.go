package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// ordersCommand asks the API about orders, or the data folder where no server
// runs.
type ordersCommand struct {
	List     ordersList     `cmd:"" help:"List orders."`
	Get      ordersGet      `cmd:"" help:"Show one order."`
	Watch    ordersWatch    `cmd:"" help:"Print the changes of orders as they come."`
	Timeline ordersTimeline `cmd:"" help:"Show what each webhook did to an order."`
	Explain  ordersExplain  `cmd:"" help:"Show why an order is as it is, webhook by webhook."`
	Top      ordersTop      `cmd:"" help:"Fill the terminal with counts by state, rate, lag and the latest changes, live."`
	Rebuild  ordersRebuild  `cmd:"" help:"Make one order anew from its webhooks."`
}

// asking are the flags of every question.
type asking struct {
	settings
	APIListen         string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	JSON              bool   `name:"json" help:"Print the API's own JSON."`
	MinStreamSequence uint64 `help:"Wait until the read model has come to this stream sequence." placeholder:"N"`
}

// paging are the flags of every list.
type paging struct {
	Limit  int    `help:"At most this many, up to 200." default:"50" placeholder:"N"`
	Cursor string `help:"Go on where the page before ended." placeholder:"CURSOR"`
}

func (p paging) values() url.Values {
	return set(url.Values{"limit": {strconv.Itoa(p.Limit)}}, "cursor", p.Cursor)
}

// ordersList prints a page of orders.
type ordersList struct {
	asking
	listing
	paging
	State        []string `help:"Only these states, such as accepted,in-kitchen." placeholder:"STATE"`
	Source       string   `help:"Only orders of this source." placeholder:"NAME"`
	Store        string   `help:"Only orders of this store." placeholder:"ID"`
	Text         string   `name:"q" help:"Only orders whose key or reference holds this text." placeholder:"TEXT"`
	Late         bool     `help:"Only orders that have been in their state for too long."`
	Problem      *bool    `help:"Only orders with a problem, or only those without one." negatable:""`
	UpdatedSince string   `help:"Only orders of which something became known at this time or later, in RFC 3339: 2026-01-31T12:00:00Z." placeholder:"TIME"`
	At           string   `help:"List them as they were, at a stream sequence or a time that there is a snapshot of: see rebuild --until." placeholder:"N|TIME"`
	Sort         string   `help:"One of ${enum}; since, the longest in their state first, goes with --late." enum:"-updated,updated,-created,created,since" default:"-updated"`
}

// Run asks and prints.
func (c *ordersList) Run(ctx context.Context, p *program) error {
	query := c.values()
	set(query, "state", strings.Join(c.State, ","))
	set(query, "source", c.Source)
	set(query, "store", c.Store)
	set(query, "q", c.Text)
	if c.Late {
		query.Set("late", "true")
	}
	if c.Problem != nil {
		query.Set("problem", strconv.FormatBool(*c.Problem))
	}
	set(query, "updated_since", c.UpdatedSince)
	set(query, "sort", c.Sort)
	set(query, "at", c.At)
	from := openOffline
	if c.At != "" {
		from = openParts // snapshots are the rebuilder's
	}
	return askList(ctx, p, c.asking, c.listing, from, "/v1/orders", query, ordersSheet)
}

// ordersGet prints one order, as it is or as it was.
type ordersGet struct {
	asking
	At     string `help:"Show it as it was: at a stream sequence, or at a time." placeholder:"N|TIME"`
	Source string `arg:"" help:"Source of the order."`
	Key    string `arg:"" help:"Key of the order."`
}

// Run asks and prints.
func (c *ordersGet) Run(ctx context.Context, p *program) error {
	from, query := openOffline, url.Values{}
	if c.At != "" {
		from = openParts // only the stream knows what was
		query.Set("at", c.At)
	}
	return ask(ctx, p, c.asking, from, api.PathOfOrder(c.Source, c.Key), query, printOrder)
}

// ordersTimeline prints a page of an order's timeline.
type ordersTimeline struct {
	asking
	listing
	paging
	Source string `arg:"" help:"Source of the order."`
	Key    string `arg:"" help:"Key of the order."`
}

// Run asks and prints.
func (c *ordersTimeline) Run(ctx context.Context, p *program) error {
	return askList(ctx, p, c.asking, c.listing, openOffline, api.PathOfOrder(c.Source, c.Key)+"/timeline", c.values(), timelineSheet)
}

// ask puts one question to the API, or to what stands in for it where no server
// runs, and prints the answer: as it came, or as tables.
func ask[T any](ctx context.Context, p *program, a asking, inItsPlace offline, path string, query url.Values, tables func(*program, *T)) error {
	text, err := a.answer(ctx, p, inItsPlace, path, query)
	if err != nil {
		return err
	}
	if a.JSON {
		_, err = p.stdout.Write(printableJSON(text))
		return err
	}
	var answer T
	if err := understand(text, &answer); err != nil {
		return err
	}
	tables(p, &answer)
	return nil
}

// askList is ask for a list, which has more forms.
func askList[T any](ctx context.Context, p *program, a asking, l listing, inItsPlace offline, path string, query url.Values, rows func(*T) *sheet) error {
	text, err := a.answer(ctx, p, inItsPlace, path, query)
	if err != nil {
		return err
	}
	var answer T
	if err := understand(text, &answer); err != nil {
		return err
	}
	return l.print(p, a.JSON, text, rows(&answer))
}

// answer puts one question and gives the answer as it came.
func (a asking) answer(ctx context.Context, p *program, inItsPlace offline, path string, query url.Values) (text []byte, err error) {
	loaded, err := p.loadToRead(a.settings)
	if err != nil {
		return nil, err
	}
	client, err := connect(ctx, loaded, p.namesFolder("api.listen"), inItsPlace)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	if a.MinStreamSequence > 0 {
		query.Set("min_stream_sequence", strconv.FormatUint(a.MinStreamSequence, 10))
	}
	return client.get(ctx, path, query)
}

// set adds a parameter that has a value.
func set(query url.Values, name, value string) url.Values {
	if value != "" {
		query.Set(name, value)
	}
	return query
}

func ordersSheet(page *api.OrderList) *sheet {
	s := newSheet("source", "key", "state", "late since", "problem", "store", "total", "last seen")
	for _, o := range page.Orders {
		problem := ""
		if o.Problem != nil {
			problem = o.Problem.Reason
		}
		s.add(o.Source, o.Key, o.State, lateSince(&o), problem, o.StoreID, money(o.Total, o.Currency), o.LastSeenAt)
	}
	s.note = next(page.NextCursor)
	return s
}

// lateSince gives when an order had been in its state for too long.
func lateSince(o *api.Order) *domain.Instant {
	if o.Late == nil {
		return nil
	}
	return &o.Late.Since
}

// noteWidth is the number of runes that are shown of a note: it is the last cell.
const noteWidth = 120

func timelineSheet(page *api.Timeline) *sheet {
	s := newSheet("stream sequence", "received", "occurred", "event", "status", "effect", "state", "note")
	for _, e := range page.Entries {
		s.add(e.StreamSequence, e.ReceivedAt, e.OccurredAt, e.Event, e.Status, e.Effect, e.State, e.Note)
	}
	s.wide, s.note = noteWidth, next(page.NextCursor)
	return s
}

// next tells how to go on where a page was not the last.
func next(cursor *string) string {
	if cursor == nil {
		return ""
	}
	return "More: --cursor=" + *cursor
}

// printNext prints it.
func printNext(p *program, cursor *string) {
	if cursor != nil {
		fmt.Fprintf(p.stdout, "\n%s\n", printable(next(cursor)))
	}
}
