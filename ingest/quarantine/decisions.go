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
}

func newDecisions(log Decisions) *decisions {
	return &decisions{log: log, about: map[domain.QuarantineMark]*domain.Decision{}}
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
	}
}

// of gives the decision that counts for an entry; nil where there is none.
func (d *decisions) of(mark domain.QuarantineMark) *domain.Decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.about[mark]
}
