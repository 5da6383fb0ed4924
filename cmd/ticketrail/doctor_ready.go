package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// readiness asks the program that has the data folder, as a container's health check
// does every few seconds. It locks nothing and writes nothing: one that is about to
// start must not find the folder taken by who asks for it.
func readiness(ctx context.Context, loaded *config.Config) []check {
	const name = "running"
	running, err := app.ReadAddresses(loaded.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []check{fail(name, "wait until it has started, or start it: ticketrail serve", "nothing serves on %s", loaded.Data)}
	case err != nil:
		return []check{failed(name, err)}
	}
	e := &examination{config: loaded, running: running}
	return []check{checkDurability(ctx, e), checkProjector(ctx, e)}
}
