package sqlite

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/ticketrail/ticketrail/domain"
)

// counters is how many counters of changes the orders of a file share: some thousand
// are some kilobytes, and a commit makes few who have read other orders read again.
const counters = 1 << 13

// changes count what commits change, for readers who keep what they have read. A counter
// is odd from before a commit begins to be seen until after it is seen by all: what was
// read at an even count holds for as long as the count stays.
type changes struct {
	seed   maphash.Seed
	orders [counters]atomic.Uint64 // by the hash of an order
	all    atomic.Uint64
	over   atomic.Bool // the file is no longer in use
}

func newChanges() *changes { return &changes{seed: maphash.MakeSeed()} }

func (c *changes) of(source, key string) *atomic.Uint64 {
	return &c.orders[maphash.Comparable(c.seed, [2]string{source, key})%counters]
}

// during calls what commits changes of orders. What is done before, in the transaction,
// nobody sees. One goroutine commits at a time.
func (c *changes) during(orders []*domain.Order, commit func() error) error {
	step := func(from uint64) {
		for _, o := range orders {
			if counter := c.of(o.Source, o.Key); counter.Load()%2 == from {
				counter.Add(1)
			}
		}
		c.all.Add(1)
	}
	step(0)
	defer step(1) // however it ends
	return commit()
}

// watch gives a function that tells whether what is read from now on still holds.
func (c *changes) watch(counter *atomic.Uint64) (holds func() bool) {
	count := counter.Load()
	return func() bool { return count%2 == 0 && counter.Load() == count && !c.over.Load() }
}
