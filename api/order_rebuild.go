package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// OrderRebuildRequest says what a rebuild of one order is for.
type OrderRebuildRequest struct {
	Plan bool `json:"plan,omitempty" example:"true" doc:"Compare only, and replace nothing."`
}

// OrderRebuild is what came of folding one order anew.
type OrderRebuild struct {
	Order    Order             `json:"order" doc:"The order as its webhooks make it."`
	Differs  bool              `json:"differs" example:"false" doc:"Whether the read model held anything else."`
	Replaced bool              `json:"replaced" example:"false" doc:"Whether that was replaced."`
	Fields   []FieldDifference `json:"fields" nullable:"false" doc:"The places of the folded order that differ."`
	Tables   []TableDifference `json:"tables" nullable:"false" doc:"The rows of the order, by table."`
}

type orderRebuildInput struct {
	OrderPath
	Body OrderRebuildRequest
}

type orderRebuildOutput struct{ Body OrderRebuild }

func (h *handler) routeOrderRebuild(d *document) {
	register(h, d, huma.Operation{
		OperationID: "rebuild-order",
		Method:      http.MethodPost,
		Path:        ordersPath + "/{source}/{key}/rebuild",
		Tags:        []string{tagOrders},
		RequestBody: example(OrderRebuildRequest{Plan: true}),
		Summary:     "Rebuild one order",
		Description: "Reads the order's webhooks again from the stream, by the stream sequences of its timeline, and compares what they make with what the read model holds: " +
			"the folded order and its timeline. Where that differs it is replaced, between two batches of the projector.",
	}, h.rebuildOrder)
}

func (h *handler) rebuildOrder(ctx context.Context, in *orderRebuildInput) (*orderRebuildOutput, error) {
	rebuilt, err := h.config.LookBack.RebuildOrder(ctx, in.Source, in.Key, in.Body.Plan)
	if err != nil {
		return nil, lookedBack(err, h.noOrder(in.Source))
	}
	return &orderRebuildOutput{Body: OrderRebuild{
		Order:    h.order(bearerOf(ctx), rebuilt.Order, h.config.Now()),
		Differs:  rebuilt.Differs(),
		Replaced: rebuilt.Replaced,
		Fields:   each(rebuilt.Fields, fieldDifference(ctx)),
		Tables:   each(rebuilt.Tables, func(t domain.TableDifference) TableDifference { return TableDifference(t) }),
	}}, nil
}
