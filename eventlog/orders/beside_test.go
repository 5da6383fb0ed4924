package orders_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// Several programs that publish on one broker at once, each from a read model of its own,
// publish each change once and in its order, whoever comes first with it.
func TestPublishersBesideEachOther(t *testing.T) {
	t.Parallel()
	const publishers, changes = 3, 300
	broker := external(t, t.TempDir(), -1)
	models := make([]*model, publishers)
	var all []publishing
	for i := range models {
		models[i] = newModel()
		models[i].last = 2 * changes // the stream of webhooks is the same for all
		all = append(all, publish(t, connect(t, broker), models[i]))
	}
	var group sync.WaitGroup
	for i, m := range models {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		group.Go(func() {
			for left := changes; left > 0; {
				n := min(left, 1+random.IntN(20))
				m.change(n)
				left -= n
				all[i].Alert(t.Context(), late(i*changes+left))
			}
		})
	}
	group.Wait()
	told := changesUntil(t, connect(t, broker), changes)
	require.Equal(t, counting(1, changes), told)

	all[0].stop()
	for _, m := range models {
		m.change(5)
	}
	require.Equal(t, counting(1, changes+5), changesUntil(t, connect(t, broker), changes+5))
}

// changesUntil waits until the stream has so many changes, and gives their ids.
func changesUntil(t *testing.T, conn *nats.Conn, n int) (told []string) {
	t.Helper()
	messagesUntil(t, conn, func(all []*jetstream.RawStreamMsg) bool {
		told = nil
		for _, m := range all {
			if m.Header.Get("ce-afterchange") == "" {
				told = append(told, m.Header.Get("ce-id"))
			}
		}
		return len(told) >= n
	})
	return told
}
