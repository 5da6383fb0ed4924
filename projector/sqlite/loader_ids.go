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

// filter is Bloom filters of hashes: it tells for certain that a hash was never added, and
// nearly always that one was. When one is full the next one has twice its size, so that a
// stream of a few orders takes little, and one of millions is hardly wrong more often: once
// in some thousand times. Each time the loading waits for what is being written.
type filter struct {
	parts [][]uint64 // the newest is the last
	room  int        // hashes that the newest still takes
}

const (
	firstWords = 1 << 13 // of the first part, a power of two
	// wordHashes is how many hashes a word takes: 21 bits each, of which eight are set.
	wordHashes = 3
)

func (f *filter) add(hash int64) {
	if f.room == 0 {
		words := firstWords << len(f.parts)
		f.parts, f.room = append(f.parts, make([]uint64, words)), words*wordHashes
	}
	f.room--
	newest := f.parts[len(f.parts)-1]
	for _, bit := range filterPlaces(hash, newest) {
		newest[bit/64] |= 1 << (bit % 64)
	}
}

func (f *filter) has(hash int64) bool {
	return slices.ContainsFunc(f.parts, func(part []uint64) bool {
		for _, bit := range filterPlaces(hash, part) {
			if part[bit/64]&(1<<(bit%64)) == 0 {
				return false
			}
		}
		return true
	})
}

// filterPlaces gives the bits of a hash in a part, all of whose own bits are random.
func filterPlaces(hash int64, part []uint64) (places [8]uint64) {
	step, mask := uint64(hash)>>32|1, uint64(64*len(part)-1)
	for i := range places {
		places[i] = (uint64(hash) + uint64(i)*step) & mask
	}
	return places
}
