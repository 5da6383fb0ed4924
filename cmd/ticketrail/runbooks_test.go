package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

const (
	runbooks   = "../../docs/runbooks"
	runbookURL = "https://github.com/ticketrail/ticketrail/blob/main/docs/runbooks/"
)

// chapters are those of each runbook, in their order.
var chapters = []string{"## What it means", "## How it shows", "## What to check", "## What to do"}

var (
	// chapter is a heading of a page.
	chapter = regexp.MustCompile(`(?m)^## .*$`)
	// inCode is what a page has between backticks, or on an indented line.
	inCode = regexp.MustCompile("`([^`\n]+)`|(?m)^ {4,}(.+)$")
	// ourMetric is a name of a metric in a page, as Prometheus has it.
	ourMetric = regexp.MustCompile(`\bticketrail_\w+`)
	// pageLink leads from a page to another file of the repository.
	pageLink = regexp.MustCompile(`\]\(([^):]+)\)`)
)

// Who is woken by an alert finds in it the address of a page that says what it means, how it
// shows, what to check and what to do; and the list of all of them has it.
func TestEachAlertHasARunbook(t *testing.T) {
	t.Parallel()
	list := text(t, runbooks, "README.md")
	severities := map[string]string{}
	for _, rule := range alertRules(t) {
		page := rule.Alert + ".md"
		severities[page] = rule.Labels["severity"]
		require.Equal(t, runbookURL+page, rule.Annotations["runbook_url"], rule.Alert)
		content := text(t, runbooks, page)
		require.True(t, strings.HasPrefix(content, "# "+rule.Alert+"\n\n## "), page)
		require.Equal(t, chapters, chapter.FindAllString(content, -1), page)
		require.Contains(t, list, "| ["+rule.Alert+"]("+page+") | "+rule.Labels["severity"], "the list of runbooks")
	}
	require.Greater(t, len(severities), 15)
	pages, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	require.NoError(t, err)
	require.Len(t, pages, len(severities)+1, "a runbook without an alert")
}

// Every command of a runbook is one that the program takes as it is written, every metric
// one that there is, and every link leads to a file.
func TestRunbooksNameWhatThereIs(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	require.NoError(t, err)
	metrics := text(t, "../../docs", "metrics.md")
	tried := map[string]bool{}
	for _, page := range pages {
		content := text(t, page)
		for _, metric := range ourMetric.FindAllString(content, -1) {
			require.Contains(t, metrics, "`"+strings.TrimSuffix(metric, "_sum")+"`", page)
		}
		for _, link := range pageLink.FindAllStringSubmatch(content, -1) {
			require.FileExists(t, filepath.Join(runbooks, link[1]), page)
		}
		for _, match := range inCode.FindAllStringSubmatch(content, -1) {
			typed, ours := strings.CutPrefix(match[1]+match[2], "ticketrail ")
			if ours && !tried[typed] {
				tried[typed] = true
				requireTypable(t, typed, page)
			}
		}
	}
	require.Greater(t, len(tried), 30)
}

// requireTypable requires that the program's parser takes a command that is written whole:
// it gets as far as to read a configuration that is not there, or a terminal.
func requireTypable(t *testing.T, typed, where string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, strings.Fields(typed)...)
	command.Env = append(command.Environ(), "TICKETRAIL_CONFIG="+filepath.Join(t.TempDir(), "none.yaml"))
	output, err := command.CombinedOutput()
	if err != nil {
		require.Regexp(t, `none\.yaml|no terminal`, string(output), "%s: %s", where, typed)
	}
}

// alertRule is what the tests look at of a rule.
type alertRule struct {
	Alert               string
	Labels, Annotations map[string]string
}

func alertRules(t *testing.T) (rules []alertRule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alertRule } }
	require.NoError(t, yaml.Unmarshal([]byte(text(t, "../../deploy/prometheus/alerts.yml")), &file))
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules
}

// text gives what a file holds.
func text(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(content)
}
