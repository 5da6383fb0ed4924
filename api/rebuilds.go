package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

const rebuildsPath = "/v1/rebuilds"

// rollbackWithin bounds a rollback, which first brings the previous read model up
// to date. What it has done of that is kept, so that the next try goes on there.
const rollbackWithin = 20 * time.Second

// The errors of a [Rebuilds], which the API answers with 409.
var (
	// ErrRebuildGoesOn says that another rebuild, or a rollback, goes on.
	ErrRebuildGoesOn = errors.New("a rebuild goes on")
	// ErrNoPrevious says that there is no read model to go back to.
	ErrNoPrevious = errors.New("there is no previous read model")
	// ErrPreviousVersion says that another version of the projection built the
	// previous read model, so that this program cannot go on with it.
	ErrPreviousVersion = errors.New("the previous read model is of another version")
)

// Rebuilds has read models made anew. It must be safe for concurrent use.
type Rebuilds interface {
	// Start begins a rebuild and does not wait, or returns ErrRebuildGoesOn.
	Start(o domain.RebuildOptions) (domain.Rebuild, error)
	// Rebuild tells of one rebuild, or returns domain.ErrNotFound.
	Rebuild(id int) (domain.Rebuild, error)
	// Rebuilds tells of every rebuild, the newest first.
	Rebuilds() []domain.Rebuild
	// Cancel ends a rebuild that goes on, and waits for its end; on one that has
	// ended it does nothing. It returns domain.ErrNotFound.
	Cancel(id int) error
	// Delete forgets a rebuild that has ended, and the snapshot that it made where no
	// other made the same. It returns domain.ErrNotFound, or ErrRebuildGoesOn for one
	// that has not.
	Delete(id int) error
	// Previous gives the checkpoint of the read model that a rollback goes back to,
	// or returns ErrRebuildGoesOn or ErrNoPrevious.
	Previous(ctx context.Context) (domain.Checkpoint, error)
	// Rollback puts the previous read model, brought up to date, in the place of
	// the one in use. It returns ErrRebuildGoesOn, ErrNoPrevious or
	// ErrPreviousVersion where it cannot.
	Rollback(ctx context.Context) error
}

type (
	startRebuildInput struct{ Body RebuildRequest }
	rebuildsInput     struct{ Page }
	rebuildInput      struct {
		ID int `path:"id" minimum:"1" example:"2" doc:"The id of the rebuild."`
	}
	startedOutput struct {
		Location string `header:"Location" doc:"Where the rebuild is told of."`
		Body     Rebuild
	}
	rebuildOutput  struct{ Body Rebuild }
	rebuildsOutput struct {
		Next
		Body RebuildList
	}
	previousOutput struct{ Body Previous }
)

// Previous is the read model that a rollback goes back to.
type Previous struct {
	Checkpoint        uint64 `json:"checkpoint" example:"812" doc:"The last stream sequence whose effects are in it."`
	ProjectionVersion int    `json:"projection_version" example:"1" doc:"The version of the projection that built it; 0 for an empty one."`
}

func (h *handler) routeRebuilds(d *document) {
	register(h, d, huma.Operation{
		OperationID:   "start-rebuild",
		Method:        http.MethodPost,
		Path:          rebuildsPath,
		DefaultStatus: http.StatusAccepted,
		Tags:          []string{tagOperation},
		RequestBody:   example(RebuildRequest{Plan: true}),
		Summary:       "Rebuild the read model, or make a snapshot",
		Description: "Begins to build a new read model from the stream, beside the one in use, which keeps serving and moving. " +
			"When it has caught up, every row of both is compared at the same stream sequence; it comes into use if nothing differs, " +
			"or if the difference is accepted. One rebuild goes on at a time.",
	}, h.startRebuild)
	register(h, d, huma.Operation{
		OperationID: "list-rebuilds",
		Path:        rebuildsPath,
		Tags:        []string{tagOperation},
		Summary:     "List the rebuilds",
		Description: "Gives every rebuild, how it goes or how it ended, and the difference that it found.",
	}, h.listRebuilds)
	register(h, d, huma.Operation{
		OperationID: "get-rebuild",
		Path:        rebuildsPath + "/{id}",
		Tags:        []string{tagOperation},
		Summary:     "Get one rebuild",
		Description: "Gives how a rebuild goes or how it ended, and the difference that it found.",
	}, h.getRebuild)
	register(h, d, huma.Operation{
		OperationID: "cancel-rebuild",
		Method:      http.MethodPost,
		Path:        rebuildsPath + "/{id}/cancel",
		Tags:        []string{tagOperation},
		Summary:     "Cancel a rebuild",
		Description: "Ends a rebuild and removes what it has built; the read model in use is not touched. One that has ended stays as it is.",
	}, h.cancelRebuild)
	register(h, d, huma.Operation{
		OperationID:   "delete-rebuild",
		Method:        http.MethodDelete,
		Path:          rebuildsPath + "/{id}",
		DefaultStatus: http.StatusNoContent,
		Tags:          []string{tagOperation},
		Summary:       "Delete the record of a rebuild",
		Description: "Forgets a rebuild that has ended, and removes the file of its snapshot where it made one and no other rebuild made the same. No read model is touched. " +
			"The newest 50 records are kept by themselves, and with them those of snapshots.",
	}, h.deleteRebuild)
	register(h, d, huma.Operation{
		OperationID: "get-previous",
		Path:        "/v1/projection/previous",
		Tags:        []string{tagOperation},
		Summary:     "Get what a rollback goes back to",
		Description: "Gives where the read model stands that was in use before the last switch. A rollback brings it up to date first.",
	}, h.getPrevious)
	add(h, d, huma.Operation{
		OperationID: "roll-back",
		Method:      http.MethodPost,
		Path:        "/v1/projection/rollback",
		Tags:        []string{tagOperation},
		Summary:     "Go back to the previous read model",
		Description: "Brings the read model that was in use before the last switch up to date and puts it back in its place. A second rollback undoes the first.",
	}, operation[struct{}, projectionOutput](h.rollBack).bounded(rollbackWithin))
	h.routeSnapshots(d)
}

