package app_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
)

var update = flag.Bool("update", false, "rewrite docs/metrics.md")

// hostile is what a sender writes, wherever it can.
const hostile = "kanarie"

// family is a metric of a running program.
type family struct {
	name, kind, help string
	labels           []string            // sorted
	values           map[string][]string // of the labels
}

// observed runs a program with all of its parts, sends it orders of a hostile sender until
// each metric that it has shows something, and gives them all, sorted by name.
func observed(t *testing.T) []family {
	t.Helper()
	c := settings(t)
	c.Orders.Publish, c.Archive.Store = "true", t.TempDir()
	c.Limits = config.Limits{domain.StateAccepted: config.Duration(time.Nanosecond)}
	p := run(t, c, options())
	p.send("ivy", ivyOrder(hostile, 1, hostile, hostile))
	p.send("ivy", `{"id":"`+hostile+`"}`)
	p.ordatic("order-accepted", hostile)
	_, err := p.sender("ordatic").Send(p.t.Context(), hostile, []byte(`{"eventType":"`+hostile+`","data":{"orderId":"`+hostile+`"}}`))
	require.NoError(t, err)
	for _, url := range []string{
		p.Addresses().Ingest + "/webhooks/" + hostile, p.Addresses().API + "/" + hostile,
		p.Addresses().API + "/v1/orders/ordatic/" + hostile, p.Addresses().API + "/v1/orders?q=" + hostile,
	} {
		status(t, url)
	}
	var families []family
	require.Eventually(t, func() bool {
		families = gather(t, p.Metrics())
		return len(ours(families)) >= described(p.Metrics())
	}, patience, 50*time.Millisecond, "the watcher looks every few seconds")
	problems, err := testutil.GatherAndLint(p.Metrics())
	require.NoError(t, err)
	require.Empty(t, problems)
	_, page, err := p.ask(http.MethodGet, "/metrics", nil)
	require.NoError(t, err)
	require.NotContains(t, string(page), hostile)
	return families
}

// described tells how many metrics a registry has, those included that show nothing yet.
func described(registry *prometheus.Registry) int {
	descriptions := make(chan *prometheus.Desc)
	go func() {
		registry.Describe(descriptions)
		close(descriptions)
	}()
	names := map[string]bool{}
	for d := range descriptions {
		if name := ofDescription.FindStringSubmatch(d.String()); strings.HasPrefix(name[1], "ticketrail_") {
			names[name[1]] = true
		}
	}
	return len(names)
}

var ofDescription = regexp.MustCompile(`fqName: "([^"]*)"`)

// gather gives the metrics that show something.
func gather(t *testing.T, registry *prometheus.Registry) (families []family) {
	t.Helper()
	gathered, err := registry.Gather()
	require.NoError(t, err)
	for _, g := range gathered {
		f := family{name: g.GetName(), kind: strings.ToLower(g.GetType().String()), help: g.GetHelp(), values: map[string][]string{}}
		for _, m := range g.GetMetric() {
			for _, pair := range m.GetLabel() {
				f.values[pair.GetName()] = append(f.values[pair.GetName()], pair.GetValue())
			}
		}
		for label := range f.values {
			f.labels = append(f.labels, label)
		}
		slices.Sort(f.labels)
		families = append(families, f)
	}
	return families
}

// ours leaves out what the clients of Go and of the process show.
func ours(families []family) []family {
	return slices.DeleteFunc(slices.Clone(families), func(f family) bool { return !strings.HasPrefix(f.name, "ticketrail_") })
}

// mayLabel is what labels may be: names of ours or of the configuration, of which there
// are few. An order's id or key would make a series for each order.
var mayLabel = []string{
	"folder", "go_version", "kind", "listener", "outcome", "reason", "result", "route", "secret", "source", "state", "status", "version",
}

// Every metric is well named, explained in docs/metrics.md, and holds nothing of a sender:
// neither in its labels nor in their values. `make golden` writes the page.
func TestGoldenMetrics(t *testing.T) {
	t.Parallel()
	families := ours(observed(t))
	for _, f := range families {
		for label, values := range f.values {
			require.Contains(t, mayLabel, label, f.name)
			require.NotContains(t, strings.Join(values, "\n"), hostile, f.name)
		}
	}
	const file = "../../../docs/metrics.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(metricsPage(families)), 0o600))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(kept), metricsPage(families), "make golden writes it anew")
}

const metricsHead = "# Metrics\n\n" +
	"`make golden` writes this page from the metrics of a program that runs. `GET /metrics` of the API gives them in Prometheus' format, beside those\n" +
	"of the Go runtime (`go_…`) and of the process (`process_…`); once there is a token, a scraper needs one with the scope `read`. What a sender wrote is\n" +
	"in none of them: labels are names of the configuration and words of ticketrail's own. Counters begin at 0 with each start.\n\n" +
	"Dashboards and alerts that use them: [grafana.md](grafana.md).\n\n" +
	"| metric | type | labels | meaning |\n|---|---|---|---|\n"

func metricsPage(families []family) string {
	var page strings.Builder
	page.WriteString(metricsHead)
	for _, f := range families {
		labels := make([]string, len(f.labels))
		for i, label := range f.labels {
			labels[i] = "`" + label + "`"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", f.name, f.kind, strings.Join(labels, ", "), f.help)
	}
	return page.String()
}
