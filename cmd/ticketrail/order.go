package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// cellWidth is the number of runes that one cell of a table shows.
const cellWidth = 48

// tableTime is how tables write times, in milliseconds, so that they stand under
// one another. JSON has them as they are.
const tableTime = "2006-01-02T15:04:05.000Z"

// cells makes a row of whatever the API answers: an absent value is an empty
// cell, and no text of a provider reaches the terminal as it is.
func cells(values ...any) []any {
	row := make([]any, len(values))
	for i, value := range values {
		row[i] = clip(shown(value), cellWidth)
	}
	return row
}

// shown gives the text of a value, empty for nil.
func shown(value any) string {
	switch v := value.(type) {
	case *string:
		return orEmpty(v)
	case *domain.Amount:
		return string(orEmpty(v))
	case *domain.Instant:
		return shown(orEmpty(v))
	case domain.Instant:
		if v.IsZero() {
			return ""
		}
		return v.Time().Format(tableTime)
	}
	return fmt.Sprint(value)
}

func orEmpty[T any](value *T) (v T) {
	if value != nil {
		v = *value
	}
	return v
}

func money(amount *domain.Amount, currency *string) string {
	if amount == nil || currency == nil {
		return shown(amount)
	}
	return string(*amount) + " " + *currency
}

// printOrder prints all of an order: its single values, then each of its lists
// that is not empty.
func printOrder(p *program, o *api.Order) {
	printFacts(p.stdout, o)
	printList(p.stdout, "refunds", o.Refunds, []any{"id", "amount", "status", "reason", "at"}, func(r api.Refund) []any {
		return cells(r.ID, money(r.Amount, r.Currency), r.Status, r.Reason, r.At)
	})
	printList(p.stdout, "payments", o.Payments, []any{"id", "type", "amount", "status", "at"}, func(r api.Payment) []any {
		return cells(r.ID, r.Type, money(r.Amount, o.Currency), r.Status, r.At)
	})
	printList(p.stdout, "proofs of delivery", o.Proofs, []any{"id", "type", "bytes"}, func(r api.Proof) []any {
		return cells(r.ID, r.Type, r.Size)
	})
	printList(p.stdout, "anomalies", o.Anomalies, []any{"code", "detail", "stream sequence"}, func(a api.Anomaly) []any {
		return cells(a.Code, a.Detail, a.StreamSequence)
	})
}

func printFacts(w io.Writer, o *api.Order) {
	problem := ""
	if o.Problem != nil {
		problem = fmt.Sprintf("%s since %s", o.Problem.Reason, shown(o.Problem.Since))
	}
	table := newTable(w)
	for _, fact := range []struct {
		name  string
		value any
	}{
		{"source", o.Source},
		{"key", o.Key},
		{"state", fmt.Sprintf("%s since %s", o.State, shown(o.StateSince))},
		{"late since", lateSince(o)},
		{"expected next", strings.Join(o.ExpectedNext, ", ")},
		{"problem", problem},
		{"fulfillment", o.Fulfillment},
		{"delivery", o.Delivery},
		{"payment", o.Payment},
		{"outcome", o.Outcome},
		{"provider", o.Provider},
		{"provider status", o.ProviderStatus},
		{"store", o.StoreID},
		{"reference", o.Reference},
		{"description", o.Description},
		{"kind", o.FulfillmentKind},
		{"total", money(o.Total, o.Currency)},
		{"discount", money(o.Discount, o.Currency)},
		{"refunded", money(o.Refunded, o.Currency)},
		{"receipt", receipt(o.Receipt, o.Currency)},
		{"created", o.CreatedAt},
		{"completed", o.CompletedAt},
		{"first seen", o.FirstSeenAt},
		{"last seen", o.LastSeenAt},
		{"updated", o.UpdatedAt},
		{"version", o.Version},
		{"stream sequence", o.StreamSequence},
		{"erased", o.ErasedAt},
		{"withheld", withheld(o)},
	} {
		if text := shown(fact.value); text != "" {
			table.AppendRow([]any{fact.name, printable(text)})
		}
	}
	table.Render()
}

// withheld says what is not shown to who may not see it.
func withheld(o *api.Order) string {
	if !o.Redacted {
		return ""
	}
	return "reference, description and reasons: they need a token with the scope raw"
}

func receipt(r *api.Receipt, currency *string) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%s %s %s %s", shown(r.ID), money(r.Total, currency), shown(r.Method), shown(r.PaidAt))
}

func printList[T any](w io.Writer, name string, list []T, head []any, row func(T) []any) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", name)
	table := newTable(w, head...)
	for _, element := range list {
		table.AppendRow(row(element))
	}
	table.Render()
}
