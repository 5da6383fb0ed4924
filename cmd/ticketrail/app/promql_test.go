package app_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// query is what a PromQL expression asks for.
type query struct {
	metrics map[string][]string // with the labels that they are chosen by
	grouped []string            // the labels that they are grouped or matched by
}

// promQL is a token: space, text, selector's or other bracket, number or duration, range,
// name, operator.
var promQL = regexp.MustCompile(`^(?:\s+|"(?:[^"\\]|\\.)*"|\[(?:[0-9]+[smhdwy]|\$__\w+)\]|[0-9.]+(?:e[0-9]+)?|[a-zA-Z_:][\w:]*|[=!]~|[=!<>]=|[-+*/%^<>=(){},])`)

// words stand between what is asked for.
var words = []string{"and", "or", "unless", "bool", "offset"}

// grouping words have a list of labels behind them.
var grouping = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}

// parseQuery reads as much of PromQL as is needed to know of every name in an expression
// whether it is a function, a label or a metric. What it cannot tell is an error.
func parseQuery(expression string) (query, error) {
	tokens, err := tokensOf(expression)
	q := query{metrics: map[string][]string{}}
	for i := 0; i < len(tokens) && err == nil; i++ {
		next := ""
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		switch token := tokens[i]; {
		case slices.Contains(grouping, token):
			var labels []string
			labels, i, err = list(tokens, i+1, "(", ")")
			q.grouped = append(q.grouped, labels...)
		case !isName(token), slices.Contains(words, token), next == "(", slices.Contains(grouping, next):
		case next == "{":
			var labels []string
			labels, i, err = list(tokens, i+1, "{", "}")
			q.metrics[token] = append(q.metrics[token], labels...)
		default:
			q.metrics[token] = append(q.metrics[token], []string{}...)
		}
		if i < len(tokens) && err == nil && tokens[i] == "{" {
			err = fmt.Errorf("a selector without a metric")
		}
	}
	return q, err
}

func tokensOf(expression string) (tokens []string, err error) {
	for expression != "" {
		token := promQL.FindString(expression)
		if token == "" {
			return nil, fmt.Errorf("no token at %q", expression)
		}
		expression = expression[len(token):]
		if token = strings.TrimSpace(token); token != "" {
			tokens = append(tokens, token)
		}
	}
	return tokens, nil
}

// list gives the names in a pair of brackets, and where it ends.
func list(tokens []string, at int, open, end string) (names []string, last int, err error) {
	if at >= len(tokens) || tokens[at] != open {
		return nil, at, fmt.Errorf("no %s where a list should begin", open)
	}
	for at++; at < len(tokens); at++ {
		if tokens[at] == end {
			return names, at, nil
		}
		if isName(tokens[at]) {
			names = append(names, tokens[at])
		}
	}
	return nil, at, fmt.Errorf("a list without its %s", end)
}

func isName(token string) bool {
	return token != "" && (token[0] == '_' || token[0] == ':' || token[0] >= 'a' && token[0] <= 'z' || token[0] >= 'A' && token[0] <= 'Z')
}

// A name in an expression that is not a function is found to be a metric or a label,
// wherever it stands, so none can be mistyped unseen.
func TestParseQuery(t *testing.T) {
	t.Parallel()
	for expression, wanted := range map[string]query{
		`up{job="a"} == 0`: {metrics: map[string][]string{"up": {"job"}}},
		`sum by (le, s) (rate(a_bucket{x=~"b{c}", y!="\""}[$__rate_interval])) > 0`: {
			metrics: map[string][]string{"a_bucket": {"x", "y"}}, grouped: []string{"le", "s"},
		},
		`a / (b > 0) and on (i) c`:     {metrics: map[string][]string{"a": {}, "b": {}, "c": {}}, grouped: []string{"i"}},
		`sum(a) by (x) < 1e15`:         {metrics: map[string][]string{"a": {}}, grouped: []string{"x"}},
		`time() - a:b offset 5 != a:b`: {metrics: map[string][]string{"a:b": {}}},
	} {
		q, err := parseQuery(expression)
		require.NoError(t, err, expression)
		require.Len(t, q.metrics, len(wanted.metrics), expression)
		for metric, labels := range wanted.metrics {
			require.ElementsMatch(t, labels, q.metrics[metric], expression)
		}
		require.Equal(t, wanted.grouped, q.grouped, expression)
	}
	for _, wrong := range []string{`{job="a"}`, `a{x="b"`, `sum by x (a)`, `a[5]`, `a @ b`, `a{x="b}`, `'a'`} {
		_, err := parseQuery(wrong)
		require.Error(t, err, wrong)
	}
}
