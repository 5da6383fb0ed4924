package projector

import (
	"context"
	"iter"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// Version is the version of the projection: of every rule that decides what a
// read model holds. It changes whenever the same stream would give other rows,
// and a read model of another version is not continued.
const Version = 1

// Log is what the projector needs of the stream.
type Log interface {
	Info(ctx context.Context) (domain.StreamInfo, error)
	Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error)
	Batches(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error]
}

// Store is what the projector needs of a read model.
type Store interface {
	Memory
	// Checkpoint gives the zero Checkpoint before the first commit.
	Checkpoint(ctx context.Context) (domain.Checkpoint, error)
	// Commit writes the batch and its checkpoint, both or neither. The orders of the
	// batch are the store's from then on; the batch itself is used again.
	Commit(ctx context.Context, b *domain.Batch) error
}

// Memory is what is known of the webhooks before one, to decide what it does.
type Memory interface {
	// TakeOrder gives an order for the projector to change, or domain.ErrNotFound.
	TakeOrder(ctx context.Context, source, key string) (*domain.Order, error)
	WebhookIDs
}

// WebhookIDs are the ids under which webhooks were applied.
type WebhookIDs interface {
	// SeenWebhookID gives the stream sequence at which the id first came with this
	// body, 0 where it did not, and tells whether it came with another one; in
	// both counting only webhooks before the id's own stream sequence.
	SeenWebhookID(ctx context.Context, id domain.WebhookID) (first uint64, otherBody bool, err error)
}
