package api

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// lacking is how huma says that a body lacks a field.
var lacking = regexp.MustCompile(`^expected required property (\S+) to be present$`)

// asProblem turns what huma says of a request that it cannot use into a problem. The
// values are left out: who sent them knows them. A body that is none has no error of its
// own in huma.
func (d *document) asProblem(ctx huma.Context, _ string, body any) (any, error) {
	model, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	problem := problemOf(errParameter)
	for _, e := range model.Errors {
		problem.Errors = append(problem.Errors, d.unusable(ctx.Operation(), e))
	}
	if fields := d.fields(ctx.Operation()); fields != nil && len(problem.Errors) == 0 {
		problem.Errors = []ParameterProblem{{Parameter: "body", Message: "is empty: " + takes(fields)}}
	}
	return problem, nil
}

// unusable tells of one part of a request, and of what there could be in its place.
func (d *document) unusable(op *huma.Operation, e *huma.ErrorDetail) ParameterProblem {
	fields := d.fields(op)
	if e.Location == "body" && fields != nil {
		if lacks := lacking.FindStringSubmatch(e.Message); lacks != nil {
			return ParameterProblem{Parameter: "body." + lacks[1], Message: "is missing: " + takes(fields)}
		}
		return ParameterProblem{Parameter: e.Location, Message: e.Message + ": " + takes(fields)}
	}
	message := e.Message
	if name, in := strings.CutPrefix(e.Location, "query."); in {
		message = cmp.Or(unknown("parameter", name, queryParameters(op)), message)
	} else if name, in := strings.CutPrefix(e.Location, "body."); in && fields != nil && !strings.Contains(name, ".") {
		message = cmp.Or(unknown("field", name, slices.Sorted(maps.Keys(fields.Properties))), message)
	}
	return ParameterProblem{Parameter: e.Location, Message: message}
}

// unknown says what there is, for a name that there is not; empty for one that there is.
func unknown(of, name string, among []string) string {
	if err := domain.Known(of, name, among); err != nil {
		return err.Error()
	}
	return ""
}

func queryParameters(op *huma.Operation) (names []string) {
	for _, p := range op.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// fields gives the schema of the body that an operation takes, nil where it takes none.
func (d *document) fields(op *huma.Operation) *huma.Schema {
	if op.RequestBody == nil {
		return nil
	}
	schema := op.RequestBody.Content[typeJSON].Schema
	if schema != nil && schema.Ref != "" {
		schema = d.huma.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	return schema
}

// takes says what a body is made of: "send a JSON object with reason; it may have plan".
func takes(fields *huma.Schema) string {
	var may []string
	for name := range fields.Properties {
		if !slices.Contains(fields.Required, name) {
			may = append(may, name)
		}
	}
	slices.Sort(may)
	if len(fields.Required) == 0 {
		return fmt.Sprintf("send a JSON object, {} at the least; it may have %s", strings.Join(may, ", "))
	}
	return fmt.Sprintf("send a JSON object with %s; it may have %s", strings.Join(fields.Required, ", "), strings.Join(may, ", "))
}
