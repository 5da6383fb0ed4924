package rebuild

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ticketrail/ticketrail/domain"
)

// keep is how many records there are at the most, beside those of snapshots that
// are still there: a year of a rebuild a week.
const keep = 50

// records keeps what there is to tell of rebuilds, one small file for each, so
// that the difference a rebuild made can be read after a restart.
type records struct {
	dir string

	mu   sync.Mutex
	byID map[int]domain.Rebuild
}

// loadRecords reads the records. One that had not ended was killed with the
// program that made it, and is ended here: switched if its read model, the one of
// its number, is in use. A record that cannot be read is passed over: no record is
// worth a start that fails.
func loadRecords(dir string, inUse int, now func() time.Time) (*records, error) {
	r := &records{dir: dir, byID: map[int]domain.Rebuild{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := clearTemporary(dir); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if err := r.load(path, inUse, now); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return r, nil
}

func (r *records) load(path string, inUse int, now func() time.Time) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var record domain.Rebuild
	if err := json.Unmarshal(content, &record); err != nil {
		return nil //nolint:nilerr // see loadRecords
	}
	r.byID[record.ID] = record
	if record.State.Ended() {
		return nil
	}
	record.EndedAt = now()
	if record.ID == inUse {
		record.State = domain.RebuildSwitched
	} else {
		record.State, record.Error = domain.RebuildFailed, "the program ended before it did"
	}
	return r.put(record)
}

// put keeps a record, in place of an earlier one of the same rebuild.
func (r *records) put(record domain.Rebuild) error {
	content, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byID[record.ID] = record
	path := r.path(record.ID)
	if err := os.WriteFile(path+".tmp", append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path) // not synced: a record lost in a power cut is passed over
}

func (r *records) path(id int) string { return filepath.Join(r.dir, fmt.Sprintf("%06d.json", id)) }

// remove forgets a record.
func (r *records) remove(id int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byID, id)
	if err := os.Remove(r.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// prune forgets the oldest records where there are too many; those stay whose id
// is how something is found.
func (r *records) prune(stays func(domain.Rebuild) bool) error {
	all := slices.DeleteFunc(r.all(), stays)
	var errs []error
	for _, record := range all[min(len(all), keep):] {
		errs = append(errs, r.remove(record.ID))
	}
	return errors.Join(errs...)
}

func (r *records) get(id int) (domain.Rebuild, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	record, ok := r.byID[id]
	if !ok {
		return record, fmt.Errorf("rebuild %d: %w", id, domain.ErrNotFound)
	}
	return record, nil
}

func (r *records) all() []domain.Rebuild {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]domain.Rebuild, 0, len(r.byID))
	for _, record := range r.byID {
		all = append(all, record)
	}
	slices.SortFunc(all, func(a, b domain.Rebuild) int { return cmp.Compare(b.ID, a.ID) })
	return all
}
