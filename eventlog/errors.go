package eventlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var (
	// ErrUnavailable says that the stream gave no answer: whether a webhook was
	// stored is not known, and its sender must be asked for it again.
	ErrUnavailable = errors.New("the stream does not answer")
	// ErrFull says that the stream or its disk has no room. Nothing was stored.
	ErrFull = errors.New("the stream is full")
	// ErrTooLarge says that a message is over the server's limit of bytes.
	// Nothing was stored.
	ErrTooLarge = errors.New("too large for the stream")
	// ErrUnfit says that a message holds what the stream has no place for, such
	// as a name that is no token. Nothing was stored; trying again is of no use.
	ErrUnfit = errors.New("unfit for the stream")
	// ErrNoStreams says that nobody has made the streams yet.
	ErrNoStreams = errors.New("nobody has made it yet")
	// ErrInterrupted ends a reader that does not heal by itself when its
	// connection, its server or its consumer did not last. What it gave out is
	// right; whether the stream is still the same one must be looked at before
	// reading goes on.
	ErrInterrupted = errors.New("reading the stream was interrupted")
	// ErrStreamLost says that the server has no such stream any more, and ends a
	// reader whose stream or connection is gone for good.
	ErrStreamLost = errors.New("the stream is lost")
	// ErrClosed is returned by a Publisher or Subscriber after its Close.
	ErrClosed = errors.New("closed")
)

// SettingError says that a server or a stream is set up so that it could lose
// webhooks, and that it was not touched.
type SettingError struct {
	Setting    string // its name as an operator finds it, such as "WEBHOOKS discard"
	Want, Have string
	Hint       string // how to mend it
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("setting %s is %s and must be %s", e.Setting, e.Have, e.Want)
}

// The codes with which a JetStream server says that it has no room: 10077 for
// the stream's own limit, the others for the limits of the account and the disk.
const (
	codeStoreFailed            = jetstream.ErrorCode(10077)
	codeStorageExceeded        = jetstream.ErrorCode(10047)
	codeInsufficientResources  = jetstream.ErrorCode(10023)
	codeMessageExceedsMaximum  = jetstream.ErrorCode(10054)
	codeHeaderExceedsMaximum   = jetstream.ErrorCode(10097)
	codeAccountResourcesExceed = jetstream.ErrorCode(10002)
)

// codeWrongLastMessage is that of a message which is to follow another one than it would.
const codeWrongLastMessage = jetstream.ErrorCode(10070)

// refusal says in this package's words why a message was not stored.
func refusal(err error) error {
	var refused *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, nats.ErrReconnectBufExceeded): // nothing is buffered while the connection is down
		return fmt.Errorf("%w: the connection to its server is down", ErrUnavailable)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("%w: %w", ErrUnavailable, ErrStreamLost)
	case !errors.As(err, &refused):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	switch refused.ErrorCode {
	case codeStoreFailed, codeStorageExceeded, codeInsufficientResources, codeAccountResourcesExceed:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case codeMessageExceedsMaximum, codeHeaderExceedsMaximum:
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// isLost tells whether a reader's error will not pass by itself.
func isLost(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) ||
		errors.Is(err, jetstream.ErrConnectionClosed) ||
		errors.Is(err, nats.ErrConnectionClosed)
}

// ended says why a reader whose context is done has ended.
func ended(ctx context.Context) error {
	return fmt.Errorf("reading the stream: %w", context.Cause(ctx))
}
