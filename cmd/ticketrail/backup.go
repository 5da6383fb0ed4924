package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

const (
	// backupPatience bounds the wait for an archive that is behind the read model: a sync
	// of the disk, as a rule.
	backupPatience = 10 * time.Second
	backupTick     = 50 * time.Millisecond
)

// backupCommand copies the archive and the read model of a data folder into a new
// folder, also while a program serves there: it reads what that program has written.
type backupCommand struct {
	settings
	Dir  string `arg:"" help:"Folder to make; it appears when it is whole." placeholder:"DIR"`
	JSON bool   `name:"json" help:"Print the backup's manifest."`
}

// Run makes a backup.
func (c *backupCommand) Run(ctx context.Context, p *program) error {
	loaded, files, err := p.loadArchive(c.settings)
	if err != nil {
		return err
	}
	if exists(c.Dir) {
		return usagef("choose another name", "%s is there already", c.Dir)
	}
	for _, folder := range []string{loaded.Data, files.Archive} {
		if isWithin(c.Dir, folder) {
			return usagef("choose a folder elsewhere, best on another disk", "%s is in %s, and would be lost with it", c.Dir, folder)
		}
	}
	var made *manifest
	err = p.during("copying the read model and the archive", func() error {
		return audited(loaded.Data, "backup", map[string]string{"to": c.Dir}, func() (err error) {
			made, err = c.make(ctx, loaded.Data, files.Archive)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if c.JSON {
		return printJSON(p.stdout, made)
	}
	fmt.Fprintf(p.stdout, "archive: stream sequences up to %d\n", made.Last)
	if made.ReadModel != nil {
		fmt.Fprintf(p.stdout, "read model: at stream sequence %d\n", made.ReadModel.Checkpoint)
	}
	for _, part := range made.Without {
		fmt.Fprintf(p.stdout, "not in it: %s\n", part.What)
	}
	_, err = fmt.Fprintf(p.stdout, "it is in %s, whose %[2]s says why something is not in it; bring it back with: ticketrail restore --from %[1]s\n", c.Dir, manifestFile)
	return err
}

// make fills a folder beside, and gives it its name when all of it is on disk.
func (c *backupCommand) make(ctx context.Context, data, archive string) (*manifest, error) {
	part := filepath.Clean(c.Dir) + ".part"
	made, err := backUp(ctx, data, archive, part)
	if err == nil {
		err = eventlog.SyncTree(part)
	}
	if err == nil {
		err = os.Rename(part, c.Dir)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(part))
	}
	return made, eventlog.SyncFile(filepath.Dir(filepath.Clean(c.Dir)))
}

// isWithin tells whether a path is in a folder, or would be, by whatever name.
func isWithin(path, folder string) bool {
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return false
	}
	parent, err := filepath.EvalSymlinks(standing(path))
	if err != nil {
		return false
	}
	folder, err = filepath.Abs(folder)
	if err != nil {
		return false
	}
	within, err := filepath.Rel(folder, parent)
	return err == nil && filepath.IsLocal(within)
}

// backUp fills a folder. The read model comes first, and is waited for: so the archive
// has everything that it was made from.
func backUp(ctx context.Context, data, from, to string) (*manifest, error) {
	if err := errors.Join(os.RemoveAll(to), os.MkdirAll(to, 0o700)); err != nil {
		return nil, err
	}
	m := &manifest{Version: manifestVersion, MadeAt: domain.InstantOf(time.Now()), Without: leftOuts}
	if hasReadModel(data) {
		checkpoint, err := copyReadModel(ctx, data, filepath.Join(to, backupModel))
		if err != nil {
			return nil, err
		}
		m.ReadModel = &backedUpModel{File: backupModel, Checkpoint: checkpoint.StreamSequence}
		if err := awaitArchive(ctx, from, checkpoint.StreamSequence); err != nil {
			return nil, err
		}
	}
	end, err := archive.Copy(from, backupArchive(to))
	if err != nil {
		return nil, err
	}
	copied, err := archive.Look(backupArchive(to))
	if err != nil {
		return nil, err
	}
	m.Stream = backedUpStream{Name: copied.Stream().Name, CreatedAt: copied.Stream().CreatedAt}
	m.Last = end.StreamSequence
	return m, m.write(to)
}

// copyReadModel copies the read model in use, at whatever checkpoint it is.
func copyReadModel(ctx context.Context, data, to string) (c domain.Checkpoint, err error) {
	path, err := app.CurrentReadModel(data)
	if err != nil {
		return c, err
	}
	// A log at rest is looked at when it is opened. One that a program writes to would
	// look damaged at times.
	var db *sqlite.DB
	err = locked(data, func() (err error) {
		db, err = sqlite.Open(ctx, path)
		return err
	})
	switch {
	case errors.Is(err, eventlog.ErrFolderLocked):
		err = sqlite.CopyLive(ctx, path, to)
	case err == nil:
		err = errors.Join(db.CopyTo(ctx, to), db.Close())
	}
	if err != nil {
		return c, err
	}
	copied, err := sqlite.OpenCopy(ctx, to)
	if err != nil {
		return c, err
	}
	c, err = copied.Checkpoint(ctx)
	return c, errors.Join(err, copied.Close())
}

// awaitArchive waits until the archive has a stream sequence.
func awaitArchive(ctx context.Context, dir string, sequence uint64) error {
	ctx, cancel := context.WithTimeout(ctx, backupPatience)
	defer cancel()
	tick := time.NewTicker(backupTick)
	defer tick.Stop()
	for {
		found, err := archive.Look(dir)
		if err != nil || found.Last().StreamSequence >= sequence {
			return err
		}
		select {
		case <-ctx.Done():
			return failf("see why it is behind: ticketrail archive verify", "the archive ends with stream sequence %d, and the read model is at %d",
				found.Last().StreamSequence, sequence)
		case <-tick.C:
		}
	}
}
