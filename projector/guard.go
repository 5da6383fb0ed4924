package projector

import (
	"context"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

// The reasons for which a projector stops.
var (
	// ErrOtherVersion: the read model was built by another version of the projection.
	ErrOtherVersion = errors.New("the read model was built by another version")
	// ErrOtherMapping: a provider's mapping is not the one by which the read model was built.
	ErrOtherMapping = errors.New("the read model was built by another mapping")
	// ErrNoStream: the broker has no stream of webhooks any more.
	ErrNoStream = errors.New("the stream is gone")
	// ErrOtherStream: the stream is not the one that the read model was made from.
	ErrOtherStream = errors.New("the stream is another one")
	// ErrStreamBehind: the stream ends before the checkpoint.
	ErrStreamBehind = errors.New("the stream ends before the checkpoint")
	// ErrChanged: the webhook at the checkpoint is not the one that was applied.
	ErrChanged = errors.New("the webhook at the checkpoint has changed")
	// ErrExpired: the stream no longer has the first webhook to apply, nor any
	// before it, as stream.max_age does to a read model that is made too late.
	ErrExpired = errors.New("webhooks that are not applied yet have expired")
	// ErrGap: a stream sequence after the checkpoint is missing.
	ErrGap = errors.New("the stream has a gap")
)

// errUnsure says that it is a server which may be behind that does not have the checkpoint:
// another one has it, or will say the same.
var errUnsure = fmt.Errorf("%w: the server that answers may be behind the others", eventlog.ErrUnavailable)

// StopError says why a projector stopped, for the person who must act.
type StopError struct {
	StreamSequence uint64 // at which it was found
	Detail         string
	Hint           string // what to do
	Err            error  // one of the reasons above
}

func (e *StopError) Error() string {
	return fmt.Sprintf("projector stopped at stream sequence %d: %v: %s", e.StreamSequence, e.Err, e.Detail)
}

// Unwrap gives the reason.
func (e *StopError) Unwrap() error { return e.Err }

const (
	hintRestore = "restore the stream from its newest backup; or, if the present stream is the truth from now on, " +
		"rebuild the read model from it: ticketrail rebuild --accept"
	hintNoStream = "restore the stream from its newest backup; after a restart there would be a new, empty one"
	hintGap      = "restore the stream from its newest backup; the read model is right up to the gap, " +
		"and one that is made anew ends there too"
	hintExpired = "what has expired (stream.max_age) cannot be applied any more: put back a read-model folder or a stream " +
		"from a backup that reaches up to there; stream.max_age: 0 keeps every webhook from now on"
	hintDamaged = "make it anew from the stream: ticketrail rebuild --accept"
	hintVersion = "rebuild it: ticketrail rebuild --accept; or run the ticketrail that built it"
	hintMapping = "rebuild it: ticketrail rebuild --accept; or put the mapping file back as it was"
)

// Guard compares a checkpoint with the stream it claims to be made from.
type Guard struct{ log Log }

// NewGuard gives the guard of a stream.
func NewGuard(log Log) Guard { return Guard{log} }

// Check gives a *StopError where the stream cannot be the one that the
// checkpoint was made from, and the stream's own state where it can. Any other
// error says that the stream could not be read, which decides nothing.
func (g Guard) Check(ctx context.Context, c domain.Checkpoint) (domain.StreamInfo, error) {
	info, err := g.log.Info(ctx)
	switch {
	case errors.Is(err, eventlog.ErrStreamLost):
		return info, &StopError{
			StreamSequence: c.StreamSequence, Err: ErrNoStream, Detail: "the broker does not have it", Hint: hintNoStream,
		}
	case err != nil:
		return info, fmt.Errorf("check checkpoint: %w", err)
	case c.StreamSequence == 0:
		return info, reaches(info, 1)
	}
	stop := func(reason error, format string, args ...any) error {
		return &StopError{StreamSequence: c.StreamSequence, Err: reason, Detail: fmt.Sprintf(format, args...), Hint: hintRestore}
	}
	switch {
	case c.Stream != info.Identity:
		return info, stop(ErrOtherStream, "the read model is made from %s of %s, this is %s of %s",
			c.Stream.Name, c.Stream.CreatedAt, info.Identity.Name, info.Identity.CreatedAt)
	case info.Last < c.StreamSequence && info.Unsure:
		return info, fmt.Errorf("check checkpoint: it ends at stream sequence %d: %w", info.Last, errUnsure)
	case info.Last < c.StreamSequence:
		return info, stop(ErrStreamBehind, "the stream ends at stream sequence %d", info.Last)
	case info.First > c.StreamSequence:
		return info, reaches(info, c.StreamSequence+1) // the webhook at the checkpoint has expired
	}
	return info, g.checkWebhook(ctx, c, stop)
}

// CheckNext is Check that gives a *StopError also where the webhook right after the
// checkpoint is missing.
func (g Guard) CheckNext(ctx context.Context, c domain.Checkpoint) error {
	info, err := g.Check(ctx, c)
	if err != nil || info.Last <= c.StreamSequence {
		return err
	}
	next := c.StreamSequence + 1
	_, err = g.log.Webhook(ctx, next)
	if errors.Is(err, domain.ErrNotFound) {
		return &StopError{StreamSequence: next, Err: ErrGap, Detail: "the webhook there is missing", Hint: hintGap}
	}
	return err
}

func (g Guard) checkWebhook(ctx context.Context, c domain.Checkpoint, stop func(error, string, ...any) error) error {
	webhook, err := g.log.Webhook(ctx, c.StreamSequence)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return g.checkExpired(ctx, c, stop)
	case err != nil:
		return fmt.Errorf("check checkpoint: %w", err)
	case webhook.Chain(c.PreviousChain) != c.Chain:
		return stop(ErrChanged, "its digest differs from the one that was applied")
	}
	return nil
}

