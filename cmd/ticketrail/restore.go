package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// restoreCommand makes the stream in a data folder anew from the archive, or from that
// of a backup.
type restoreCommand struct {
	settings
	agreement
	From string `help:"Restore from the backup in this folder, its read model too." placeholder:"DIR"`
	Plan bool   `help:"Say what would be done, and change nothing."`
}

// Run restores, in a folder that no program serves.
func (c *restoreCommand) Run(ctx context.Context, p *program) (err error) {
	if err := c.possible(p); err != nil && !c.Plan {
		return err
	}
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return err
	}
	if !loaded.NATS.Embedded() {
		return failf("restore it with the servers' own means", "the stream is one of external servers")
	}
	lock, err := eventlog.LockFolder(loaded.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	r := &restoring{program: p, config: loaded, files: app.Files(loaded), from: c.From}
	if err := r.look(ctx); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if c.Plan || !c.Yes {
		plan, err := recovery.Restore(r.sources(), app.StreamConfig(loaded), r.checkpoint.StreamSequence, true)
		if err != nil {
			return err
		}
		r.tell(plan)
	}
	switch {
	case c.Plan:
		return nil
	case !c.given(p, "Do it?"):
		return errors.New("nothing was changed")
	}
	done, err := r.run()
	if err != nil {
		return err
	}
	if c.Yes {
		r.tell(done)
	}
	_, err = fmt.Fprintf(p.stdout, "restored: the stream ends with stream sequence %d; compare everything: ticketrail archive verify, ticketrail verify\n", done.Mark.StreamSequence)
	return err
}

// restoring is one restore.
type restoring struct {
	*program
	config     *config.Config
	files      recovery.Files
	from       string // the backup; empty where the folder's own archive is used
	backup     *manifest
	checkpoint domain.Checkpoint // of the read model that will be in use
}

// sources says where the webhooks come from.
func (r *restoring) sources() recovery.Files {
	files := r.files
	if r.from != "" {
		files.Archive = backupArchive(r.from)
	}
	return files
}

// look looks at the backup, and at the read model.
func (r *restoring) look(ctx context.Context) (err error) {
	if r.from == "" {
		if r.files.Archive == "" {
			return errNoArchive
		}
		r.checkpoint, err = readCheckpoint(ctx, r.config.Data)
		return err
	}
	if r.backup, err = readBackup(r.from); err != nil {
		return err
	}
	own, err := archive.Look(r.files.Archive)
	if err == nil && own.Last().StreamSequence > r.backup.Last {
		return failf("leave out --from; or, if the backup is what you want, move the archive away first",
			"the archive %s reaches to stream sequence %d, and the backup to %d", r.files.Archive, own.Last().StreamSequence, r.backup.Last)
	}
	return nil // a damaged archive is what a backup is for
}

func (r *restoring) tell(plan recovery.Restored) {
	fmt.Fprintf(r.stdout, "stream: made anew with stream sequences %d to %d, from %s\n", plan.First, plan.Mark.StreamSequence, r.sources().Archive)
	if plan.FromFiles > 0 {
		fmt.Fprintf(r.stdout, "stream: the last %d of them are not in the archive, and are whole in the stream's own files\n", plan.FromFiles)
	}
	switch {
	case r.backup != nil:
		fmt.Fprintf(r.stdout, "archive and read model: replaced by those of the backup\n")
	case !r.keepsReadModel(plan):
		fmt.Fprintf(r.stdout, "read model: made anew at the next start, since the present one is of other webhooks\n")
	default:
		fmt.Fprintf(r.stdout, "read model: stays as it is\n")
	}
	fmt.Fprintf(r.stdout, "what is replaced is kept in %s\n", r.files.Aside)
}

// keepsReadModel tells whether the read model was made from the restored webhooks.
func (r *restoring) keepsReadModel(done recovery.Restored) bool {
	c := r.checkpoint
	return c.StreamSequence == 0 ||
		c.Stream == done.Stream && c.StreamSequence == done.At.StreamSequence && c.Chain == done.At.Chain
}

func (r *restoring) run() (done recovery.Restored, err error) {
	if r.backup != nil {
		if err := r.takeBackup(); err != nil {
			return done, fmt.Errorf("restore: %w", err)
		}
	}
	done, err = recovery.Restore(r.files, app.StreamConfig(r.config), r.checkpoint.StreamSequence, false)
	if err != nil {
		return done, err
	}
	if r.backup == nil && !r.keepsReadModel(done) {
		err = r.setAside(app.ReadModelFolder(r.config.Data))
	}
	if err = errors.Join(err, recovery.Check(r.files, nil)); err != nil {
		return done, fmt.Errorf("restore: %w", err)
	}
	return done, nil
}

// takeBackup puts the backup's archive and read model in the place of the folder's own.
func (r *restoring) takeBackup() error {
	folder := app.ReadModelFolder(r.config.Data)
	if err := errors.Join(r.setAside(r.files.Archive), r.setAside(folder)); err != nil {
		return err
	}
	if _, err := archive.Copy(backupArchive(r.from), r.files.Archive); err != nil {
		return err
	}
	return r.backup.copyReadModel(r.from, folder)
}

func (r *restoring) setAside(folder string) error {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_, err := recovery.SetAside(folder, r.files.Aside)
	return err
}
