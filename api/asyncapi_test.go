package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// asyncAPI is as much of the document as the tests look at.
type asyncAPI struct {
	AsyncAPI string
	Channels map[string]struct {
		Address    string
		Parameters map[string]struct {
			Description string
			Enum        []string
		}
		Messages map[string]schema
	}
	Operations map[string]struct {
		Action   string
		Channel  schema
		Messages []schema
	}
	Components struct {
		Messages map[string]struct{ Headers, Payload *schema }
		Schemas  map[string]*schema
	}
}

// The document of the streams says what their subjects are made of, and every reference in
// it leads to something.
func TestAsyncAPIDescribesTheSubjects(t *testing.T) {
	t.Parallel()
	var document asyncAPI
	c := newLedger(t).serve()
	answer := c.get("/asyncapi.json")
	answer.into(&document)
	require.Equal(t, "3.1.0", document.AsyncAPI)
	require.Equal(t, "webhooks.{provider}.{source}.{event}", document.Channels["webhook"].Address)
	require.Equal(t, "orders.{source}.{state}", document.Channels["orderChanged"].Address)
	require.Equal(t, "orders.{source}.alert.{kind}", document.Channels["alert"].Address)
	for _, channel := range document.Channels {
		for _, token := range strings.Split(channel.Address, ".") {
			if name := strings.Trim(token, "{}"); name != token {
				require.NotEmpty(t, channel.Parameters[name].Description, name)
			}
		}
	}
	var names []string
	for _, p := range provider.All() {
		names = append(names, p.Name())
	}
	require.Equal(t, names, document.Channels["webhook"].Parameters["provider"].Enum)
	require.Len(t, document.Channels["orderChanged"].Parameters["state"].Enum, len(domain.States()))

	var whole any
	require.NoError(t, json.Unmarshal([]byte(answer.Body), &whole))
	require.Greater(t, requireReferences(t, whole, whole), 10)
}

// The change that is published has the very schema that the feed has in OpenAPI.
func TestAsyncAPIHasTheSchemasOfOpenAPI(t *testing.T) {
	t.Parallel()
	var document asyncAPI
	newLedger(t).serve().get("/asyncapi.json").into(&document)
	require.Equal(t, "#/components/schemas/Change", document.Components.Messages["orderChanged"].Payload.Ref)
	described := readDocument(t).Components.Schemas
	for name, s := range document.Components.Schemas {
		require.Equal(t, described[name], s, name)
	}
	require.Contains(t, document.Components.Schemas, "Order")
}

// requireReferences follows each reference in a part of a document, and counts them.
func requireReferences(t *testing.T, whole, part any) (found int) {
	t.Helper()
	switch part := part.(type) {
	case map[string]any:
		if ref, is := part["$ref"].(string); is {
			at := whole
			for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
				at = at.(map[string]any)[step]
				require.NotNil(t, at, ref)
			}
			found++
		}
		for _, value := range part {
			found += requireReferences(t, whole, value)
		}
	case []any:
		for _, value := range part {
			found += requireReferences(t, whole, value)
		}
	}
	return found
}

// The index has a line for every operation, and names the documents.
func TestTheIndexNamesEveryOperation(t *testing.T) {
	t.Parallel()
	answer := newLedger(t).serve().get("/llms.txt")
	require.Equal(t, "text/plain; charset=utf-8", answer.Header.Get("Content-Type"))
	require.True(t, strings.HasPrefix(answer.Body, "# ticketrail\n\n> "))
	for path, operations := range readDocument(t).Paths {
		for method, op := range operations {
			require.Contains(t, answer.Body, "- `"+strings.ToUpper(method)+" "+path+"`: "+op.Summary+"\n")
		}
	}
	for _, path := range []string{"/openapi.json", "/asyncapi.json", "/docs"} {
		require.Contains(t, answer.Body, "]("+path+")")
	}
}
