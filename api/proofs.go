package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// inlineTypes are the media types that a browser may show where they are: plain
// pictures, without script. Everything else is for saving.
var inlineTypes = []string{"image/png", "image/jpeg", "image/gif"}

type proofInput struct {
	AtLeast
	OrderPath
	ID          string `path:"id" example:"4bf5122f344554c53bde2ebb8cd2b7e3" doc:"The id of the proof, as the order lists it."`
	IfNoneMatch string `header:"If-None-Match" doc:"An ETag that the client holds: 304 where it is this proof's."`
}

type proofOutput struct {
	Status                int
	ContentType           string `header:"Content-Type" hidden:"true"`
	ContentDisposition    string `header:"Content-Disposition"`
	ContentSecurityPolicy string `header:"Content-Security-Policy"`
	CacheControl          string `header:"Cache-Control"`
	ETag                  string `header:"ETag"`
	Body                  []byte
}

func (o *proofOutput) weight() int { return len(o.Body) }

func (h *handler) routeProofs(d *document) {
	content := map[string]*huma.MediaType{}
	for _, mediaType := range slices.Concat(inlineTypes, []string{"text/plain", typeBytes}) {
		content[mediaType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	read(h, d, huma.Operation{
		OperationID: "get-proof",
		Path:        ordersPath + "/{source}/{key}/proofs/{id}",
		Tags:        []string{tagOrders},
		Security:    needs(ScopeRaw),
		Summary:     "Get a proof of delivery",
		Description: "Gives the bytes of a proof of delivery, with the type that was found from them. What is not a plain picture comes as an attachment.",
		Responses: map[string]*huma.Response{
			"200": {Content: content},
			"304": {Description: "The proof is the one that If-None-Match names."},
		},
	}, within(h, h.getProof))
}

func (h *handler) getProof(ctx context.Context, in *proofInput) (*proofOutput, error) {
	found, err := h.model.Proof(ctx, in.Source, in.Key, in.ID)
	if err != nil {
		return nil, notFound(err, errNoProof)
	}
	if len(found.Content) == 0 {
		return nil, errProofErased // one that came has bytes
	}
	out := &proofOutput{
		Status:                http.StatusOK,
		ContentType:           found.Type,
		ContentDisposition:    "inline",
		ContentSecurityPolicy: "default-src 'none'; sandbox",
		CacheControl:          "no-cache",
		ETag:                  `"` + found.ID + `"`,
		Body:                  found.Content,
	}
	if !slices.Contains(inlineTypes, found.Type) {
		out.ContentDisposition = "attachment"
	}
	if matches(in.IfNoneMatch, out.ETag) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}
