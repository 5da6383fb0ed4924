package api

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// indexHead begins the index. The form is that of llmstxt.org: headings, and lists of links.
const indexHead = `# ticketrail

> %s

Errors are problem details (RFC 9457), whose type leads to an explanation. A list gives itself in pages: next_cursor, and Link with rel="next". What changes
something is sent with Content-Type: application/json. Where there is a token, it is sent as Authorization: Bearer.

## Documents

- [OpenAPI](/openapi.json): every operation with its parameters, its answers and examples
- [AsyncAPI](/asyncapi.json): the subjects and messages of the streams
- [Documentation](/docs): the first as a page for people
`

// index gives the OpenAPI document in short, for programs and people who read text: what
// there is, in a line each.
func index(described *huma.OpenAPI) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, indexHead, described.Info.Description)
	for _, tag := range described.Tags {
		fmt.Fprintf(&text, "\n## %s\n\n%s\n\n", tag.Name, tag.Description)
		for _, path := range slices.Sorted(maps.Keys(described.Paths)) {
			for _, op := range operationsOf(described.Paths[path]) {
				if slices.Contains(op.Tags, tag.Name) {
					fmt.Fprintf(&text, "- `%s %s`: %s\n", op.Method, path, op.Summary)
				}
			}
		}
	}
	return text.Bytes()
}

// operationsOf gives the operations of a path, those that read first.
func operationsOf(item *huma.PathItem) (operations []*huma.Operation) {
	for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
		if op != nil {
			operations = append(operations, op)
		}
	}
	return operations
}
