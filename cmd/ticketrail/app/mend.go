package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

const (
	// firstMend and longestMend bound the wait before the embedded broker is started
	// again; each is twice the one before. Where its disk works again, webhooks are
	// taken within the longest and what a start takes.
	firstMend   = 2 * time.Second
	longestMend = 10 * time.Second
	// mended is how long a broker must have been well for the next wait to be the first.
	mended = time.Minute
	// probeSize is what the disk must take before the broker is started on it, in bytes:
	// more than it writes at its start.
	probeSize = 1 << 20
)

// startMending begins to look after the embedded broker. It comes when all is started: what
// is slow to start is not broken.
func (a *App) startMending(context.Context) error {
	if a.broker != nil {
		a.steps.beside("leave the broker as it is", limitMend, a.mend)
	}
	return nil
}

// mend starts the embedded broker again whenever it has failed to write, after which it
// never takes a webhook by itself. Reading goes on until it is stopped for that.
func (a *App) mend(ctx context.Context) {
	wait := firstMend
	for {
		began := time.Now()
		broken := a.broker.AwaitBreak(ctx)
		if ctx.Err() != nil {
			return
		}
		a.logger.Error("the embedded broker cannot write; webhooks are refused until its disk works again", "error", broken)
		if time.Since(began) > mended {
			wait = firstMend
		}
		wait = a.startBrokerAgain(ctx, wait)
	}
}

// startBrokerAgain tries until it succeeds or ctx ends, and gives how long to wait where
// the broker soon breaks again. Why it cannot is logged once, and not with every try.
func (a *App) startBrokerAgain(ctx context.Context, wait time.Duration) time.Duration {
	for told := ""; ; {
		select {
		case <-ctx.Done():
			return wait
		case <-time.After(wait):
		}
		wait = min(2*wait, longestMend)
		err := a.tryBroker(ctx)
		switch {
		case ctx.Err() != nil:
			return wait
		case err == nil:
			a.logger.Info("the embedded broker was started again, and takes webhooks")
			return wait
		case err.Error() != told:
			told = err.Error()
			a.logger.Warn("the embedded broker cannot be started again yet", "error", err, "hint", hintOf(err))
		}
	}
}

// tryBroker starts the broker again, if its disk works. Its files are looked at first, as
// at every start.
func (a *App) tryBroker(ctx context.Context) error {
	if err := probe(StreamFolder(a.config.Data)); err != nil {
		return err
	}
	return a.broker.Restart(ctx, func() error {
		look := func() error { return CheckFiles(a.config, a.logger) }
		if a.keeper == nil {
			return look()
		}
		return a.keeper.Pause(look)
	})
}

// probe tells whether a folder's disk can be written to, and syncs.
func probe(dir string) error {
	path := filepath.Join(dir, "probe")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("try the disk: %w", err)
	}
	_, err = file.Write(make([]byte, probeSize))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close(), os.Remove(path)); err != nil {
		return fmt.Errorf("try the disk: %w", err)
	}
	return nil
}

// hintOf gives what to do about files that must not be opened.
func hintOf(err error) string {
	if refused, ok := errors.AsType[*recovery.Refusal](err); ok {
		return refused.Hint()
	}
	return ""
}
