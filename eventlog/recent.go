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
	mu     sync.Mutex
	all    []recentOne // each follows the one before
	bytes  int
	erased uint64 // the last webhook that was
}

// recentOne is a webhook, which is made of its record when somebody wants it.
type recentOne struct {
	record  brokerfile.Record
	webhook *domain.Webhook
}

// add adds what was read after what is there.
func (r *recent) add(records []brokerfile.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, record := range records {
		if record.Sequence <= r.erased {
			continue // it was read before
		}
		if n := len(r.all); n > 0 && record.Sequence != r.all[n-1].record.Sequence+1 {
			r.drop(n) // what is in a gap is for the reader of the files to find out
		}
		r.all, r.bytes = append(r.all, recentOne{record: record}), r.bytes+len(record.Body)
	}
	r.drop(max(0, len(r.all)-mostRecent))
	over := 0
	for bytes := r.bytes; bytes > recentBytes; over++ {
		bytes -= len(r.all[over].record.Body)
	}
	r.drop(over)
}

// drop drops the oldest. The lock is held.
func (r *recent) drop(n int) {
	for i := range r.all[:n] {
		r.bytes -= len(r.all[i].record.Body)
	}
	clear(r.all[:n])
	r.all = r.all[n:]
}

// forget drops all, since a webhook was erased, and takes nothing up to that any more: who
// adds may have read it before.
func (r *recent) forget(erased uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erased = max(r.erased, erased)
	r.drop(len(r.all))
}

// between gives the webhooks from a stream sequence to another one, at most so many; none
// where the first is not there.
func (r *recent) between(from, to uint64, most int) []*domain.Webhook {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 || from < r.all[0].record.Sequence {
		return nil
	}
	begin := min(from-r.all[0].record.Sequence, uint64(len(r.all)))
	there := r.all[begin:]
	there = there[:min(uint64(len(there)), uint64(most), to-from+1)]
	webhooks := make([]*domain.Webhook, len(there))
	for i := range there {
		if there[i].webhook == nil {
			w := webhookIn(&there[i].record)
			there[i].webhook = &w
		}
		webhooks[i] = there[i].webhook
	}
	return webhooks
}
