package eventlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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
func (l *Log) keep(ctx context.Context, n *nats.Msg) (Receipt, error) {
	if err := l.takeRoom(ctx, len(n.Data)); err != nil {
		return l.keptBefore(ctx, n, err)
	}
	return l.keepAnyway(ctx, n)
}

// noMessage is the id of no message: ids are longer.
const noMessage = "none"

// keptBefore gives the receipt of a webhook that the stream has already, and for which it
// needs no room; of any other one the error for which there is none. The server looks
// whether it has the message before it finds that it must not store it.
func (l *Log) keptBefore(ctx context.Context, n *nats.Msg, refused error) (Receipt, error) {
	if !errors.Is(refused, ErrFull) || n.Header.Get(jetstream.MsgIDHeader) == "" {
		return Receipt{}, refused
	}
	n.Header.Set(jetstream.ExpectedLastMsgIDHeader, noMessage)
	receipt, err := l.keepAnyway(ctx, n)
	if not, ok := errors.AsType[*jetstream.APIError](err); ok && not.ErrorCode == codeWrongLastMessage {
		err = refused
	}
	return receipt, err
}

// keepAnyway is keep for what may take the last room of the stream.
func (l *Log) keepAnyway(ctx context.Context, n *nats.Msg) (Receipt, error) {
	if err := l.checkRoom(); err != nil {
		return Receipt{}, err
	}
	receipt, err := l.storeWebhook(ctx, n)
	if err != nil {
		return Receipt{}, fmt.Errorf("publish: %w", err)
	}
	return receipt, nil
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
