package sqlite

import (
	"cmp"
	"slices"

	"github.com/ticketrail/ticketrail/domain"
)

// loadedIDs are the webhook ids that a Loader has in memory, by the hash of an id. They
// are written in their order, since each would go to another page otherwise.
type loadedIDs struct {
	first  map[int64]seenID   // with the body that came first
	others map[int64][]seenID // with other bodies
	count  int
	stored *filter // those in the file
}

// seenID is where a webhook id first came with a body.
type seenID struct {
	body           int64
	streamSequence uint64
}

// idBytes is what one takes in memory, as a map grows.
const idBytes = 48

func newLoadedIDs() *loadedIDs {
	return &loadedIDs{first: map[int64]seenID{}, others: map[int64][]seenID{}, stored: new(filter)}
}

func (l *loadedIDs) bytes() int { return l.count * idBytes }

func (l *loadedIDs) add(id *domain.WebhookID) {
	hash, seen := webhookIDHash(id.Source, id.ID), seenID{head(id.Body), id.StreamSequence}
	if _, known := l.first[hash]; known {
		l.others[hash] = append(l.others[hash], seen)
	} else {
		l.first[hash] = seen
	}
	l.count++
}

// of gives what is in memory of an id.
func (l *loadedIDs) of(hash int64) []seenID {
	if first, known := l.first[hash]; known {
		return append([]seenID{first}, l.others[hash]...)
	}
	return nil
}

// drain gives the rows of all that is in memory, which is nothing then.
func (l *loadedIDs) drain() (sorted bulk) {
	hashes := make([]int64, 0, len(l.first))
	for hash := range l.first {
		hashes = append(hashes, hash)
	}
	slices.Sort(hashes)
	for _, hash := range hashes {
		l.stored.add(hash)
		all := l.of(hash)
		slices.SortFunc(all, func(a, b seenID) int { return cmp.Compare(a.body, b.body) })
		for _, seen := range all {
			sorted.seenID(hash, seen)
		}
	}
	*l = loadedIDs{first: map[int64]seenID{}, others: map[int64][]seenID{}, stored: l.stored}
	return sorted
}

// filter is a Bloom filter of hashes: it tells for certain that a hash was never added,
// and nearly always that one was. With ten million hashes it is wrong once in a hundred
// times.
type filter [filterBits / 64]uint64

const filterBits = 1 << 27

func (f *filter) add(hash int64) {
	for _, bit := range filterPlaces(hash) {
		f[bit/64] |= 1 << (bit % 64)
	}
}

func (f *filter) has(hash int64) bool {
	for _, bit := range filterPlaces(hash) {
		if f[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

// filterPlaces gives the bits of a hash, all of whose own bits are random.
func filterPlaces(hash int64) (places [4]uint64) {
	step := uint64(hash)>>32 | 1
	for i := range places {
		places[i] = (uint64(hash) + uint64(i)*step) % filterBits
	}
	return places
}
