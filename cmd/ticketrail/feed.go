package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

const (
	// leastPause is the pause before a feed that ended is opened again; it doubles with each
	// try that fails, up to mostPause.
	leastPause = 500 * time.Millisecond
	mostPause  = 8 * time.Second
	// silentFor is how long a feed may say nothing: three of its heart-beats.
	silentFor = 45 * time.Second
)

// feed is a path of server-sent events that somebody follows, over the ends of the server.
type feed struct {
	path string
	// query gives what is asked for, with where to go on.
	query func() url.Values
	// begun is called each time that the feed has been opened, heard with each event. An
	// error of theirs ends the feed.
	begun func(context.Context, *apiClient) error
	heard func(context.Context, *apiClient, sse.Event) error
	// lost is called when a feed that was open has ended.
	lost func()
	// opened tells whether the feed has ever been.
	opened bool
}

// follow keeps the feed open, wherever the program is by then, until ctx ends. Its error is
// that of a feed that cannot be opened at all, or that no other try would open.
func (f *feed) follow(ctx context.Context, p *program, c *config.Config) error {
	pause := time.Duration(0)
	for {
		open, err := f.once(ctx, p, c)
		switch {
		case ctx.Err() != nil:
			return nil // who follows has heard enough
		case err != nil && (!f.opened || !passing(err)):
			return err
		case open || pause == 0:
			pause = leastPause
			f.lost()
		default:
			pause = min(2*pause, mostPause)
		}
		rest(ctx, pause)
	}
}

// once opens the feed and gives what is heard until it ends, and whether it was open.
func (f *feed) once(ctx context.Context, p *program, c *config.Config) (open bool, err error) {
	client, err := connect(ctx, c, p.namesFolder("api.listen"), serverOnly)
	switch {
	case err != nil && f.opened: // it may be back
		return false, fmt.Errorf("%w: %w", errCutOff, err)
	case err != nil:
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(silentFor, cancel)
	defer silence.Stop()
	begun := func() error {
		f.opened, open = true, true
		return f.begun(ctx, client)
	}
	return open, client.events(ctx, f.path, f.query(), begun, func(e sse.Event) error {
		silence.Reset(silentFor)
		return f.heard(ctx, client, e)
	})
}
