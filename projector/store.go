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
	// Checkpoint gives the zero Checkpoint before the first commit.
	Checkpoint(ctx context.Context) (domain.Checkpoint, error)
	// Order gives an order for the projector to change, or domain.ErrNotFound.
	Order(ctx context.Context, source, key string) (*domain.Order, error)
	// SeenWebhookID tells whether an applied webhook came under the id before,
	// with the same body or with another one.
	SeenWebhookID(ctx context.Context, id domain.WebhookID) (sameBody, otherBody bool, err error)
	// Commit writes the batch and its checkpoint, both or neither.
	Commit(ctx context.Context, b *domain.Batch) error
}
