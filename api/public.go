package api

import (
	"context"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// PublicChange is a change of an order with its JSON, as [Change], without what is personal.
type PublicChange struct {
	StreamSequence uint64
	Source, Key    string
	State          domain.State // after it
	ReceivedAt     domain.Instant
	JSON           []byte
}

// Follow gives every change after a stream sequence to a part of this process: in their
// order, however far behind it is, and without any reset. next waits until there are some.
// Where another stream's read model has come into use, it goes on with that. Who follows
// must leave, and takes no place of a client.
func (f *Feed) Follow(ctx context.Context, after uint64) (next func(context.Context) ([]PublicChange, error), leave func(), err error) {
	if err := f.join(ctx, false); err != nil {
		return nil, nil, fmt.Errorf("follow the changes: %w", err)
	}
	w := &follower{feed: f, at: after, told: f.model.Revision().Number, patient: true}
	return w.public, func() { f.leave(false) }, nil
}

func (w *follower) public(ctx context.Context) ([]PublicChange, error) {
	for {
		found, err := w.next(ctx)
		if err != nil {
			return nil, err
		}
		if len(found.frames) > 0 {
			return publicChanges(found.frames)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-found.more:
		}
	}
}

func publicChanges(frames []*frame) ([]PublicChange, error) {
	changes := make([]PublicChange, len(frames))
	for i, f := range frames {
		text, err := f.text(false)
		if err != nil {
			return nil, err
		}
		c := &f.change
		changes[i] = PublicChange{c.StreamSequence, c.Order.Source, c.Order.Key, c.State, c.ReceivedAt, text.data}
	}
	return changes, nil
}
