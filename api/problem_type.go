package api

import (
	"context"
	"html/template"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// typeHTML is the type of what is for people.
const typeHTML = "text/html; charset=utf-8"

// ProblemType explains the problems of one code.
type ProblemType struct {
	Code   string `json:"code" example:"order-not-found" doc:"The problem's name, for programs."`
	Status int    `json:"status" example:"404" doc:"The HTTP status of an answer with this problem."`
	Title  string `json:"title" example:"No such order" doc:"The problem in a few words."`
	Detail string `json:"detail" example:"The source has no order with this key." doc:"What happened, and what can be done."`
}

type problemInput struct {
	Code string `path:"code" example:"order-not-found" doc:"The code of a problem."`
}

type problemOutput struct {
	Vary string `header:"Vary" doc:"Accept: there is a page too."`
	Body ProblemType
}

func (h *handler) routeProblems(d *document) {
	register(h, d, huma.Operation{
		OperationID: "get-problem",
		Path:        problemsPath + "{code}",
		Tags:        []string{tagOperation},
		Security:    withoutToken,
		Middlewares: huma.Middlewares{h.problemPage},
		Responses: map[string]*huma.Response{"200": {
			Description: "The explanation: as a page for who asks for HTML, as a browser does.",
			Content: map[string]*huma.MediaType{
				typeJSON: {Schema: d.schema(reflect.TypeFor[ProblemType]())},
				typeHTML: {Schema: &huma.Schema{Type: huma.TypeString}},
			},
		}},
		Summary:     "What a problem means",
		Description: "Explains what the type of a problem leads to, and the codes that ingest answers with: its status, what happened, and what can be done. It needs no token.",
	}, h.explainProblem)
}

func (h *handler) explainProblem(_ context.Context, in *problemInput) (*problemOutput, error) {
	explained, known := h.problemType(in.Code)
	if !known {
		return nil, errNoProblem
	}
	return &problemOutput{Vary: "Accept", Body: explained}, nil
}

func (h *handler) problemType(code string) (explained ProblemType, known bool) {
	for _, f := range failures {
		if f.code == code {
			return ProblemType{Code: f.code, Status: f.status, Title: f.title, Detail: f.detail}, true
		}
	}
	for _, p := range h.config.Problems {
		if p.Code == code {
			return p, true
		}
	}
	return explained, false
}

// problemTemplate is for people who follow the type of a problem. The policy of every
// answer holds for it: it has neither script nor style.
var problemTemplate = template.Must(template.New("problem").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}: ticketrail</title>
</head>
<body>
<h1>{{.Title}}</h1>
<p>{{.Detail}}</p>
<p>An answer with this problem has the code <code>{{.Code}}</code> and the status {{.Status}}.</p>
<p><a href="/docs">All that can be asked</a></p>
</body>
</html>
`))

// problemPage answers who takes HTML; all others, and unknown codes, are left to next.
func (h *handler) problemPage(ctx huma.Context, next func(huma.Context)) {
	explained, known := h.problemType(ctx.Param("code"))
	if !known || !strings.Contains(ctx.Header("Accept"), "text/html") {
		next(ctx)
		return
	}
	ctx.SetHeader("Content-Type", typeHTML)
	ctx.SetHeader("Vary", "Accept")
	_ = problemTemplate.Execute(ctx.BodyWriter(), explained) // an error means that nobody reads any more
}
