package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/rebuild"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// ReadModelFolder is the folder of the read models in a data folder.
func ReadModelFolder(data string) string { return filepath.Join(data, "read-model") }

// CurrentReadModel gives the path of the read model in use in a data folder. Where
// it holds none yet, the error wraps fs.ErrNotExist.
func CurrentReadModel(data string) (string, error) { return sqlite.CurrentIn(ReadModelFolder(data)) }

func (a *App) openReadModel(ctx context.Context) error {
	dir := ReadModelFolder(a.config.Data)
	folder, db, err := openCurrent(ctx, dir, sqlite.OpenFolder)
	startOver := func(reason string) {
		// Nothing of it was served, and the stream has all that it held.
		a.startedOver = whyStartedOver(err)
		a.logger.Warn("the read model is put aside and made anew from the stream; until that is done, reads are answered with 503 read-model-incomplete",
			"because", a.startedOver, "error", err, "put_aside_as", filepath.Join(dir, reason+"…"))
		folder, db, err = openCurrent(ctx, dir, func(dir string) (*sqlite.Folder, error) { return sqlite.StartOver(dir, reason) })
	}
	switch {
	case !a.listening: // a command looks or plans, and puts nothing aside
	case errors.Is(err, domain.ErrDamaged):
		startOver(sqlite.Damaged)
	case errors.Is(err, sqlite.ErrOutdated):
		startOver(sqlite.Outdated)
	}
	if err != nil {
		return err
	}
	a.folder, a.readModel = folder, sqlite.NewModel(db)
	a.steps.push("close the read model", limitStore, closing(a.readModel.Close))
	if a.listening {
		a.mendTallies(ctx, db)
	}
	return errors.Join(a.checkMappings(ctx), a.aim(ctx))
}

// checkMappings refuses to go on where the read model has webhooks of a provider whose
// mapping is gone: without it they could not be read again, and would all be quarantined.
func (a *App) checkMappings(ctx context.Context) error {
	inUse, err := a.readModel.Checkpoint(ctx)
	if err != nil {
		return nil // which is told by who needs it
	}
	return a.checkMappingsOf(inUse)
}

func (a *App) checkMappingsOf(c domain.Checkpoint) error {
	known := provider.NewSet(a.projection.Providers)
	for name, digest := range c.Mappings.All() {
		if _, is := known[name]; !is && digest != "" {
			return &MappingGoneError{name}
		}
	}
	return nil
}

// MappingGoneError says that nothing is configured to read a provider's webhooks by, and
// that there are some.
type MappingGoneError struct{ Provider string }

func (e *MappingGoneError) Error() string {
	return "the stream has webhooks of the provider " + e.Provider + ", and no mapping of it is configured"
}

// Hint gives the mend.
func (e *MappingGoneError) Hint() string {
	return "keep its mapping file for as long as the stream has its webhooks: mappings: [FILE] (" + config.Variable("mappings") + ")"
}

// whyStartedOver says in words, for readers too, why a read model could not be used.
func whyStartedOver(err error) string {
	if file, ok := errors.AsType[*sqlite.FileError](err); ok && errors.Is(err, sqlite.ErrOutdated) {
		return file.Err.Error()
	}
	return domain.ErrDamaged.Error()
}

// mendTallies ends nothing: who reads what is damaged is told so, and what else there is
// goes on.
func (a *App) mendTallies(ctx context.Context, db *sqlite.DB) {
	switch mended, err := db.MendTallies(ctx); {
	case err != nil:
		a.logger.Error("it is not known whether the read model's tallies are right", "error", err)
	case mended:
		a.logger.Error("the read model's tallies were not those of its orders, which were counted again",
			"hint", "see whether all else is right: ticketrail verify")
	}
}

