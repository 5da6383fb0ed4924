package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	webhooksPath = "/v1/webhooks/"

	typeJSON  = "application/json"
	typeBytes = "application/octet-stream"
)

func webhookPath(streamSequence uint64) string {
	return webhooksPath + strconv.FormatUint(streamSequence, 10)
}

// Webhook is a webhook as it was received. Exactly one of Body and BodyBase64 is
// not null, and it gives the body byte for byte; both are where it was erased.
type Webhook struct {
	StreamSequence uint64         `json:"stream_sequence" example:"812" doc:"Its position in the stream."`
	Source         string         `json:"source" example:"ordatic" doc:"The source it came to."`
	Provider       string         `json:"provider" example:"ordatic" doc:"The adapter that verified it."`
	Event          string         `json:"event" example:"rider-delivering" doc:"The provider's published event, or other."`
	WebhookID      *string        `json:"webhook_id" doc:"The provider's id of the webhook."`
	ContentType    string         `json:"content_type" example:"application/json" doc:"As the sender gave it."`
	ReceivedAt     domain.Instant `json:"received_at" format:"date-time" doc:"When it came."`
	StoredAt       domain.Instant `json:"stored_at" format:"date-time" doc:"When the stream took it: received_at, or later where it was released from quarantine."`
	Size           int            `json:"size" example:"412" doc:"Of the body that came, in bytes."`
	Erased         bool           `json:"erased" example:"false" doc:"Whether its body was erased with what is personal of its order."`
	Body           *string        `json:"body" doc:"The body as text; null where it is not UTF-8, or erased."`
	BodyBase64     *string        `json:"body_base64" encoding:"base64" doc:"The body in base64; null where it is UTF-8, or erased."`
}

type webhookInput struct {
	StreamSequence uint64 `path:"stream_sequence" minimum:"1" example:"3" doc:"The position of the webhook in the stream."`
	Raw            bool   `query:"raw" example:"true" doc:"Give the body alone, byte for byte, as an attachment."`
	Accept         string `header:"Accept" doc:"application/octet-stream does as raw=true does."`
}

// webhookOutput has a Webhook for its body, or the raw bytes.
type webhookOutput struct {
	ContentType        string `header:"Content-Type" hidden:"true"`
	ContentDisposition string `header:"Content-Disposition"`
	Vary               string `header:"Vary"`
	Body               any
}

func (o *webhookOutput) weight() int {
	switch body := o.Body.(type) {
	case []byte:
		return len(body)
	case Webhook:
		return jsonCopies * body.Size
	case QuarantineDetail:
		if body.Size != nil {
			return jsonCopies * *body.Size
		}
	}
	return 0
}

func (h *handler) routeWebhooks(d *document) {
	register(h, d, huma.Operation{
		OperationID: "get-webhook",
		Path:        webhooksPath + "{stream_sequence}",
		Tags:        []string{tagWebhooks},
		Security:    needs(ScopeRaw),
		Summary:     "Get one webhook as it was received",
		Description: "Gives a webhook from the stream, described in JSON or as its raw bytes. It may not be applied yet.",
		Responses:   jsonOrBytes(d, reflect.TypeFor[Webhook]()),
	}, within(h, h.getWebhook))
}

// jsonOrBytes documents an answer that is JSON, or raw bytes for who asks for them.
func jsonOrBytes(d *document, described reflect.Type) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Content: map[string]*huma.MediaType{
		typeJSON:  {Schema: d.schema(described)},
		typeBytes: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}}
}

// wantsBytes tells whether a request for such an answer wants the bytes.
func wantsBytes(raw bool, accept string) bool {
	return raw || negotiation.SelectQValue(accept, []string{typeJSON, typeBytes}) == typeBytes
}

// attachment answers with raw bytes, to be saved and not shown.
func attachment(name string, body []byte) *webhookOutput {
	return &webhookOutput{
		ContentType:        typeBytes,
		ContentDisposition: fmt.Sprintf("attachment; filename=%q", name),
		Vary:               "Accept",
		Body:               body,
	}
}

func (h *handler) getWebhook(ctx context.Context, in *webhookInput) (*webhookOutput, error) {
	found, err := h.webhooks.Webhook(ctx, in.StreamSequence)
	if errors.Is(err, domain.ErrNotFound) {
		return nil, errNoWebhook
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoStream, err)
	}
	if found.Remains != nil {
		return nil, errWebhookErased
	}
	if wantsBytes(in.Raw, in.Accept) {
		return attachment(fmt.Sprintf("webhook-%d", found.StreamSequence), found.Body), nil
	}
	return &webhookOutput{ContentType: typeJSON, Vary: "Accept", Body: webhook(found)}, nil
}

func webhook(w *domain.Webhook) Webhook {
	described := Webhook{
		StreamSequence: w.StreamSequence,
		Source:         w.Source,
		Provider:       w.Provider,
		Event:          w.Event,
		WebhookID:      orNull(w.ID),
		ContentType:    cmp.Or(w.ContentType, typeJSON),
		ReceivedAt:     w.ReceivedAt,
		StoredAt:       w.StoredAt,
		Size:           w.Length(),
		Erased:         w.Remains != nil,
	}
	switch {
	case described.Erased:
	case utf8.Valid(w.Body):
		described.Body = new(string(w.Body))
	default:
		described.BodyBase64 = new(base64.StdEncoding.EncodeToString(w.Body))
	}
	return described
}
