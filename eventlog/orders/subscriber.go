package orders

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// subscriber gives the changes as Watermill messages, a run of them each, and the next one
// when that is acknowledged.
type subscriber struct{ publisher *Publisher }

type changesKey struct{}

// changesOf gives the changes of a message that a subscriber gave.
func changesOf(m *message.Message) []Change {
	changes, _ := m.Context().Value(changesKey{}).([]Change)
	return changes
}

// Subscribe gives the changes that ORDERS does not have, whatever the topic, until ctx ends.
func (s *subscriber) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	messages := make(chan *message.Message)
	go func() {
		defer close(messages)
		for ctx.Err() == nil {
			if err := s.follow(ctx, messages); err != nil && ctx.Err() == nil {
				s.publisher.failed(err)
				pause(ctx, longestPause)
			}
		}
	}()
	return messages, nil
}

// Close does nothing: the context of Subscribe ends what it began.
func (s *subscriber) Close() error { return nil }

// follow gives changes until ctx or the source ends.
func (s *subscriber) follow(ctx context.Context, to chan<- *message.Message) error {
	after, err := s.publisher.after(ctx)
	if err != nil {
		return err
	}
	next, leave, err := s.publisher.config.Source.Follow(ctx, after)
	if err != nil {
		return err
	}
	defer leave()
	for {
		changes, err := next(ctx)
		if err != nil {
			return err
		}
		for !deliver(ctx, to, changes) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
}

// deliver gives one message, and tells whether it was acknowledged.
func deliver(ctx context.Context, to chan<- *message.Message, changes []Change) bool {
	m := message.NewMessage("", nil)
	m.SetContext(context.WithValue(ctx, changesKey{}, changes))
	select {
	case to <- m:
	case <-ctx.Done():
		return false
	}
	select {
	case <-m.Acked():
		return true
	case <-m.Nacked():
	case <-ctx.Done():
	}
	return false
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
