package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

const quarantinePath = "/v1/quarantine"

// quarantineCommand shows what was set aside and decides about it: through the
// running server, or in the data folder where none runs.
type quarantineCommand struct {
	List    quarantineList    `cmd:"" help:"List requests that were rejected and webhooks that could not be translated."`
	Causes  quarantineCauses  `cmd:"" help:"Count them by source and cause."`
	Show    quarantineShow    `cmd:"" help:"Show one entry with its headers and its bytes."`
	Retry   quarantineRetry   `cmd:"" help:"Verify rejected requests again, and release what is authentic by now."`
	Discard quarantineDiscard `cmd:"" help:"Say that entries are of no use, and hide them."`
}

// choosing are the flags that narrow the quarantine.
type choosing struct {
	Kind   string `help:"Only rejected requests (rejected) or only webhooks (untranslatable)." enum:",rejected,untranslatable" default:"" placeholder:"KIND"`
	Source string `help:"Only what came to this source." placeholder:"NAME"`
	Cause  string `help:"Only what was set aside for this cause." placeholder:"CAUSE"`
}

func (c choosing) narrow(query url.Values) url.Values {
	set(query, "kind", c.Kind)
	set(query, "source", c.Source)
	return set(query, "cause", c.Cause)
}

// quarantineList prints a page of entries.
type quarantineList struct {
	asking
	listing
	paging
	choosing
	Discarded bool `help:"Show those, too, that were discarded."`
}

// Run asks and prints.
func (c *quarantineList) Run(ctx context.Context, p *program) error {
	query := c.narrow(c.values())
	if c.Discarded {
		query.Set("discarded", "true")
	}
	return askList(ctx, p, c.asking, c.listing, openQuarantine, quarantinePath, query, quarantineSheet)
}

// quarantineCauses prints the counts by cause.
type quarantineCauses struct {
	asking
	listing
	choosing
}

// Run asks and prints.
func (c *quarantineCauses) Run(ctx context.Context, p *program) error {
	return askList(ctx, p, c.asking, c.listing, openQuarantine, quarantinePath+"/causes", c.narrow(url.Values{}), causesSheet)
}

// quarantineShow prints one entry, or its bytes alone.
type quarantineShow struct {
	asking
	ID  string `arg:"" help:"Id of the entry, such as r-12 or w-812."`
	Raw bool   `help:"Print the body alone, byte for byte."`
}

// Run asks and prints.
func (c *quarantineShow) Run(ctx context.Context, p *program) error {
	if !c.Raw {
		return ask(ctx, p, c.asking, openQuarantine, entryPath(c.ID), url.Values{}, printEntry)
	}
	text, err := c.answer(ctx, p, openQuarantine, entryPath(c.ID), url.Values{"raw": {"true"}})
	if err == nil {
		_, err = p.stdout.Write(text)
	}
	return err
}

func entryPath(id string) string { return quarantinePath + "/" + api.PathSegment(id) }

// openQuarantine opens the parts of a data folder that no server runs on, with the
// secrets that a server would verify by.
func openQuarantine(ctx context.Context, c *config.Config, nobody string) (*apiClient, error) {
	known := *c
	if sources, err := knownSources(c); err == nil {
		known.Sources = sources
	}
	return openParts(ctx, &known, nobody)
}

func quarantineSheet(page *api.QuarantineList) *sheet {
	s := newSheet("id", "received", "source", "cause", "where", "bytes", "decision")
	for _, e := range page.Entries {
		decision := ""
		switch {
		case e.Erased:
			decision = "erased"
		case e.Decision != nil:
			decision = string(e.Decision.Verdict)
		}
		s.add(e.ID, e.ReceivedAt, e.Source, e.Cause, e.Where, count(e.Size), decision)
	}
	s.note = next(page.NextCursor)
	if page.RejectedSince != nil {
		s.note = strings.TrimSpace(fmt.Sprintf("Rejected requests from before %s are kept no more. %s", page.RejectedSince, s.note))
	}
	return s
}

// count gives a number as text, empty for none.
func count(n *int) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}

// hintWidth is more than any hint has, in runes.
const hintWidth = 1000

func causesSheet(groups *api.QuarantineCauses) *sheet {
	s := newSheet("kind", "source", "cause", "entries", "first", "last", "hint")
	for _, g := range groups.Causes {
		s.add(g.Kind, g.Source, g.Cause, g.Count, g.First, g.Last, g.Hint)
	}
	s.wide = hintWidth
	return s
}

func printEntry(p *program, e *api.QuarantineDetail) {
	table := newTable(p.stdout)
	for _, fact := range []struct {
		name  string
		value any
	}{
		{"id", e.ID},
		{"kind", e.Kind},
		{"source", e.Source},
		{"provider", e.Provider},
		{"event", e.Event},
		{"cause", e.Cause},
		{"where", e.Where},
		{"received", e.ReceivedAt},
		{"bytes", count(e.Size)},
		{"body", erasedBody(e.Erased)},
		{"webhook", e.Webhook},
		{"decision", decisionText(e.Decision)},
		{"hint", orEmpty(e.Hint)},
	} {
		if text := shown(fact.value); text != "" {
			table.AppendRow([]any{fact.name, printable(text)})
		}
	}
	table.Render()
	printList(p.stdout, "headers", e.Headers, []any{"name", "value"}, func(h api.Header) []any {
		return []any{printable(h.Name), printable(h.Value)}
	})
	printBody(p.stdout, e)
}

func erasedBody(erased bool) string {
	if erased {
		return "erased, with what is personal of its order"
	}
	return ""
}

func decisionText(d *api.Decision) string {
	if d == nil {
		return ""
	}
	text := fmt.Sprintf("%s by %s at %s", d.Verdict, d.By, d.At)
	if d.Trusted {
		text += ", on trust"
	}
	if d.Reason != nil {
		text += ": " + *d.Reason
	}
	return text
}

// printBody prints the lines of a body. Of one that is no text it tells how to get
// the bytes.
func printBody(w io.Writer, e *api.QuarantineDetail) {
	body := []byte(orEmpty(e.Body))
	if e.BodyBase64 != nil {
		body, _ = base64.StdEncoding.DecodeString(*e.BodyBase64) // what cannot be read is shown as no body
	}
	switch {
	case len(body) == 0:
	case !utf8.Valid(body):
		fmt.Fprintf(w, "\nThe body is no text: ticketrail quarantine show %s --raw\n", printable(e.ID))
	default:
		fmt.Fprintln(w)
		for line := range bytes.Lines(body) {
			fmt.Fprintln(w, printable(string(bytes.TrimSuffix(line, []byte("\n")))))
		}
	}
}
