package sqlite

import (
	"context"

	"github.com/ticketrail/ticketrail/domain"
)

// keptBytes is how much two halves of what is kept may hold each, in bytes of rows. In
// memory an order takes some three times as much.
const keptBytes = 8 << 20

// kept are orders as the last commits left them: an order's webhooks come close to one
// another, and to read and decode it for each takes longer than to fold it. What is kept
// is always what is stored: an order is taken out to be changed, and only the commit that
// stores it puts it back. Whatever becomes of a batch, nobody has to tidy up.
type kept struct {
	young, old map[orderName]*domain.Order
	bytes      int // of all that was put into young
}

// put keeps orders whose rows have so many bytes.
func (k *kept) put(orders []*domain.Order, bytes int) {
	if k.bytes += bytes; k.young == nil || k.bytes > keptBytes {
		k.young, k.old, k.bytes = map[orderName]*domain.Order{}, k.young, bytes
	}
	for _, order := range orders {
		k.young[orderName{order.Source, order.Key}] = order
	}
}

// take gives an order and keeps it no longer; nil where it is not kept.
func (k *kept) take(source, key string) *domain.Order {
	name := orderName{source, key}
	order, young := k.young[name]
	if !young {
		order = k.old[name]
	}
	delete(k.young, name)
	delete(k.old, name)
	return order
}

// TakeOrder is Order for who commits: it gives an order to change, or domain.ErrNotFound.
func (db *DB) TakeOrder(ctx context.Context, source, key string) (*domain.Order, error) {
	if order := db.kept.take(source, key); order != nil {
		return order, nil
	}
	return db.Order(ctx, source, key)
}
