package provider_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

const (
	eventsBegin = "<!-- events:begin -->\n"
	eventsEnd   = "<!-- events:end -->"
)

// Each provider has a page for its users, with a table of what each of its webhooks does
// that is made of what it does. With -update the test writes the table anew.
func TestGoldenPages(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		page := filepath.Join("../../docs/providers", p.Name()+".md")
		document, err := os.ReadFile(page)
		require.NoError(t, err)
		before, rest, begins := strings.Cut(string(document), eventsBegin)
		written, after, ends := strings.Cut(rest, eventsEnd)
		require.True(t, begins && ends, "%s has no place for the table", page)

		table := eventTable(t, p)
		if *update {
			require.NoError(t, os.WriteFile(page, []byte(before+eventsBegin+table+eventsEnd+after), 0o644))
			continue
		}
		require.Equal(t, table, written, "%s: make golden", page)
	}
}

// eventTable tells what each webhook of the test data does; those that are about no order
// share the last row.
func eventTable(t *testing.T, p provider.Provider) string {
	var table strings.Builder
	table.WriteString("\n| webhook | what it says of the order |\n|---|---|\n")
	webhooks := files(t, filepath.Join(testdata, "webhooks", p.Name()))
	var others []string
	for _, name := range slices.Sorted(maps.Keys(webhooks)) {
		event, err := p.Translate(webhook(p, string(webhooks[name])))
		name = "`" + strings.TrimSuffix(name, ".json") + "`"
		if errors.Is(err, domain.ErrNotAboutOrder) {
			others = append(others, name)
			continue
		}
		require.NoError(t, err)
		fmt.Fprintf(&table, "| %s | %s |\n", name, strings.Join(sayings(event), "; "))
	}
	if len(others) > 0 {
		fmt.Fprintf(&table, "| %s | not about an order: stored and counted |\n", strings.Join(others, ", "))
	}
	return table.String() + "\n"
}

// sayings tells what an event says, in the words of the API.
func sayings(e *domain.Event) []string {
	says := []string{e.Kind.String()}
	add := func(what, value string) {
		if value != "" && value != "none" && value != "open" {
			says = append(says, what+" **"+value+"**")
		}
	}
	add("fulfillment", e.Standing.Fulfillment.String())
	add("delivery", e.Standing.Delivery.String())
	add("payment", e.Standing.Payment.String())
	add("outcome", e.Standing.Outcome.String())
	add("problem", e.Standing.Problem)
	add("kind", e.FulfillmentKind)
	if len(e.Refunds) > 0 {
		says = append(says, "with refunds")
	}
	if len(e.Payments) > 0 {
		says = append(says, "with its payments")
	}
	if e.Proof != nil {
		says = append(says, "with the proof of delivery, "+e.Proof.Type)
	}
	if len(e.History) > 0 {
		says = append(says, "with the statuses before it")
	}
	for _, a := range e.Anomalies {
		says = append(says, "anomaly `"+a.Code+"`")
	}
	return slices.Compact(says)
}
