package eventlog

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Copy is a second copy of the stream. It is safe for concurrent use.
type Copy interface {
	// Ready tells why it could not take a webhook now; nil where it could. Its
	// error wraps ErrFull or ErrUnavailable.
	Ready() error
	// Wait returns when the copy has the webhook of a stream sequence on disk, or
	// with an error like Ready's: when it is known that this cannot be now, or when
	// ctx ends.
	Wait(ctx context.Context, streamSequence uint64) error
}

// AnswerAfter has every later receipt of a webhook wait for a copy: what Append and
// Release answer for, the copy has too. It is to be called before the first of
// them.
func (l *Log) AnswerAfter(c Copy) { l.copy = c }

// keep stores a webhook's message, here and in the copy. A duplicate waits too: it
// may be the retry of one that the copy does not have yet.
func (l *Log) keep(ctx context.Context, subject string, m *message.Message) (Receipt, error) {
	if err := l.takeRoom(ctx, len(m.Payload)); err != nil {
		return Receipt{}, err
	}
	return l.keepAnyway(ctx, subject, m)
}

// keepAnyway is keep for what may take the last room of the stream.
func (l *Log) keepAnyway(ctx context.Context, subject string, m *message.Message) (Receipt, error) {
	if err := l.checkRoom(); err != nil {
		return Receipt{}, err
	}
	m.SetContext(ctx)
	begun := time.Now()
	receipt, err := l.publisher.publish(subject, m, l.copy)
	l.roaming.note(begun, err)
	return receipt, err
}

// checkRoom refuses before anything is stored what could not be answered for.
func (l *Log) checkRoom() error {
	err := l.checkDisk()
	if err == nil {
		err = l.embedded.now().late()
	}
	if err == nil && l.copy != nil {
		err = l.copy.Ready()
	}
	return err
}
