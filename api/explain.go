package api

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// maxExplained bounds the bodies of one page of an explanation, in bytes: a rider's
// proof of delivery takes megabytes. A page has at least one webhook.
const maxExplained = 4 << 20

type explanationInput struct {
	AtLeast
	OrderPath
	Page
}

type explanationOutput struct {
	Next
	Body Explanation
}

func (h *handler) routeExplanation(d *document) {
	read(h, d, huma.Operation{
		OperationID: "explain-order",
		Path:        ordersPath + "/{source}/{key}/explanation",
		Tags:        []string{tagOrders},
		Security:    needs(ScopeRaw),
		Summary:     "Explain why an order is as it is",
		Description: "Reads the order's webhooks again from the stream and gives each of them: as it was received, how its sender was checked, who released it from the quarantine, " +
			"what it says, what it did to the order and by which rule, and where the order stood then.",
	}, h.getExplanation)
}

func (h *handler) getExplanation(ctx context.Context, in *explanationInput) (*explanationOutput, error) {
	scope := fmt.Sprintf("explanation %q %q", in.Source, in.Key)
	var after uint64
	if err := openCursor(scope, in.Cursor, &after); err != nil {
		return nil, err
	}
	order, err := h.model.Order(ctx, in.Source, in.Key)
	if err != nil {
		return nil, notFound(err, h.noOrder(in.Source))
	}
	webhooks, more, err := h.explain(ctx, order, after, in.Limit)
	if err != nil {
		return nil, lookedBack(err, errNoOrder)
	}
	explanation := Explanation{Order: h.order(bearerOf(ctx), order, h.config.Now()), Webhooks: webhooks}
	if more {
		explanation.NextCursor = new(sealCursor(scope, webhooks[len(webhooks)-1].Webhook.StreamSequence))
	}
	return &explanationOutput{nextPage(ctx, explanation.NextCursor), explanation}, nil
}

// explain gives a page of the webhooks after a stream sequence, and tells whether
// more follow. The ones before it are folded too: what a webhook does depends on
// those that came first.
func (h *handler) explain(ctx context.Context, order *domain.Order, after uint64, limit int) (page []ExplainedWebhook, more bool, err error) {
	page = []ExplainedWebhook{}
	released, err := h.config.Quarantine.Releases(ctx)
	if err != nil {
		return nil, false, err
	}
	bodies := 0
	for webhook, err := range h.config.LookBack.Explain(ctx, order.Source, order.Key) {
		if err != nil {
			return nil, false, err
		}
		if webhook.StreamSequence <= after {
			continue
		}
		bodies += len(webhook.Body)
		if len(page) == limit || len(page) > 0 && bodies > maxExplained {
			return page, true, nil
		}
		page = append(page, explainedWebhook(order, webhook, released(webhook.Webhook)))
	}
	return page, false, nil
}
