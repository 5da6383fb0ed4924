package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// bodyWidth is the number of runes that are shown of a raw body. The whole of it
// is in the JSON, and at the webhook's own address.
const bodyWidth = 600

// ordersExplain prints why an order is as it is: a block for each webhook.
type ordersExplain struct {
	asking
	paging
	Source string `arg:"" help:"Source of the order."`
	Key    string `arg:"" help:"Key of the order."`
}

// Run asks and prints.
func (c *ordersExplain) Run(ctx context.Context, p *program) error {
	return ask(ctx, p, c.asking, openParts, api.PathOfOrder(c.Source, c.Key)+"/explanation", c.values(), printExplanation)
}

func printExplanation(p *program, e *api.Explanation) {
	o := &e.Order
	fmt.Fprintf(p.stdout, "%s %s is %s since %s.\n", printable(o.Source), printable(o.Key), o.State, shown(o.StateSince))
	if o.Problem != nil {
		fmt.Fprintf(p.stdout, "Somebody should look at it: %s since %s.\n", printable(o.Problem.Reason), shown(o.Problem.Since))
	}
	if o.ErasedAt != nil {
		fmt.Fprintf(p.stdout, "What was personal of it was erased at %s, and is left out.\n", shown(o.ErasedAt))
	}
	for i := range e.Webhooks {
		if w := &e.Webhooks[i]; w.Effect == domain.EffectErased {
			printTombstone(p.stdout, w)
		} else {
			printExplained(p.stdout, w)
		}
	}
	printNext(p, e.NextCursor)
}

// printTombstone prints who had an order erased and why, and of which webhooks that was.
func printTombstone(w io.Writer, e *api.ExplainedWebhook) {
	var tombstone struct {
		By, Reason string
		Webhooks   []struct {
			StreamSequence uint64 `json:"stream_sequence"`
		}
	}
	_ = json.Unmarshal([]byte(orEmpty(e.Webhook.Body)), &tombstone) // it was read before: it is ours
	var sequences []string
	for _, of := range tombstone.Webhooks {
		sequences = append(sequences, fmt.Sprint(of.StreamSequence))
	}
	fmt.Fprintf(w, "\nstream sequence %d: the erasure\n", e.Webhook.StreamSequence)
	table := newTable(w)
	table.AppendRow(cells("received", e.Webhook.ReceivedAt))
	table.AppendRow([]any{"by", clip(tombstone.By+": "+tombstone.Reason, bodyWidth)})
	table.AppendRow([]any{"of the webhooks", clip(strings.Join(sequences, ", "), bodyWidth)})
	table.AppendRow([]any{"why", clip(e.Reason, bodyWidth)})
	table.Render()
}

// printExplained prints what came, what it says, and what it did by which rule.
func printExplained(w io.Writer, e *api.ExplainedWebhook) {
	fmt.Fprintf(w, "\nstream sequence %d: %s, %s\n", e.Webhook.StreamSequence, printable(cmp.Or(e.Said.Event, e.Webhook.Event)), e.Effect)
	table := newTable(w)
	for _, row := range []struct{ name, text string }{
		{"received", shown(e.Webhook.ReceivedAt)},
		{"webhook id", orEmpty(e.Webhook.WebhookID)},
		{"verified", orEmpty(e.Verified)},
		{"released", releaseText(e.Released)},
		{"body", bodyText(&e.Webhook)},
		{"says", says(&e.Said)},
		{"why", e.Reason},
		{"back-filled", history(e.Backfilled)},
		{"order then", stands(&e.Standing)},
	} {
		if row.text != "" {
			table.AppendRow([]any{row.name, clip(row.text, bodyWidth)})
		}
	}
	table.Render()
}

// releaseText tells when a webhook that was set aside was released, and on whose word.
func releaseText(r *api.Release) string {
	if r == nil {
		return ""
	}
	text := fmt.Sprintf("rejected when it came (%s), and released at %s by %s, ", r.Entry, r.At, r.By)
	if r.Trusted {
		text += "unverified, on their word"
	} else {
		text += "verified again as of the time that it came"
	}
	if r.Reason != nil {
		text += ": " + *r.Reason
	}
	return text
}

// bodyText gives a body on one line: JSON without the white space between its values.
func bodyText(w *api.Webhook) string {
	if w.Erased {
		return fmt.Sprintf("erased, with what is personal of the order; it had %d bytes", w.Size)
	}
	var line bytes.Buffer
	if text := orEmpty(w.Body); json.Compact(&line, []byte(text)) != nil {
		return cmp.Or(text, orEmpty(w.BodyBase64))
	}
	return line.String()
}

// says puts what a webhook says into one line, without what it does not say.
func says(s *api.Said) string {
	said := []string{s.Kind}
	add := func(name string, value any) {
		if text := shown(value); text != "" {
			said = append(said, name+" "+text)
		}
	}
	if s.StatusUnknown {
		said = append(said, "a status that nobody knows")
	}
	f := &s.Facts
	add("fulfillment", axis(s.Fulfillment))
	add("delivery", axis(s.Delivery))
	add("payment", axis(s.Payment))
	add("outcome", axis(s.Outcome))
	add("problem", s.Problem)
	add("provider status", f.ProviderStatus)
	add("store", f.StoreID)
	add("reference", f.Reference)
	add("description", f.Description)
	add("kind", f.FulfillmentKind)
	add("total", money(f.Total, f.Currency))
	add("discount", money(f.Discount, f.Currency))
	add("refunded", money(f.Refunded, f.Currency))
	add("created", f.CreatedAt)
	add("completed", f.CompletedAt)
	add("receipt", receipt(f.Receipt, f.Currency))
	add("occurred", s.OccurredAt)
	add("clock", s.Clock)
	for _, r := range s.Refunds {
		add("refund", words(r.ID, money(r.Amount, r.Currency), shown(r.Status), shown(r.Reason), shown(r.At)))
	}
	for _, r := range s.Payments {
		add("payment", words(r.ID, shown(r.Type), shown(r.Amount), shown(r.Status), shown(r.At)))
	}
	for _, r := range s.Proofs {
		add("proof of delivery", words(r.ID, r.Type))
	}
	add("history", history(s.History))
	for _, a := range s.Anomalies {
		add("anomaly", words(a.Code, shown(a.Detail)))
	}
	return strings.Join(said, "; ")
}

func history(entries []api.HistoryEntry) string {
	told := make([]string, len(entries))
	for i, e := range entries {
		told[i] = words(e.Status, shown(e.Reason), shown(e.At))
	}
	return strings.Join(told, ", ")
}

func stands(s *api.Standing) string {
	line := fmt.Sprintf("%s: fulfillment %s, delivery %s, payment %s, outcome %s", s.State, s.Fulfillment, s.Delivery, s.Payment, s.Outcome)
	if s.Problem != nil {
		line += ", problem " + *s.Problem
	}
	return line
}

// axis gives the name of a value that a webhook states, empty where it states none.
func axis[V interface {
	domain.Fulfillment | domain.Delivery | domain.Payment | domain.Outcome
	fmt.Stringer
}](value *V) string {
	if value == nil {
		return ""
	}
	return (*value).String()
}

// words joins what is not empty.
func words(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), " ")
}
