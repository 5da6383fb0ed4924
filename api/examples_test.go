package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// Every example of the document works: each operation that reads, with the
// examples of its path, alone and with the example of each of its parameters, is answered, and
// the answer is what the document says; one that has no end begins so.
func TestOpenAPIExamples(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.apply("ivy", "ivy", withHistory("i-1"))
	l.quarantine("runa", domain.CauseKeyMissing, "/id")
	c := l.serve(func(c *api.Config) {
		c.Projector = func() (bool, string, string) { return true, "", "" }
		c.Pulse = api.NewPulse(l.Model, l, now, nil)
		c.Arrivals = new(api.Arrivals)
		workshop := newWorkshop(l)
		c.Rebuilds, c.Snapshots = workshop, workshop
	})
	document := readDocument(t)
	for path, operations := range document.Paths {
		if _, reads := operations["get"]; !reads {
			continue
		}
		for _, query := range exampleQueries(operations["get"].Parameters) {
			examplePath := examplePath(path, operations["get"].Parameters)
			answer := c.get(examplePath + query)
			require.Equal(t, http.StatusOK, answer.Status, "%s%s: %s", examplePath, query, answer.Body)
			contentType := answer.Header.Get("Content-Type")
			content := operations["get"].Responses["200"].Content
			require.Contains(t, content, contentType, path)
			if contentType == "application/json" {
				var value any
				require.NoError(t, json.Unmarshal([]byte(answer.Body), &value))
				document.fits(t, examplePath, content[contentType].Schema, value)
			}
		}
	}
}

// So does every example of what changes something: its body with the example of each of its
// headers, at the examples of its path.
func TestOpenAPIExamplesOfActs(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	for path, operations := range document.Paths {
		for method, op := range operations {
			if method == "get" {
				continue
			}
			body, isBody := op.RequestBody.Content["application/json"]
			require.Equal(t, isBody, len(body.Example) > 0, "%s has no example", op.OperationID)
			var headers []string
			for _, p := range op.Parameters {
				if p.In == "header" {
					headers = append(headers, fmt.Sprint(p.Name, ": ", p.Example))
				}
			}
			require.NotEmpty(t, headers, op.OperationID)
			at := examplePath(path, op.Parameters)
			answer := serveActs(t, op).ask(strings.ToUpper(method), at, string(body.Example), headers...)
			require.Equal(t, op.success(), strconv.Itoa(answer.Status), "%s: %s", at, answer.Body)
			if described, hasBody := op.Responses[op.success()].Content["application/json"]; hasBody {
				var value any
				require.NoError(t, json.Unmarshal([]byte(answer.Body), &value))
				document.fits(t, at, described.Schema, value)
			}
		}
	}
}

// serveActs serves what the examples of an operation speak of: the pizza and two rebuilds
// or, since decisions need a stream, twelve requests with a wrong secret.
func serveActs(t *testing.T, op described) *client {
	t.Helper()
	if op.Tags[0] == "quarantine" {
		p := startPipeline(t)
		for n := range 12 {
			p.reject(provider.Ivy{}, 2, `{"type":"order_updated"}`, n)
		}
		return p.client
	}
	l := newLedger(t)
	l.pizza()
	return l.serve(func(c *api.Config) { c.Rebuilds, c.Eraser = newWorkshop(l), eraser{l} })
}

func examplePath(path string, parameters []parameter) string {
	for _, p := range parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(fmt.Sprint(p.Schema.Examples[0])))
		}
	}
	return path
}

func exampleQueries(parameters []parameter) []string {
	queries := []string{""}
	for _, p := range parameters {
		if p.In != "query" || len(p.Schema.Examples) == 0 {
			continue
		}
		values := url.Values{}
		list, isList := p.Schema.Examples[0].([]any)
		if !isList {
			list = p.Schema.Examples
		}
		for _, value := range list {
			values.Add(p.Name, fmt.Sprint(value))
		}
		queries = append(queries, "?"+values.Encode())
	}
	return queries
}

// fits requires that a value is what a schema says, as far as this document's
// schemas say it.
func (d openAPI) fits(t *testing.T, where string, s *schema, value any) {
	t.Helper()
	if s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
		require.NotNil(t, s, where)
	}
	allowed, isList := s.Type.([]any)
	if !isList {
		allowed = []any{s.Type}
	}
	require.Contains(t, allowed, kindOf(value, allowed), where)
	if s.Enum != nil {
		require.Contains(t, s.Enum, value, where)
	}
	switch value := value.(type) {
	case map[string]any:
		require.ElementsMatch(t, slices.Collect(maps.Keys(s.Properties)), slices.Collect(maps.Keys(value)), where)
		for name, property := range value {
			d.fits(t, where+"."+name, s.Properties[name], property)
		}
	case []any:
		for i, item := range value {
			d.fits(t, fmt.Sprintf("%s[%d]", where, i), s.Items, item)
		}
	}
}

func kindOf(value any, allowed []any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if value == float64(int64(value)) && slices.Contains(allowed, any("integer")) {
			return "integer"
		}
		return "number"
	}
	return "object"
}
