package api

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	healthPath = "/healthz"
	readyPath  = "/readyz"
)

// withoutToken is what the document says of an operation that needs no token.
var withoutToken = []map[string][]string{{}}

// Health says that the process answers.
type Health struct {
	Status string `json:"status" const:"alive" example:"alive" doc:"Always alive."`
}

// Readiness says that the read model can be read and is kept up to date.
type Readiness struct {
	Status     string `json:"status" const:"ready" example:"ready" doc:"Always ready: else the answer is 503 with the reason."`
	Checkpoint uint64 `json:"checkpoint" example:"812" doc:"The last stream sequence whose effects are in the read model."`
	Lag        *Lag   `json:"lag" doc:"How far the read model is behind the stream; null where the stream does not answer."`
}

type healthOutput struct{ Body Health }

type readinessOutput struct{ Body Readiness }

func (h *handler) routeHealth(d *document) {
	h.routeAlive(d)
	h.routeReady(d)
}

func (h *handler) routeAlive(d *document) {
	register(h, d, huma.Operation{
		OperationID: "get-health",
		Path:        healthPath,
		Tags:        []string{tagOperation},
		Security:    withoutToken,
		Summary:     "Ask whether the process is alive",
		Description: "Answers 200 whenever it answers. It needs no token.",
	}, func(context.Context, *struct{}) (*healthOutput, error) {
		return &healthOutput{Body: Health{Status: "alive"}}, nil
	})
}

func (h *handler) routeReady(d *document) {
	register(h, d, huma.Operation{
		OperationID: "get-readiness",
		Path:        readyPath,
		Tags:        []string{tagOperation},
		Security:    withoutToken,
		Summary:     "Ask whether orders can be read and are up to date",
		Description: "Answers 200 while the read model can be read and is complete, the projector runs and the checkpoint moves, else 503 with the reason. It needs no token.",
	}, h.getReadiness)
}

func (h *handler) getReadiness(ctx context.Context, _ *struct{}) (*readinessOutput, error) {
	checkpoint, err := h.model.Checkpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotReady, err)
	}
	if h.config.Projector != nil {
		if running, reason, hint := h.config.Projector(); !running {
			problem := problemOf(errNotReady)
			problem.Detail, problem.Hint = "The projector does not run: "+reason, hint
			return nil, problem
		}
	}
	if h.config.Pulse != nil && !h.config.Pulse.Moving() {
		return nil, h.standsStill(checkpoint.StreamSequence)
	}
	if err := h.checkComplete(ctx); err != nil {
		return nil, err
	}
	return &readinessOutput{Body: Readiness{Status: "ready", Checkpoint: checkpoint.StreamSequence, Lag: h.lag(ctx, checkpoint)}}, nil
}

// lag gives the lag where it can be told. A probe does not wait for a stream that
// did not answer at the last look.
func (h *handler) lag(ctx context.Context, checkpoint domain.Checkpoint) *Lag {
	if h.config.Pulse != nil && h.config.Pulse.Lag() == nil {
		return nil
	}
	_, lag := h.stream(ctx, checkpoint)
	return lag
}

// standsStill tells that webhooks wait and nothing moves, with what the projector
// itself says of that.
func (h *handler) standsStill(checkpoint uint64) *Problem {
	problem := problemOf(errNotReady)
	problem.Detail = fmt.Sprintf("Webhooks wait, and the read model stands still at stream sequence %d.", checkpoint)
	if h.config.Projector == nil {
		return problem
	}
	if _, reason, hint := h.config.Projector(); reason != "" {
		problem.Detail += " The projector says: " + reason
		problem.Hint = hint
	}
	return problem
}
