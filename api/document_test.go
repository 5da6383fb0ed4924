package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

var update = flag.Bool("update", false, "rewrite openapi.json and asyncapi.json")

// openAPI is as much of the document as the tests look at.
type openAPI struct {
	OpenAPI    string `json:"openapi"`
	Paths      map[string]map[string]described
	Components struct{ Schemas map[string]*schema }
}

type described struct {
	OperationID, Summary, Description string
	Tags                              []string
	Security                          []map[string][]string
	Parameters                        []parameter
	Responses                         map[string]struct {
		Description string
		Content     map[string]struct{ Schema *schema }
	}
}

// success gives the status of a success, empty where none is described.
func (d described) success() string {
	for _, status := range slices.Sorted(maps.Keys(d.Responses)) {
		if strings.HasPrefix(status, "2") {
			return status
		}
	}
	return ""
}

type parameter struct {
	Name, In, Description string
	Schema                *schema
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Description          string
	Properties           map[string]*schema
	Required             []string
	AdditionalProperties any
	Items                *schema
	Enum                 []any
	Examples             []any
}

func readDocument(t *testing.T) (document openAPI) {
	t.Helper()
	newLedger(t).serve().get("/openapi.json").into(&document)
	return document
}

// The documents in the repository are those that are served. -update rewrites them.
func TestOpenAPIIsCommitted(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve()
	for _, name := range []string{"openapi.json", "asyncapi.json"} {
		served := c.get("/" + name).Body
		if *update {
			require.NoError(t, os.WriteFile(name, []byte(served), 0o644))
		}
		committed, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, string(committed), served, "run: go test ./api -run TestOpenAPIIsCommitted -update")
	}
}

// The document says of every operation, parameter and property what it is.
func TestOpenAPIDescribesAll(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	require.Equal(t, "3.1.0", document.OpenAPI)
	for path, operations := range document.Paths {
		for method, op := range operations {
			require.NotEmpty(t, op.OperationID, "%s %s", method, path)
			require.NotEmpty(t, op.Summary, "%s %s", method, path)
			require.NotEmpty(t, op.Description, "%s %s", method, path)
			require.Len(t, op.Tags, 1, "%s %s", method, path)
			require.NotEmpty(t, op.success(), "%s %s", method, path)
			require.Contains(t, op.Responses, "default", "%s %s", method, path)
			for _, p := range op.Parameters {
				require.NotEmpty(t, p.Description, "%s %s: %s", method, path, p.Name)
				if p.In == "path" {
					require.NotEmpty(t, p.Schema.Examples, "%s %s: %s", method, path, p.Name)
				}
			}
		}
	}
	for name, s := range document.Components.Schemas {
		for property, p := range s.Properties {
			require.True(t, p.Description != "" || p.Ref != "", "%s.%s", name, property)
		}
	}
	require.NotContains(t, document.Components.Schemas, "ErrorModel")
}

// The document names the values of the domain, all of them and in their order.
func TestOpenAPINamesTheDomainsValues(t *testing.T) {
	t.Parallel()
	schemas := readDocument(t).Components.Schemas
	for _, name := range []string{"Order", "OrderCount", "TimeInState", "TimelineEntry"} {
		require.Equal(t, namesUpTo(domain.StateCanceled), schemas[name].Properties["state"].Enum, name)
	}
	order := schemas["Order"].Properties
	require.Equal(t, namesUpTo(domain.FulfillmentHandedOver), order["fulfillment"].Enum)
	require.Equal(t, namesUpTo(domain.DeliveryDelivered), order["delivery"].Enum)
	require.Equal(t, namesUpTo(domain.PaymentDisputed), order["payment"].Enum)
	require.Equal(t, namesUpTo(domain.OutcomeCanceled), order["outcome"].Enum)
	for _, effect := range []domain.Effect{
		domain.EffectAdvanced, domain.EffectUpdated, domain.EffectNoChange, domain.EffectLate,
		domain.EffectContradiction, domain.EffectBackfilled, domain.EffectDuplicate,
	} {
		require.Contains(t, schemas["TimelineEntry"].Properties["effect"].Enum, string(effect))
	}
}

func namesUpTo[V interface {
	~uint8
	fmt.Stringer
}](last V) (names []any) {
	for v := V(0); v <= last; v++ {
		names = append(names, v.String())
	}
	return names
}

// Every example of the document works: each operation that reads, with the
// examples of its path, alone and with the example of each of its parameters, is answered, and
// the answer is what the document says.
func TestOpenAPIExamples(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.apply("ivy", "ivy", withHistory("i-1"))
	l.quarantine("runa", domain.CauseKeyMissing, "/id")
	c := l.serve(func(c *api.Config) {
		c.Projector = func() (bool, string, string) { return true, "", "" }
		c.Pulse = api.NewPulse(l.Model, l, now, nil)
		workshop := newWorkshop(l)
		c.Rebuilds, c.Snapshots = workshop, workshop
	})
	document := readDocument(t)
	for path, operations := range document.Paths {
		if _, reads := operations["get"]; !reads {
			continue
		}
		if _, endless := operations["get"].Responses["200"].Content["text/event-stream"]; endless {
			continue // its answer does not end
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
