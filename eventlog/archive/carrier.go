package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ticketrail/ticketrail/eventlog"
)

const (
	// carryEvery is how often it is looked whether there is something to be carried: a
	// segment takes longer to be filled, as a rule.
	carryEvery = time.Second
	// longestCarryPause bounds the pause before a store that does not answer is asked
	// again, which is twice the one before.
	longestCarryPause = time.Minute
)

// Trimmed is what a Carrier needs of the stream: an eventlog.Log.
type Trimmed interface {
	TrimPoint(keep int64, upTo uint64) (uint64, error)
	Trim(ctx context.Context, to uint64) error
}

// CarrierConfig is what a Carrier is given. Log, Stored and Keeper are required.
type CarrierConfig struct {
	Log    Trimmed
	Stored *Stored
	Keeper *Keeper
	// Keep is what the stream keeps in any case, in bytes; 0 means all.
	Keep int64
	// KeepLocal has what is in the store stay in the archive's folder too.
	KeepLocal bool
	// Reached tells up to which webhook the stream has been read by those who would rather
	// not read it from the store.
	Reached func() uint64
	Logger  *slog.Logger
}

// Carrier puts sealed segments into the store of an archive. Then it trims the stream, of
// which it keeps what is not there, and frees the archive's folder of what the stream does
// not have any more. Each step begins when the one before it is on disk, so that a crash at
// any moment leaves every webhook in two places, or in the store: in that order one
// goes on after it.
type Carrier struct {
	CarrierConfig

	looked bool // whether the store was found to have what it is known to have

	mu      sync.Mutex
	trouble error
}

// NewCarrier makes a carrier.
func NewCarrier(c CarrierConfig) *Carrier {
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return &Carrier{CarrierConfig: c}
}

// Run carries until ctx ends. What fails is tried again, and told once: as long as it does,
// nothing is trimmed.
func (c *Carrier) Run(ctx context.Context) {
	wait := carryEvery
	for ctx.Err() == nil {
		err := c.Carry(ctx)
		if ctx.Err() != nil {
			return
		}
		if c.tell(err); err == nil {
			wait = carryEvery
		} else {
			wait = min(2*wait, longestCarryPause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (c *Carrier) tell(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil && c.trouble == nil:
		hint := ""
		if denied, ok := errors.AsType[*eventlog.SettingError](err); ok {
			hint = denied.Hint
		}
		c.Logger.Error("the archive's store is behind; nothing is trimmed meanwhile", "store", c.Stored.store.String(), "error", err, "hint", hint)
	case err == nil && c.trouble != nil:
		c.Logger.Info("the archive's store goes on")
	}
	c.trouble = err
}

// Trouble tells why the store is behind; nil where it is not.
func (c *Carrier) Trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble
}

// Carry does once what is to be done. Run does it again and again, and nobody beside it.
func (c *Carrier) Carry(ctx context.Context) error {
	if !c.looked {
		if err := c.Stored.replenish(ctx); err != nil {
			return err
		}
		c.looked = true
	}
	if err := c.put(ctx); err != nil {
		return fmt.Errorf("put into the store: %w", err)
	}
	if err := c.trim(ctx); err != nil || c.KeepLocal {
		return err
	}
	// An erasure that writes a segment anew would bring back one that is removed meanwhile.
	return c.Keeper.exclusively(c.Stored.drop)
}

// put puts the segments that have been sealed since into the store.
func (c *Carrier) put(ctx context.Context) error {
	paths, err := list(c.Stored.dir)
	if err != nil {
		return err
	}
	stored, err := c.Stored.span()
	for i := 0; i+1 < len(paths) && err == nil; i++ { // the last one is written to
		if firstOf(paths[i]) > stored.last.StreamSequence {
			err = c.Stored.putSegment(ctx, paths[i])
		}
	}
	return err
}

// trim trims the stream. That it may lack something is noted before: who looks at it after
// a crash must know.
func (c *Carrier) trim(ctx context.Context) error {
	if c.Keep == 0 {
		return nil
	}
	stored, err := c.Stored.span()
	if err != nil {
		return err
	}
	upTo := min(c.Keeper.erasedTo(stored.last.StreamSequence), c.Reached())
	to, err := c.Log.TrimPoint(c.Keep, upTo)
	if err != nil || to == 0 {
		return err
	}
	if err := c.Stored.noteTrimmed(to); err != nil {
		return err
	}
	if err := c.Log.Trim(ctx, to); err != nil {
		return err
	}
	c.Logger.Info("the stream was trimmed: the archive's store has what was before", "to_stream_sequence", to)
	return nil
}
