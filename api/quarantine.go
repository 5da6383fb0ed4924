package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// Quarantine is a page of the webhooks that were set aside.
type Quarantine struct {
	Webhooks   []QuarantinedWebhook `json:"webhooks" nullable:"false" doc:"In the order of the stream."`
	NextCursor *string              `json:"next_cursor" doc:"The cursor of the next page; null on the last."`
}

// QuarantinedWebhook is an accepted webhook that could not be translated. Its
// bytes are in the stream.
type QuarantinedWebhook struct {
	StreamSequence uint64         `json:"stream_sequence" example:"812" doc:"Its position in the stream."`
	Source         string         `json:"source" example:"runa" doc:"The source it came to."`
	Event          string         `json:"event" example:"other" doc:"The provider's published event, or other."`
	Cause          string         `json:"cause" example:"order-key-missing" doc:"Why no event could be made of it."`
	Where          *string        `json:"where" example:"/data/orderId" doc:"A JSON pointer to the place; null for the whole body."`
	ReceivedAt     domain.Instant `json:"received_at" format:"date-time" doc:"When it came."`
	Webhook        string         `json:"webhook" format:"uri-reference" example:"/v1/webhooks/812" doc:"Where the raw webhook is."`
}

type quarantineInput struct {
	AtLeast
	Page
}

type quarantineOutput struct{ Body Quarantine }

func (h *handler) routeQuarantine(d *document) {
	read(h, d, huma.Operation{
		OperationID: "list-quarantine",
		Path:        "/v1/quarantine",
		Tags:        []string{tagWebhooks},
		Summary:     "List the webhooks that were set aside",
		Description: "Gives the accepted webhooks that could not be translated, and why. They block nothing and are not lost.",
	}, h.listQuarantine)
}

func (h *handler) listQuarantine(ctx context.Context, in *quarantineInput) (*quarantineOutput, error) {
	const scope = "quarantine"
	var after uint64
	if err := openCursor(scope, in.Cursor, &after); err != nil {
		return nil, err
	}
	found, err := h.model.Quarantined(ctx, after, in.more())
	if err != nil {
		return nil, err
	}
	found, next := cut(in.Page, found, func(last domain.QuarantinedWebhook) string {
		return sealCursor(scope, last.StreamSequence)
	})
	return &quarantineOutput{Body: Quarantine{Webhooks: each(found, quarantinedWebhook), NextCursor: next}}, nil
}

func quarantinedWebhook(q domain.QuarantinedWebhook) QuarantinedWebhook {
	return QuarantinedWebhook{
		StreamSequence: q.StreamSequence,
		Source:         q.Source,
		Event:          q.Event,
		Cause:          q.Cause,
		Where:          orNull(q.Where),
		ReceivedAt:     q.ReceivedAt,
		Webhook:        webhookPath(q.StreamSequence),
	}
}
