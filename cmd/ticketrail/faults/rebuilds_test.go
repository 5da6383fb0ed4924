package faults_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// rebuild has a program rebuild, and gives how that ended.
func rebuild(ctx context.Context, p *program, request string) (ended api.Rebuild, err error) {
	if err := p.ask(ctx, "POST", "/v1/rebuilds", request, &ended); err != nil {
		return ended, err
	}
	done := await(patience, func() bool {
		err = p.get(ctx, fmt.Sprint("/v1/rebuilds/", ended.ID), &ended)
		return err != nil || ended.State.Ended()
	})
	if err == nil && !done {
		err = errors.New("it does not end")
	}
	return ended, err
}

// rebuildEqual compares the read model in use, every row of it, with a fresh one.
func rebuildEqual(ctx context.Context, p *program) error {
	ended, err := rebuild(ctx, p, `{"plan":true}`)
	if err == nil && ended.State != domain.RebuildEqual {
		err = fmt.Errorf("the rebuild ends as %q%s", ended.State, differing(ended.Difference))
		if ended.Error != nil {
			err = fmt.Errorf("%w: %s", err, *ended.Error)
		}
	}
	return err
}

// rebuildsEqual looks whether those who rebuilt before found a difference.
func rebuildsEqual(ctx context.Context, p *program) error {
	var all api.RebuildList
	err := p.get(ctx, "/v1/rebuilds", &all)
	for _, one := range all.Rebuilds {
		if one.State == domain.RebuildDiffers {
			err = errors.Join(err, fmt.Errorf("rebuild %d ended as %q%s", one.ID, one.State, differing(one.Difference)))
		}
	}
	return err
}

// differing names the tables of which rows differ, and what differs of some orders.
func differing(d *api.Difference) (text string) {
	if d == nil {
		return ""
	}
	for _, table := range d.Tables {
		if table.Missing+table.Added+table.Changed > 0 {
			text += fmt.Sprintf("; %s: %d missing, %d added, %d changed", table.Table, table.Missing, table.Added, table.Changed)
		}
	}
	for _, order := range d.Examples {
		for _, field := range order.Fields {
			text += "; " + field.Pointer
		}
	}
	return text
}

// sameChain compares the chain and the counts in the file of a snapshot, which is
// also a read of the whole file, with the reference's.
func sameChain(ctx context.Context, p *program, want *reference, last uint64) error {
	ended, err := rebuild(ctx, p, `{"until":`+strconv.FormatUint(last, 10)+`}`)
	if err != nil {
		return err
	}
	content, status, err := p.raw(ctx, "GET", fmt.Sprintf("/v1/rebuilds/%d/file", ended.ID), "")
	if err != nil || status != 200 {
		return fmt.Errorf("there is no snapshot: %d (%w)", status, err)
	}
	folder, err := os.MkdirTemp("", "ticketrail-snapshot-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "snapshot.sqlite")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	db, err := sqlite.OpenCopy(ctx, path)
	if err != nil {
		return err
	}
	checkpoint, err := db.Checkpoint(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if checkpoint.Chain != want.chain || checkpoint.StreamSequence != last {
		return fmt.Errorf("the digest at stream sequence %d is another one", last)
	}
	return nil
}

// readEvery is how often a reader looks at the read model.
const readEvery = 5 * time.Millisecond

// reads is what a reader saw of the read model.
type reads struct {
	highest uint64
	found   []violation
}

// watch reads where the read model is, over and over, until the program is gone or
// the reading is ended: a checkpoint never goes back, and is what is counted.
func (r *reads) watch(p *program) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(readEvery)
		defer tick.Stop()
		for range tick.C {
			var projection api.Projection
			if p.get(ctx, "/v1/projection", &projection) != nil {
				return
			}
			if projection.Checkpoint < r.highest {
				r.found = append(r.found, violation{checkReads,
					fmt.Sprintf("checkpoint %d after %d", projection.Checkpoint, r.highest)})
			}
			if projection.Counts.Sum != projection.Checkpoint {
				r.found = append(r.found, violation{checkCounts,
					fmt.Sprintf("%d are counted at checkpoint %d", projection.Counts.Sum, projection.Checkpoint)})
			}
			r.highest = max(r.highest, projection.Checkpoint)
		}
	})
	return func() {
		cancel()
		group.Wait()
	}
}
