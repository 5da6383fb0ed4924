package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// eraseWithin bounds the answer to an erasure: above what an Eraser takes, which goes on
// without who asked for it, and under writeTimeout.
const eraseWithin = 25 * time.Second

// What an [Eraser] returns beside the errors of domain.
var (
	// ErrNotErasable says that the stream lets nothing be deleted.
	ErrNotErasable = errors.New("the stream lets nothing be deleted")
	// ErrNoRoom says that the stream or the archive has no room for the tombstone.
	ErrNoRoom = errors.New("there is no room for the tombstone")
)

// Eraser takes what is personal of an order out of everything that is kept. It must be
// safe for concurrent use.
type Eraser interface {
	// Erase erases an order, or with plan only tells what that would take away, within 20
	// seconds. It returns domain.ErrNotFound, domain.ErrReason, domain.ErrOrderAlone,
	// domain.ErrNoStream, ErrRebuildGoesOn, ErrNotErasable and ErrNoRoom.
	Erase(ctx context.Context, source, key string, ruling domain.Ruling, plan bool) (domain.Erased, error)
}

// ErasureRequest says why an order is erased.
type ErasureRequest struct {
	Plan   bool   `json:"plan,omitempty" doc:"Tell what would be taken away, and change nothing."`
	Reason string `json:"reason,omitempty" maxLength:"500" example:"asked for by the customer" doc:"Why; it is recorded, and part of the tombstone. Only a plan does without."`
}

// Erasure is what an erasure took away, or would take.
type Erasure struct {
	Order            Order    `json:"order" doc:"The order: after the erasure without what was personal."`
	Plan             bool     `json:"plan" doc:"Whether nothing was changed."`
	Webhooks         []uint64 `json:"webhooks" nullable:"false" example:"[3,8]" doc:"The stream sequences of the webhooks whose bodies are taken away. What each of them said of the order stays, without what is personal."`
	Proofs           int      `json:"proofs" example:"1" doc:"How many of them brought a proof of delivery."`
	RejectedRequests int      `json:"rejected_requests" example:"0" doc:"How many rejected requests spoke of the order."`
	Previous         bool     `json:"previous" example:"false" doc:"Whether the previous read model is removed, so that there is nothing to roll back to."`
	Snapshots        int      `json:"snapshots" example:"0" doc:"How many snapshots are removed."`
	Records          int      `json:"records" example:"0" doc:"How many records of rebuilds described the order, and no longer do."`
}

type eraseInput struct {
	OrderPath
	Body ErasureRequest
}

type eraseOutput struct{ Body Erasure }

func (h *handler) routeErasure(d *document) {
	add(h, d, huma.Operation{
		OperationID: "erase-order",
		Method:      http.MethodPost,
		Path:        ordersPath + "/{source}/{key}/erase",
		Tags:        []string{tagOrders},
		RequestBody: example(ErasureRequest{Reason: "asked for by the customer"}),
		Summary:     "Erase what is personal of one order",
		Description: "Takes the bodies of the order's webhooks out of stream, archive and quarantine, and what people wrote out of the read model and its copies. " +
			"A tombstone on the stream keeps what each webhook said apart from that, so that every rebuild makes the same order. " +
			"A webhook that comes later is set aside in the quarantine; to erase again takes it away too. Backups that were made before still hold everything.",
	}, operation[eraseInput, eraseOutput](h.erase).bounded(eraseWithin))
}

func (h *handler) erase(ctx context.Context, in *eraseInput) (*eraseOutput, error) {
	if err := h.checkComplete(ctx); err != nil {
		return nil, err
	}
	erased, err := h.config.Eraser.Erase(ctx, in.Source, in.Key, domain.Ruling{By: asking(ctx), Reason: in.Body.Reason}, in.Body.Plan)
	h.answers.forget()
	h.acts.forget(actOf(ctx))
	h.config.Feed.forget()
	if err != nil {
		return nil, lookedBack(unjustified(err), h.noOrder(in.Source))
	}
	return &eraseOutput{Body: Erasure{
		Order:            h.order(bearerOf(ctx), erased.Order, h.config.Now()),
		Plan:             in.Body.Plan,
		Webhooks:         append([]uint64{}, erased.Webhooks...),
		Proofs:           erased.Proofs,
		RejectedRequests: erased.Rejected,
		Previous:         erased.Copies.Previous,
		Snapshots:        erased.Copies.Snapshots,
		Records:          erased.Copies.Records,
	}}, nil
}

// noEraser stands for an Eraser where the projector is another process.
type noEraser struct{}

func (noEraser) Erase(context.Context, string, string, domain.Ruling, bool) (domain.Erased, error) {
	return domain.Erased{}, ErrElsewhere
}
