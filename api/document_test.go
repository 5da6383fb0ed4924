package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
	RequestBody                       struct {
		Content map[string]struct{ Example json.RawMessage }
	}
	Responses map[string]struct {
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
	Example               any
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