func (h *handler) startRebuild(ctx context.Context, in *startRebuildInput) (*startedOutput, error) {
	options, err := h.rebuildOptions(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	started, err := h.config.Rebuilds.Start(options)
	if err != nil {
		return nil, err
	}
	return &startedOutput{Location: rebuildPath(started.ID), Body: h.rebuild(ctx, started)}, nil
}

// rebuildOptions gives what a request asks for, with its time as the stream
// sequence that belongs to it.
func (h *handler) rebuildOptions(ctx context.Context, r RebuildRequest) (domain.RebuildOptions, error) {
	options := domain.RebuildOptions{Plan: r.Plan, Accept: r.Accept, Until: r.Until}
	atTime := !r.UntilTime.IsZero()
	switch {
	case r.Plan && r.Accept:
		return options, invalid("body.accept", "a plan puts nothing in the place of anything, so there is nothing to accept")
	case (r.Until > 0 || atTime) && (r.Plan || r.Accept):
		return options, invalid("body.until", "a snapshot is compared with nothing: leave out plan and accept")
	case r.Until > 0 && atTime:
		return options, invalid("body.until_time", "until says already when")
	case r.Until == 0 && !atTime:
		return options, nil
	}
	last, err := h.lastAt(ctx, "body.until", domain.Moment{StreamSequence: r.Until, Time: r.UntilTime})
	options.Until = last
	if err == nil && last == 0 {
		err = invalid("body.until_time", "the stream had taken no webhook by then")
	}
	return options, err
}

func (h *handler) listRebuilds(ctx context.Context, in *rebuildsInput) (*rebuildsOutput, error) {
	const scope = "rebuilds"
	var before uint64
	if err := openCursor(scope, in.Cursor, &before); err != nil {
		return nil, err
	}
	var found []domain.Rebuild
	for _, r := range h.config.Rebuilds.Rebuilds() {
		if before == 0 || uint64(r.ID) < before {
			found = append(found, r)
		}
	}
	found, next := cut(in.Page, found, func(last domain.Rebuild) string { return sealCursor(scope, uint64(last.ID)) })
	told := each(found, func(r domain.Rebuild) Rebuild { return h.rebuild(ctx, r) })
	return &rebuildsOutput{nextPage(ctx, next), RebuildList{Rebuilds: told, NextCursor: next}}, nil
}

func (h *handler) getRebuild(ctx context.Context, in *rebuildInput) (*rebuildOutput, error) {
	found, err := h.config.Rebuilds.Rebuild(in.ID)
	if err != nil {
		return nil, notFound(err, errNoRebuild)
	}
	return &rebuildOutput{Body: h.rebuild(ctx, found)}, nil
}

func (h *handler) cancelRebuild(ctx context.Context, in *rebuildInput) (*rebuildOutput, error) {
	if err := h.config.Rebuilds.Cancel(in.ID); err != nil {
		return nil, notFound(err, errNoRebuild)
	}
	return h.getRebuild(ctx, in)
}

func (h *handler) deleteRebuild(_ context.Context, in *rebuildInput) (*struct{}, error) {
	return nil, notFound(h.config.Rebuilds.Delete(in.ID), errNoRebuild)
}

func (h *handler) getPrevious(ctx context.Context, _ *struct{}) (*previousOutput, error) {
	previous, err := h.config.Rebuilds.Previous(ctx)
	if err != nil {
		return nil, err
	}
	return &previousOutput{Body: Previous{Checkpoint: previous.StreamSequence, ProjectionVersion: previous.Version}}, nil
}

func (h *handler) rollBack(ctx context.Context, _ *struct{}) (*projectionOutput, error) {
	if err := h.config.Rebuilds.Rollback(ctx); err != nil {
		return nil, err
	}
	return h.getProjection(ctx, &projectionInput{})
}

func rebuildPath(id int) string { return rebuildsPath + "/" + strconv.Itoa(id) }

// ErrElsewhere says that something is not this process's to do.
var ErrElsewhere = errors.New("the projector is another process")

// elsewhere stands for rebuilds where the projector is another process.
type elsewhere struct{}

func (elsewhere) Start(domain.RebuildOptions) (domain.Rebuild, error) {
	return domain.Rebuild{}, ErrElsewhere
}
func (elsewhere) Rebuild(int) (domain.Rebuild, error) { return domain.Rebuild{}, ErrElsewhere }
func (elsewhere) Rebuilds() []domain.Rebuild          { return nil }
func (elsewhere) Cancel(int) error                    { return ErrElsewhere }
func (elsewhere) Delete(int) error                    { return ErrElsewhere }
func (elsewhere) Previous(context.Context) (domain.Checkpoint, error) {
	return domain.Checkpoint{}, ErrElsewhere
}
func (elsewhere) Rollback(context.Context) error { return ErrElsewhere }
