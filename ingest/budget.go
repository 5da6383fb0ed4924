package ingest

import "golang.org/x/sync/semaphore"

// budget bounds the bytes that are held at once.
type budget struct {
	room  *semaphore.Weighted
	whole *budget // what this one is a part of; nil for the whole
}

func newBudget(bytes int64) *budget { return &budget{room: semaphore.NewWeighted(bytes)} }

// part gives a budget of its own that takes from this one too. The parts may add
// up to more than the whole.
func (b *budget) part(bytes int64) *budget {
	part := newBudget(bytes)
	part.whole = b
	return part
}

// take takes so many bytes, or none and gives false where there are too few.
func (b *budget) take(bytes int64) bool {
	switch {
	case !b.room.TryAcquire(bytes):
		return false
	case b.whole != nil && !b.whole.take(bytes):
		b.room.Release(bytes)
		return false
	}
	return true
}

func (b *budget) giveBack(bytes int64) {
	b.room.Release(bytes)
	if b.whole != nil {
		b.whole.giveBack(bytes)
	}
}
