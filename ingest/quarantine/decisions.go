package quarantine

import (
	"context"
	"sync"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// decisions knows the last decision about each entry. It reads those that came
// since it read last, which another process may have made.
type decisions struct {
	log   Decisions
	mu    sync.Mutex
	until uint64 // the sequence of the last one that is known
	about map[domain.QuarantineMark]*domain.Decision
	// released finds the decisions by what was made of the requests.
	released map[released]*domain.Decision
}

// released names a webhook that was a rejected request. The time of receipt is part
// of it since sequences begin anew with a stream that is made anew, and since of a
// webhook that its sender sent again meanwhile, nothing was released.
type released struct {
	streamSequence uint64
	receivedAt     domain.Instant
}

func newDecisions(log Decisions) *decisions {
	return &decisions{
		log:      log,
		about:    map[domain.QuarantineMark]*domain.Decision{},
		released: map[released]*domain.Decision{},
	}
}

// refresh reads what is new.
func (d *decisions) refresh(ctx context.Context) error {
	for decided, err := range d.log.Decisions(ctx, d.known()) {
		if err != nil {
			return err
		}
		d.learn(decided)
	}
	return nil
}

func (d *decisions) known() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.until
}

// learn takes one decision, unless a refresh beside this one was faster.
func (d *decisions) learn(decided eventlog.Decided) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if decided.Sequence <= d.until {
		return
	}
	d.until = decided.Sequence
	for _, mark := range decided.Entries {
		if before := d.about[mark]; before == nil || before.Verdict != domain.Released {
			d.about[mark] = decided.Decision
		}
		if decided.Verdict == domain.Released {
			d.released[released{decided.StreamSequence, mark.ReceivedAt}] = decided.Decision
		}
	}
}

// release gives the decision that released a webhook; nil where it came by itself.
func (d *decisions) release(w *domain.Webhook) *domain.Decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.released[released{w.StreamSequence, w.ReceivedAt}]
}

// of gives the decision that counts for an entry; nil where there is none.
func (d *decisions) of(mark domain.QuarantineMark) *domain.Decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.about[mark]
}
