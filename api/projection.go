package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// Projection is where the read model stands.
type Projection struct {
	Checkpoint        uint64    `json:"checkpoint" example:"812" doc:"The last stream sequence whose effects are in the read model."`
	Counts            Counts    `json:"counts" doc:"What became of the webhooks up to the checkpoint."`
	Stream            *Stream   `json:"stream" doc:"Where the stream stands; null where it does not answer."`
	Lag               *Lag      `json:"lag" doc:"How far the read model is behind the stream; null where the stream does not answer, or is not the one that the read model is made from."`
	Running           *bool     `json:"running" doc:"Whether the projector runs; null where it is another process."`
	Reason            *string   `json:"reason" doc:"Why it does not run, what it is trying again, or what takes it long while webhooks wait."`
	Hint              *string   `json:"hint" doc:"What an operator can do, where somebody must act."`
	WebhooksPerSecond *float64  `json:"webhooks_per_second" example:"120.5" doc:"How many webhooks were applied a second over the last 10 seconds; null where nobody watches."`
	Moving            *bool     `json:"moving" doc:"False where webhooks have waited for more than 5 seconds while the checkpoint stood still; null where nobody watches."`
	Rebuild           *UnderWay `json:"rebuild" doc:"The rebuild that goes on; null where none does."`
	ProjectionVersion int       `json:"projection_version" example:"1" doc:"The version of the projection that built the read model; 0 before its first commit."`
	ProgramVersion    *string   `json:"program_version" doc:"The version of ticketrail that answers."`
}

// Counts tell what became of the webhooks up to the checkpoint.
type Counts struct {
	Applied       uint64 `json:"applied" example:"800" doc:"Applied to an order."`
	Duplicate     uint64 `json:"duplicate" example:"10" doc:"Applied before under the same webhook id, with the same body."`
	NotAboutOrder uint64 `json:"not_about_order" example:"2" doc:"About no order."`
	Quarantined   uint64 `json:"quarantined" example:"0" doc:"Not translatable."`
	Sum           uint64 `json:"sum" example:"812" doc:"Their sum, which is the checkpoint."`
}

// Stream is where the stream stands.
type Stream struct {
	_         struct{}       `nullable:"true"`
	Name      string         `json:"name" example:"WEBHOOKS" doc:"Its name."`
	CreatedAt domain.Instant `json:"created_at" format:"date-time" doc:"When it was created, which tells it from another of its name."`
	First     uint64         `json:"first" example:"1" doc:"Its first stream sequence; last + 1 where it is empty."`
	Last      uint64         `json:"last" example:"812" doc:"Its last stream sequence."`
}

// Lag is how far a read model is behind the stream.
type Lag struct {
	_             struct{} `nullable:"true"`
	Webhooks      uint64   `json:"webhooks" example:"0" doc:"How many webhooks are not applied yet."`
	OldestSeconds *float64 `json:"oldest_seconds" example:"0.2" doc:"How long the oldest of them has been in the stream; null where there is none, or where it cannot be read."`
}

type projectionInput struct{ AtLeast }

type projectionOutput struct{ Body Projection }

func (h *handler) routeProjection(d *document) {
	readStanding(h, d, huma.Operation{
		OperationID: "get-projection",
		Path:        "/v1/projection",
		Tags:        []string{tagOperation},
		Summary:     "Get where the read model stands",
		Description: "Gives the checkpoint with its arithmetic, where the stream stands, the lag, whether the projector runs and the checkpoint moves, and the rebuild that goes on.",
	}, h.getProjection)
}

func (h *handler) getProjection(ctx context.Context, _ *projectionInput) (*projectionOutput, error) {
	checkpoint, err := h.model.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	projection := Projection{
		Checkpoint:        checkpoint.StreamSequence,
		Counts:            counts(checkpoint.Counts),
		Rebuild:           h.underWay(),
		ProjectionVersion: checkpoint.Version,
		ProgramVersion:    orNull(h.config.Version),
	}
	projection.Stream, projection.Lag = h.stream(ctx, checkpoint)
	if h.config.Projector != nil {
		running, reason, hint := h.config.Projector()
		projection.Running, projection.Reason, projection.Hint = &running, orNull(reason), orNull(hint)
	}
	if pulse := h.config.Pulse; pulse != nil {
		projection.WebhooksPerSecond, projection.Moving = new(pulse.Rate()), new(pulse.Moving())
	}
	return &projectionOutput{Body: projection}, nil
}

func counts(c domain.Counts) Counts {
	return Counts{
		Applied:       c.Applied,
		Duplicate:     c.Duplicate,
		NotAboutOrder: c.NotAboutOrder,
		Quarantined:   c.Quarantined,
		Sum:           c.Sum(),
	}
}

// stream tells where the stream stands, and how far a checkpoint is behind it. A
// stream that does not answer leaves both nil: what the read model knows is worth
// telling without it.
func (h *handler) stream(ctx context.Context, checkpoint domain.Checkpoint) (*Stream, *Lag) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	info, err := h.webhooks.Info(ctx)
	if err != nil {
		return nil, nil
	}
	stream := &Stream{Name: info.Identity.Name, CreatedAt: info.Identity.CreatedAt, First: info.First, Last: info.Last}
	return stream, lagOf(ctx, h.webhooks, h.config.Now(), checkpoint, info)
}

// lagOf tells how far a checkpoint is behind the end of the stream; nil where it
// is of another stream, or of more than this one holds.
func lagOf(ctx context.Context, webhooks Webhooks, now time.Time, checkpoint domain.Checkpoint, info domain.StreamInfo) *Lag {
	at := checkpoint.StreamSequence
	switch {
	case at > 0 && (checkpoint.Stream != info.Identity || at > info.Last):
		return nil
	case at >= info.Last:
		return &Lag{}
	}
	lag := &Lag{Webhooks: info.Last - at}
	if oldest, err := webhooks.Webhook(ctx, at+1); err == nil {
		age := now.Sub(oldest.StoredAt.Time()) // one that was released late waits since then
		lag.OldestSeconds = new(max(age, 0).Seconds())
	}
	return lag
}
