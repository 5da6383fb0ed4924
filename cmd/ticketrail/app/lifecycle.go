package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The limits of the steps of a stop. A request takes longer than its limit only
// where its sender is slow, and such a one was not answered with 200 yet.
const (
	limitMend      = 3 * time.Second
	limitRequests  = 6 * time.Second
	limitReads     = 3 * time.Second
	limitWatch     = 1 * time.Second
	limitRebuild   = 3 * time.Second
	limitProjector = 5 * time.Second
	limitStore     = 5 * time.Second
	limitArchive   = 1 * time.Second
	limitCarrier   = 1 * time.Second
	limitBroker    = 3 * time.Second
	limitTraces    = 500 * time.Millisecond
	limitFolder    = 1 * time.Second

	// StopLimit is how long a stop takes at the longest: the sum of the above.
	StopLimit = limitMend + limitRequests + limitReads + 5*limitWatch + limitRebuild + limitProjector + limitStore + 2*limitArchive + limitCarrier + limitBroker + limitTraces + limitFolder
)

// step is one thing to undo.
type step struct {
	name  string
	limit time.Duration
	stop  func(context.Context) error
}

// steps undoes what was done, the last thing first.
type steps []step

func (s *steps) push(name string, limit time.Duration, stop func(context.Context) error) {
	*s = append(*s, step{name: name, limit: limit, stop: stop})
}

// stop takes every step, whatever became of the ones before, and names those
// that failed.
func (s *steps) stop() error {
	var failures []error
	for _, step := range slices.Backward(*s) {
		if err := step.run(); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", step.name, err))
		}
	}
	*s = nil
	return errors.Join(failures...)
}

// run waits for the step, but no longer than its limit: one that hangs is left
// behind, since the steps after it matter more.
func (s step) run() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.stop(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("not done after %s", s.limit)
	}
}

// closing makes a stop of a Close that knows no context.
func closing(closer func() error) func(context.Context) error {
	return func(context.Context) error { return closer() }
}

// beside runs a part until the stop, and waits for its end then.
func (s *steps) beside(name string, limit time.Duration, run func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx)
	}()
	s.push(name, limit, func(context.Context) error {
		cancel()
		<-done
		return nil
	})
}
