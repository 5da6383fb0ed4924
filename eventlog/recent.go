package eventlog

import (
	"sync"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// What is kept of the webhooks that were stored last: more than comes while a reader works
// on what it has, and little memory. The bytes are of bodies.
const (
	mostRecent  = 2 * mostInGroup
	recentBytes = 2 << 20
)

// recent are the webhooks that were stored last, as the committer has found them in the
// files: who reads on at the end of the stream takes them from here, and the same bytes are
// read, and their checksums compared, once for all. It is safe for concurrent use.
type recent struct {
	mu       sync.Mutex
	webhooks []*domain.Webhook // each follows the one before
	bytes    int
}

// add adds what was read after what is there.
func (r *recent) add(records []brokerfile.Record) {
	added := make([]*domain.Webhook, len(records))
	for i := range records {
		added[i] = webhookIn(&records[i])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range added {
		if n := len(r.webhooks); n > 0 && w.StreamSequence != r.webhooks[n-1].StreamSequence+1 {
			r.drop(n) // what is in a gap is for the reader of the files to find out
		}
		r.webhooks, r.bytes = append(r.webhooks, w), r.bytes+len(w.Body)
	}
	over := max(0, len(r.webhooks)-mostRecent)
	for bytes := r.bytes; bytes > recentBytes; over++ {
		bytes -= len(r.webhooks[over].Body)
	}
	r.drop(over)
}

// drop drops the oldest. The lock is held.
func (r *recent) drop(n int) {
	for _, w := range r.webhooks[:n] {
		r.bytes -= len(w.Body)
	}
	clear(r.webhooks[:n])
	r.webhooks = r.webhooks[n:]
}

// forget drops all, some of which were erased.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(len(r.webhooks))
}

// between gives the webhooks from a stream sequence to another one, at most so many; none
// where the first is not there.
func (r *recent) between(from, to uint64, most int) []*domain.Webhook {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.webhooks) == 0 || from < r.webhooks[0].StreamSequence {
		return nil
	}
	begin := min(from-r.webhooks[0].StreamSequence, uint64(len(r.webhooks)))
	there := r.webhooks[begin:]
	n := min(uint64(len(there)), uint64(most), to-from+1)
	return append([]*domain.Webhook(nil), there[:n]...)
}