// aim finds out how far a read model has to come that is made from the beginning of
// the stream, which may take several starts.
func (a *App) aim(ctx context.Context) error {
	checkpoint, err := a.readModel.Checkpoint(ctx)
	if errors.Is(err, domain.ErrDamaged) {
		return nil
	}
	if err == nil && checkpoint.StreamSequence == 0 {
		var info domain.StreamInfo
		if info, err = a.history.Info(ctx); err == nil {
			err = a.folder.Aim(info.Last)
		}
	}
	a.completeAt = a.folder.CompleteAt()
	a.readModel.Revise(a.folder.RevisedAt())
	return err
}

// openCurrent opens the read model in use of a folder.
func openCurrent(ctx context.Context, dir string, open func(string) (*sqlite.Folder, error)) (*sqlite.Folder, *sqlite.DB, error) {
	folder, err := open(dir)
	if err != nil {
		return nil, nil, err
	}
	db, err := sqlite.Open(ctx, folder.Current())
	return folder, db, err
}

// startProjector runs the projector beside everything else, and the rebuilder
// beside the projector. The rebuilder ends first: what it does it does between
// two batches of the projector.
func (a *App) startProjector(context.Context) (err error) {
	a.projector = projector.New(a.history, a.readModel, projector.Config{
		Providers: a.projection.Providers, Version: a.projection.Version, Logger: a.logger, Registerer: a.metrics, Reads: a.asked.Load,
		Tracer: a.tracer, TracedAfter: a.completeAt,
	})
	a.rebuilder, err = rebuild.New(rebuild.Config{
		Log:       a.history,
		Folder:    a.folder,
		Model:     a.readModel,
		Live:      a.projector,
		Version:   a.projection.Version,
		Providers: a.projection.Providers,
		Memory:    int(a.config.Rebuild.Memory),
		Logger:    a.logger,
		Tracer:    a.tracer,
	})
	if err != nil {
		return err
	}
	if a.startedOver != "" {
		if err := a.rebuilder.StartedOver(a.startedOver, a.completeAt); err != nil {
			a.logger.Error("that the read model is made anew could not be recorded", "error", err) // which is no reason not to
		}
	}
	a.steps.beside("stop the projector", limitProjector, a.project)
	a.steps.push("end the rebuild", limitRebuild, closing(a.rebuilder.Close))
	return nil
}

// project runs the projector until ctx ends. That it must stop is told and ends
// nothing else: it goes on when the stream is well again, or another read model
// comes into use.
func (a *App) project(ctx context.Context) {
	for {
		switched := a.rebuilder.Switched()
		err := a.projector.Run(ctx)
		if err == nil {
			return
		}
		a.logger.Error("the projector stopped; webhooks are still taken", "error", err, "hint", a.projector.Status().Hint)
		a.awaitMend(ctx, err, switched)
		if ctx.Err() != nil {
			return
		}
		a.logger.Info("the projector goes on")
	}
}

// awaitMend returns when the projector can go on after what stopped it. A damaged
// read model does not get well: only another one mends that.
func (a *App) awaitMend(ctx context.Context, stopped error, switched <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		select {
		case <-ctx.Done():
		case <-switched:
		}
	}()
	if errors.Is(stopped, domain.ErrDamaged) {
		<-ctx.Done()
		return
	}
	a.projector.AwaitMend(ctx)
}

// update begins to rebuild a read model that an older version of the projection, or another
// mapping, built, and which is served meanwhile. The difference that the new rules make
// is kept in the record of the rebuild. That it cannot begin ends nothing.
func (a *App) update(ctx context.Context) error {
	inUse, err := a.readModel.Checkpoint(ctx)
	var stop *projector.StopError
	differs := err == nil && errors.As(projector.SameRules(inUse, a.projection.Version, provider.NewSet(a.projection.Providers)), &stop)
	if !differs || inUse.Version > a.projection.Version {
		return err
	}
	started, err := a.rebuilder.Update()
	if err != nil {
		a.logger.Error("the read model is of older rules, and its rebuild does not begin", "error", err)
		return nil
	}
	a.logger.Info("the read model is of older rules; it is served while it is rebuilt",
		"rebuild", started.ID, "reason", stop.Detail)
	a.steps.beside("leave the update", limitWatch, func(ctx context.Context) { a.tellUpdate(ctx, started.ID) })
	return nil
}

