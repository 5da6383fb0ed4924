package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// documentVersion is the version of the API that the OpenAPI document tells,
// which is not the program's: the document changes when the API does.
const documentVersion = "1"

// The tags that the operations are grouped by.
const (
	tagOrders     = "orders"
	tagWebhooks   = "webhooks"
	tagQuarantine = "quarantine"
	tagOperation  = "operation"
)

// Where the documents are.
const (
	openAPIPath  = "/openapi.json"
	asyncAPIPath = "/asyncapi.json"
	indexPath    = "/llms.txt"
)

// bearerScheme is the document's name of how tokens are sent.
const bearerScheme = "bearer"

// document is the OpenAPI document under construction, and the mux behind it.
type document struct{ huma huma.API }

func newDocument(mux *http.ServeMux) *document {
	config := huma.DefaultConfig("ticketrail", documentVersion)
	config.Info.Description = "Live, replayable order state, made from order webhooks. Prometheus metrics are at /metrics."
	// The pages that huma would serve load scripts from elsewhere, and its
	// document is made while requests race for it: this package serves its own.
	config.DocsPath, config.OpenAPIPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.Formats = map[string]huma.Format{typeJSON: jsonFormat(), "json": jsonFormat()}
	config.RejectUnknownQueryParameters = true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearerScheme: {Type: "http", Scheme: "bearer", Description: "A token, where there is one. Its scope is read, raw or admin; each holds those before it."},
	}
	config.Security = needs(ScopeRead)
	config.Tags = []*huma.Tag{
		{Name: tagOrders, Description: "What the read model knows."},
		{Name: tagWebhooks, Description: "What was received, byte for byte."},
		{Name: tagQuarantine, Description: "What was set aside, and what is done with it."},
		{Name: tagOperation, Description: "How ticketrail itself is."},
	}
	d := &document{}
	config.Transformers = []huma.Transformer{d.asProblem}
	d.huma = humago.New(mux, config)
	d.huma.UseMiddleware(badRequest, checkQuery)
	return d
}

// serveDocuments has the finished documents answer. They are fixed, and the same wherever
// the program runs.
func (h *handler) serveDocuments(d *document) {
	described := d.huma.OpenAPI()
	h.mux.HandleFunc("GET "+openAPIPath, fixed(typeJSON, indented(described)))
	h.mux.HandleFunc("GET "+asyncAPIPath, fixed(typeJSON, indented(newAsyncAPI(d))))
	h.mux.HandleFunc("GET "+indexPath, fixed("text/plain; charset=utf-8", index(described)))
}

func fixed(mediaType string, text []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = w.Write(text) // an error means that nobody reads any more
	}
}

func indented(document any) []byte {
	var text bytes.Buffer
	plain, err := json.Marshal(document)
	if err == nil {
		err = json.Indent(&text, plain, "", "  ")
	}
	if err != nil {
		panic(fmt.Sprintf("a document is not JSON: %v", err))
	}
	return append(text.Bytes(), '\n')
}

// example gives the body of a request as the document shows it.
func example(body any) *huma.RequestBody {
	return &huma.RequestBody{Content: map[string]*huma.MediaType{typeJSON: {Example: body}}}
}

// schema gives the schema of a type, which the document then holds.
func (d *document) schema(t reflect.Type) *huma.Schema {
	return d.huma.OpenAPI().Components.Schemas.Schema(t, true, "")
}

// badRequest makes huma's 422, which is about bodies, a 400.
func badRequest(ctx huma.Context, next func(huma.Context)) { next(badRequestContext{ctx}) }

type badRequestContext struct{ humaContext }

// Unwrap gives the context below, which knows the request.
func (c badRequestContext) Unwrap() huma.Context { return c.humaContext }

// humaContext is huma.Context under a name that its own method Context leaves free.
type humaContext huma.Context

func (c badRequestContext) SetStatus(status int) {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	c.humaContext.SetStatus(status)
}
