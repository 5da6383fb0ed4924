package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/ticketrail/ticketrail/domain"
)

// misnamed gives the problem of the parameter for a filter that can select nothing,
// and any other error as it is.
func misnamed(err error, place string) error {
	if unknown, ok := errors.AsType[*domain.UnknownName](err); ok {
		return invalid(place+"."+unknown.Of, unknown.Error())
	}
	return err
}

// knownSource gives the problem of a source by which to filter that nobody has configured
// and that no order bears. Where nothing is known of the configuration, any may be.
func (h *handler) knownSource(ctx context.Context, source string) error {
	names := each(h.config.Sources, func(s Source) string { return s.Name })
	if len(names) == 0 || domain.Known("source", source, names) == nil {
		return nil
	}
	stats, err := h.model.Stats(ctx, h.config.Now())
	if err != nil {
		return err
	}
	for _, count := range stats.Orders {
		names = append(names, count.Source)
	}
	slices.Sort(names)
	return misnamed(domain.Known("source", source, slices.Compact(names)), "query")
}

// knownVerdict gives the problem of a verdict that no request to a webhook endpoint gets.
func (h *handler) knownVerdict(verdict string) error {
	verdicts := []string{domain.VerdictAccepted, domain.VerdictDuplicate, verdictRefused}
	statuses := []string{strconv.Itoa(http.StatusOK)}
	for _, refusal := range h.config.Problems {
		verdicts, statuses = append(verdicts, refusal.Code), append(statuses, strconv.Itoa(refusal.Status))
	}
	slices.Sort(statuses)
	return misnamed(domain.Known("verdict", verdict, append(verdicts, slices.Compact(statuses)...)), "query")
}

// checkQuery refuses a parameter that is given more than once: of two values one would be
// taken in silence.
func checkQuery(ctx huma.Context, next func(huma.Context)) {
	asked := ctx.URL()
	for name, values := range asked.Query() {
		known := queryParameter(ctx.Operation(), name)
		if len(values) < 2 || known == nil || known.Schema.Type == huma.TypeArray {
			continue
		}
		_, w := humago.Unwrap(ctx)
		writeProblem(w, invalid("query."+name, "is given more than once"))
		return
	}
	next(ctx)
}

func queryParameter(op *huma.Operation, name string) *huma.Param {
	at := slices.IndexFunc(op.Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name })
	if at < 0 {
		return nil
	}
	return op.Parameters[at]
}