// tellUpdate logs how the update ended.
func (a *App) tellUpdate(ctx context.Context, id int) {
	ended, err := a.rebuilder.Wait(ctx, id)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		a.logger.Error("it is not known how the rebuild ended", "rebuild", id, "error", err)
	case ended.State != domain.RebuildSwitched:
		a.logger.Error("the read model of older rules stays in use", "rebuild", id, "state", ended.State, "reason", whyNot(ended))
	default:
		a.logger.Info("the rebuilt read model is in use", "rebuild", id)
	}
}

// whyNot gives why a rebuild has ended and what it built is not in use.
func whyNot(ended domain.Rebuild) string {
	switch {
	case ended.State == domain.RebuildCanceled:
		return "it was canceled"
	case ended.State != domain.RebuildDiffers:
		return ended.Error
	case ended.Uncompared != nil:
		return "the two could not be compared, and nobody has accepted that: " + ended.Uncompared.Reason
	}
	return "the difference was not accepted"
}

// projectorHealth tells whether the projector runs and, if not, why and what to do.
func (a *App) projectorHealth() (running bool, reason, hint string) {
	if a.stopping.Load() {
		return false, errStopping.Error(), ""
	}
	status := a.projector.Status()
	if all := a.rebuilder.Rebuilds(); !status.Running && len(all) > 0 && !all[0].State.Ended() {
		status.Hint = fmt.Sprintf("wait: rebuild %d goes on, and the projector goes on with what it builds", all[0].ID)
	}
	if !status.FailingSince.IsZero() {
		status.Reason += ", again and again since " + status.FailingSince.UTC().Format(time.RFC3339)
	}
	return status.Running, status.Reason, status.Hint
}

// rebuilds is the rebuilder as the API knows it.
type rebuilds struct{ *rebuild.Rebuilder }

// Start begins a rebuild.
func (r rebuilds) Start(o domain.RebuildOptions) (domain.Rebuild, error) {
	started, err := r.Rebuilder.Start(o)
	return started, conflict(err)
}

// Rollback goes back to the previous read model.
func (r rebuilds) Rollback(ctx context.Context) error { return conflict(r.Rebuilder.Rollback(ctx)) }

// Delete forgets a rebuild.
func (r rebuilds) Delete(id int) error { return conflict(r.Rebuilder.Delete(id)) }

// Previous tells of the read model that a rollback goes back to.
func (r rebuilds) Previous(ctx context.Context) (domain.Checkpoint, error) {
	checkpoint, err := r.Rebuilder.Previous(ctx)
	return checkpoint, conflict(err)
}

// OrdersAt reads a snapshot.
func (r rebuilds) OrdersAt(ctx context.Context, streamSequence uint64, q domain.OrderQuery) (orders []*domain.Order, err error) {
	snapshot, err := r.Snapshot(ctx, streamSequence)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	return snapshot.Orders(ctx, q)
}

// OpenSnapshot opens a snapshot's file, once it has been read whole: who gets it need
// not be able to check its sums.
func (r rebuilds) OpenSnapshot(ctx context.Context, streamSequence uint64) (*os.File, error) {
	snapshot, err := r.Snapshot(ctx, streamSequence)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(snapshot.Check(ctx), snapshot.Close()); err != nil {
		return nil, err
	}
	file, err := os.Open(r.SnapshotPath(streamSequence))
	if errors.Is(err, os.ErrNotExist) {
		return nil, domain.ErrNotFound
	}
	return file, err
}

// conflict gives the API's error for why something cannot be done now.
func conflict(err error) error {
	switch {
	case errors.Is(err, rebuild.ErrBusy):
		return api.ErrRebuildGoesOn
	case errors.Is(err, rebuild.ErrNoPrevious):
		return api.ErrNoPrevious
	case errors.Is(err, rebuild.ErrOtherVersion):
		return api.ErrPreviousVersion
	}
	return err
}