// checkExpired tells a webhook at the checkpoint that has expired just now, which
// is well, from one that is missing.
func (g Guard) checkExpired(ctx context.Context, c domain.Checkpoint, stop func(error, string, ...any) error) error {
	info, err := g.log.Info(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("check checkpoint: %w", err)
	case info.First > c.StreamSequence:
		return reaches(info, c.StreamSequence+1)
	case info.Unsure:
		return fmt.Errorf("check checkpoint: its webhook is missing: %w", errUnsure)
	}
	return stop(ErrGap, "the webhook at the checkpoint is missing")
}

// reaches gives a *StopError where the stream begins after the webhook to go on
// from.
func reaches(info domain.StreamInfo, from uint64) error {
	if info.First <= from {
		return nil
	}
	return &StopError{
		StreamSequence: from,
		Err:            ErrExpired,
		Detail:         fmt.Sprintf("the stream begins with stream sequence %d", info.First),
		Hint:           hintExpired,
	}
}

// SameRules gives a *StopError where a read model was built by another version of the
// projection, or by a mapping of a provider that is not the configured one.
func SameRules(c domain.Checkpoint, version int, providers provider.Set) error {
	if c.StreamSequence == 0 {
		return nil
	}
	if c.Version != version {
		return &StopError{
			StreamSequence: c.StreamSequence,
			Err:            ErrOtherVersion,
			Detail:         fmt.Sprintf("it has version %d, this program makes version %d", c.Version, version),
			Hint:           hintVersion,
		}
	}
	for name, digest := range c.Mappings.All() {
		if configured, _ := providers.Mapping(name); configured != digest {
			return &StopError{StreamSequence: c.StreamSequence, Err: ErrOtherMapping, Detail: "that of " + name + " has changed", Hint: hintMapping}
		}
	}
	return nil
}

// damaged gives a *StopError for an error that says that the read model is not what
// was committed: to try again would not help.
func damaged(at uint64, err error) error {
	if !errors.Is(err, domain.ErrDamaged) {
		return err
	}
	return &StopError{StreamSequence: at, Err: domain.ErrDamaged, Detail: err.Error(), Hint: hintDamaged}
}

// follows gives a *StopError unless next is the stream sequence after last.
func follows(last, next uint64) error {
	if next == last+1 {
		return nil
	}
	return &StopError{
		StreamSequence: last + 1,
		Err:            ErrGap,
		Detail:         fmt.Sprintf("the next webhook after %d has stream sequence %d", last, next),
		Hint:           hintGap,
	}
}
