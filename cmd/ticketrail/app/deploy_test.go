package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// The dashboards and alert rules ask only for metrics that a running program has, by
// labels that these have.
func TestDashboardsAndAlertsNameMetricsThatExist(t *testing.T) {
	t.Parallel()
	known := map[string][]string{"up": nil} // this one is Prometheus' own
	families := observed(t)
	for _, f := range families {
		known[f.name] = f.labels
		if f.kind == "histogram" {
			known[f.name+"_bucket"] = append(slices.Clone(f.labels), "le")
			known[f.name+"_sum"], known[f.name+"_count"] = f.labels, f.labels
		}
		if f.kind == "summary" {
			known[f.name] = []string{"quantile"}
		}
	}
	asked := map[string]bool{}
	for where, expression := range expressions(t) {
		q, err := parseQuery(expression)
		require.NoError(t, err, "%s: %s", where, expression)
		require.NotEmpty(t, q.metrics, "%s: %s", where, expression)
		var all []string
		for metric, labels := range q.metrics {
			require.Contains(t, known, metric, where)
			asked[strings.TrimSuffix(metric, "_bucket")] = true
			may := append(slices.Clone(known[metric]), "instance", "job")
			all = append(all, may...)
			for _, label := range labels {
				require.Contains(t, may, label, "%s: %s", where, metric)
			}
		}
		for _, label := range q.grouped {
			require.Contains(t, all, label, "%s: %s", where, expression)
		}
	}
	for _, f := range ours(families) {
		require.Contains(t, asked, f.name, "nobody looks at it")
	}
}

// board is what the test looks at of a dashboard.
type board struct {
	UID           string `json:"uid"`
	Title         string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Definition string }
	}
	Annotations struct {
		List []struct{ Name, Expr string }
	}
	Panels []struct {
		ID      int `json:"id"`
		Type    string
		Title   string
		Options map[string]json.RawMessage
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ RefID, Expr string }
	}
}

// rules is a file of alert rules.
type rules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

// expressions gives what the dashboards and the rules ask Prometheus, by where they do.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, b := range boards(t) {
		for _, v := range b.Templating.List {
			if asked := ofLabelValues.FindStringSubmatch(v.Definition); asked != nil {
				all[name+" "+v.Name] = asked[1] + "{" + asked[2] + `=""}`
			}
		}
		for _, a := range b.Annotations.List {
			all[name+" "+a.Name] = a.Expr
		}
		for _, p := range b.Panels {
			for _, target := range p.Targets {
				all[name+" "+p.Title+" "+target.RefID] = target.Expr
			}
		}
	}
	for _, group := range alerts(t).Groups {
		for _, rule := range group.Rules {
			all[rule.Alert] = rule.Expr
		}
	}
	return all
}

var ofLabelValues = regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`)

func boards(t *testing.T) map[string]board {
	t.Helper()
	files, err := filepath.Glob("../../../deploy/grafana/*.json")
	require.NoError(t, err)
	require.Len(t, files, 6)
	all := map[string]board{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var b board
		require.NoError(t, json.Unmarshal(content, &b), file)
		all[filepath.Base(file)] = b
	}
	return all
}

func alerts(t *testing.T) (read rules) {
	t.Helper()
	content, err := os.ReadFile("../../../deploy/prometheus/alerts.yml")
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalWithOptions(content, &read, yaml.Strict()))
	return read
}

// panelOptions are what Grafana's schema demands of each type of panel (Grafana Foundation SDK
// 0.0.22, which reads all of the files strictly). Grafana fills in what lacks, and then holds
// the dashboard for changed.
var panelOptions = map[string][]string{
	"timeseries": {"legend", "tooltip"},
	"stat": {
		"reduceOptions", "colorMode", "graphMode", "justifyMode", "textMode", "wideLayout", "showPercentChange", "percentChangeColorMode", "orientation",
	},
	"state-timeline": {"legend", "tooltip", "rowHeight", "mergeValues", "showValue"},
}

// A dashboard can be imported again and stays the same one: its id is fixed, and so is the
// form that it is written in. No two panels share an id or a place.
func TestDashboardsAreWellFormed(t *testing.T) {
	t.Parallel()
	uids := map[string]bool{}
	for name, b := range boards(t) {
		require.Equal(t, "ticketrail-"+strings.TrimSuffix(name, ".json"), b.UID)
		require.Equal(t, 41, b.SchemaVersion, name)
		require.NotEmpty(t, b.Title, name)
		require.False(t, uids[b.UID], name)
		uids[b.UID] = true
		ids, titles, taken := map[int]bool{}, map[string]bool{}, map[[2]int]bool{}
		for _, p := range b.Panels {
			require.False(t, ids[p.ID] || titles[p.Title], "%s: panel %d, %s", name, p.ID, p.Title)
			ids[p.ID], titles[p.Title] = true, true
			require.NotEmpty(t, p.Targets, "%s: %s", name, p.Title)
			require.Contains(t, panelOptions, p.Type, "%s: %s", name, p.Title)
			for _, option := range panelOptions[p.Type] {
				require.Contains(t, p.Options, option, "%s: %s", name, p.Title)
			}
			require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, "%s: %s", name, p.Title)
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					require.False(t, taken[at], "%s: %s covers another panel", name, p.Title)
					taken[at] = true
				}
			}
		}
	}
}

// Who is woken by an alert reads in it what to do.
func TestAlertsSayWhatToDo(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, group := range alerts(t).Groups {
		for _, rule := range group.Rules {
			require.False(t, names[rule.Alert], rule.Alert)
			names[rule.Alert] = true
			require.Contains(t, []string{"page", "ticket"}, rule.Labels["severity"], rule.Alert)
			require.GreaterOrEqual(t, strings.Count(rule.Annotations["summary"], " "), 10, rule.Alert)
			require.True(t, strings.HasSuffix(rule.Annotations["summary"], "."), rule.Alert)
		}
	}
	require.Greater(t, len(names), 15)
}

// The files that tell Prometheus and Grafana where everything is are read by a parser at
// least.
func TestProvisioningIsWellFormed(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"prometheus/prometheus.yml", "grafana/provisioning/dashboards.yaml", "grafana/provisioning/datasources.yaml"} {
		content, err := os.ReadFile(filepath.Join("../../../deploy", file))
		require.NoError(t, err)
		var read map[string]any
		require.NoError(t, yaml.UnmarshalWithOptions(content, &read), file)
		require.NotEmpty(t, read, file)
	}
}
