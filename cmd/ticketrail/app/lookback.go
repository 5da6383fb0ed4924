package app

import "github.com/ticketrail/ticketrail/projector/lookback"

// lookBack gives what folds single orders again, by the rules of the projector.
func (a *App) lookBack() *lookback.Lookback {
	return lookback.New(lookback.Config{
		Log:       a.log,
		Model:     a.readModel,
		Live:      a.projector,
		Version:   a.projection.Version,
		Providers: a.projection.Providers,
	})
}
