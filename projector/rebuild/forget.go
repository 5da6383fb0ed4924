package rebuild

import (
	"fmt"
	"slices"

	"github.com/ticketrail/ticketrail/domain"
)

// Forget removes what was made of the read model beside the one in use and may hold
// what is personal of an order, whose first webhook has the stream sequence first: the
// previous read model, snapshots that reach up to there, and what records of rebuilds
// say of the order. With plan it only counts them. All of it but the records can be
// made again. It returns ErrBusy.
func (r *Rebuilder) Forget(source, key string, first uint64, plan bool) (copies domain.Copies, err error) {
	r.afterTheLast()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil || r.closed {
		return copies, ErrBusy
	}
	if _, copies.Previous = r.config.Folder.Previous(); copies.Previous && !plan {
		if err := r.config.Folder.DropPrevious(); err != nil {
			return copies, fmt.Errorf("forget an order: %w", err)
		}
	}
	for _, record := range r.records.all() {
		cleared, names := cleared(record, source, key)
		snapshot := r.isSnapshot(record) && record.Options.Until >= first
		if names {
			copies.Records++
		}
		if snapshot {
			copies.Snapshots++
		}
		switch {
		case plan:
		case snapshot:
			err = r.forget(record)
		case names:
			err = r.records.put(cleared)
		}
		if err != nil {
			return copies, fmt.Errorf("forget an order: %w", err)
		}
	}
	return copies, nil
}

// cleared gives a record without what its examples say of an order, and tells whether
// they say anything.
func cleared(record domain.Rebuild, source, key string) (_ domain.Rebuild, names bool) {
	if record.Difference == nil {
		return record, false
	}
	difference := *record.Difference
	difference.Examples = slices.Clone(difference.Examples)
	for i, example := range difference.Examples {
		if example.Source == source && example.Key == key && len(example.Fields) > 0 {
			difference.Examples[i].Fields, names = nil, true
		}
	}
	record.Difference = &difference
	return record, names
}
