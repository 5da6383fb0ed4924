package main_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// apiWords are what the API says of itself: a method with its path, or the name of a parameter.
var apiWords = regexp.MustCompile(`(GET|POST|DELETE) |/v1/|[a-z]+_[a-z]+`)

// Whatever the API's own words are for what to do next, a command gives those that can be
// typed.
func TestTheAPIsWordsAreNotTheCommands(t *testing.T) {
	t.Parallel()
	details := apiDetails(t)
	require.Greater(t, len(details), 5)
	for _, detail := range details {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				w.WriteHeader(http.StatusNotFound)
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"title": "No", "detail": detail, "hint": detail})
		}))
		said, err := exec.CommandContext(t.Context(), binary, "orders", "get", "ivy", "17", "--api-listen", strings.TrimPrefix(server.URL, "http://")).CombinedOutput()
		server.Close()
		require.Error(t, err)
		require.Contains(t, string(said), "the api answers 404: No: ")
		require.NotRegexp(t, apiWords, strings.ReplaceAll(string(said), "stream.max_bytes", ""))
	}
}

// apiDetails gives the texts of the API's problems that hold words of its own.
func apiDetails(t *testing.T) (details []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/problem.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING || strings.HasPrefix(literal.Value, "`") {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		require.NoError(t, err)
		if strings.Contains(text, " ") && apiWords.MatchString(text) {
			details = append(details, text)
		}
		return true
	})
	return details
}
