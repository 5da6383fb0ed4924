package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// restoreCommand makes the stream in a data folder anew from the archive, or from that
// of a backup.
type restoreCommand struct {
	settings
	agreement
	From   string `help:"Restore from the backup in this folder, its read model too." placeholder:"DIR"`
	Plan   bool   `help:"Say what would be done and lost, and change nothing."`
	Accept bool   `help:"Do it although webhooks are there now that would be there no more; they are kept aside."`
	Anyway bool   `help:"Do it although nothing is wrong."`
}

// Run restores, in a folder that no program serves.
func (c *restoreCommand) Run(ctx context.Context, p *program) error {
	if err := c.possible(p); err != nil && !c.Plan {
		return err
	}
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return err
	}
	r := &restoring{program: p, config: loaded, files: app.Files(loaded), from: c.From}
	if err := r.checkSettings(); err != nil {
		return err
	}
	restore := func() error { return c.restore(ctx, r) }
	if !exists(loaded.Data) {
		return restore() // it is made, and locked, once it is agreed upon
	}
	return locked(loaded.Data, restore)
}

// restore restores in a folder that is locked, or is not there.
func (c *restoreCommand) restore(ctx context.Context, r *restoring) error {
	if err := r.look(ctx, c.Plan); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if c.From == "" && !c.Anyway {
		if last, err := recovery.Sound(r.files); err == nil {
			_, err = fmt.Fprintf(r.stdout, "nothing is wrong: stream and archive agree, up to stream sequence %d; nothing was changed\n"+
				"to make the stream anew all the same: ticketrail restore --anyway\n", last)
			return err
		}
	}
	plan, err := recovery.Plan(r.files, r.source())
	if err != nil {
		return err
	}
	if c.Plan || !c.Yes {
		r.tell(plan)
	}
	switch {
	case c.Plan:
		return nil
	case len(plan.Lost) > 0 && !c.Accept:
		return r.refuse(plan)
	case !c.given(r.program, "Do it?"):
		return errUnchanged
	}
	if err := r.during("making the stream", func() error { return r.do(plan) }); err != nil {
		return err
	}
	if c.Yes {
		r.tell(plan)
	}
	_, err = fmt.Fprintf(r.stdout, "restored: the stream ends with stream sequence %d; compare everything: ticketrail archive verify, ticketrail verify\n",
		plan.Mark.StreamSequence)
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

// checkSettings refuses what cannot be restored, before anything is made.
func (r *restoring) checkSettings() error {
	switch {
	case !r.config.NATS.Embedded():
		return failf("restore it with the servers' own means", "the stream is one of external servers")
	case r.files.Archive == "":
		return errNoArchive
	case r.from == "" && !exists(r.config.Data):
		return errNoFolder(r.config.Data)
	case r.from != "":
		return recovery.Movable(r.files.Archive)
	}
	return nil
}

// source says where the webhooks come from.
func (r *restoring) source() recovery.Source {
	source := recovery.Source{Settings: app.StreamConfig(r.config), At: r.checkpoint.StreamSequence}
	if r.from != "" {
		source.Archive = backupArchive(r.from)
	}
	return source
}

// look looks at the backup, and at the read model. What a restore before this one has
// left to do is done first.
func (r *restoring) look(ctx context.Context, plan bool) (err error) {
	switch {
	case !recovery.Unfinished(r.files):
	case plan:
		return errUnfinished
	default:
		if err := recovery.Finish(r.files); err != nil {
			return err
		}
	}
	if r.from != "" {
		r.backup, err = readBackup(r.from)
		return err
	}
	r.checkpoint, err = readCheckpoint(ctx, r.config.Data)
	if errors.Is(err, domain.ErrDamaged) {
		return nil // it is of no checkpoint, and the next start makes it anew
	}
	return err
}

func (r *restoring) tell(plan recovery.Restored) {
	fmt.Fprintf(r.stdout, "stream: made anew with %s, from %s\n",
		stretch(plan.First, plan.Mark.StreamSequence), cmp.Or(r.source().Archive, r.files.Archive))
	if plan.FromFiles > 0 {
		fmt.Fprintf(r.stdout, "stream: the last %d of them are not in the archive, and are whole in the stream's own files\n", plan.FromFiles)
	}
	if plan.Torn > 0 {
		fmt.Fprintf(r.stdout, "stream: the last %d bytes of its own files cannot be read: what a crash left before it was answered for, or damage\n", plan.Torn)
	}
	switch {
	case r.takesReadModel(plan):
		fmt.Fprintf(r.stdout, "archive and read model: replaced by those of the backup\n")
	case r.backup != nil:
		fmt.Fprintf(r.stdout, "archive: replaced by that of the backup\n")
		fmt.Fprintf(r.stdout, "read model: made anew at the next start, since the backup has none, or one from before an erasure\n")
	case !r.keepsReadModel(plan):
		fmt.Fprintf(r.stdout, "read model: made anew at the next start, since the present one is of other webhooks\n")
	default:
		fmt.Fprintf(r.stdout, "read model: stays as it is\n")
	}
	for _, loss := range plan.Lost {
		fmt.Fprintf(r.stdout, "lost: %s\n", printable(loss.String()))
	}
	fmt.Fprintf(r.stdout, "what is replaced is kept in %s\n", r.files.Aside)
}

// refuse says what would be lost.
func (r *restoring) refuse(plan recovery.Restored) error {
	hint := "if you want it all the same: ticketrail restore --accept"
	if r.from != "" {
		hint = "leave out --from; or, if the backup is what you want: " + fmt.Sprintf("ticketrail restore --from %s --accept", r.from)
	}
	var all []string
	for _, loss := range plan.Lost {
		all = append(all, loss.String())
	}
	return failf(hint+"; what is replaced is kept in "+r.files.Aside, "webhooks would be lost: %s", strings.Join(all, "; "))
}

// keepsReadModel tells whether the read model was made from the restored webhooks.
func (r *restoring) keepsReadModel(plan recovery.Restored) bool {
	c := r.checkpoint
	return c.StreamSequence == 0 || c.Stream == plan.Stream && plan.At.Made(c)
}

// takesReadModel tells whether the read model of the backup comes back. One that is older
// than an erasure holds what was erased, and whoever reads the folder would see it.
func (r *restoring) takesReadModel(plan recovery.Restored) bool {
	return r.backup != nil && r.backup.ReadModel != nil && r.backup.ReadModel.Checkpoint >= plan.Erased
}

// do does what was planned, and makes the folder where there is none.
func (r *restoring) do(plan recovery.Restored) error {
	do := func() error {
		return audited(r.config.Data, "restore", map[string]string{"from": r.from}, func() error { return r.replace(plan) })
	}
	if exists(r.config.Data) {
		return do()
	}
	return locked(r.config.Data, do)
}

// replace makes everything beside what is there, and then puts it in place at once.
func (r *restoring) replace(plan recovery.Restored) (err error) {
	source := r.source()
	model := app.ReadModelFolder(r.config.Data)
	switch {
	case r.backup != nil:
		toArchive, toModel := r.files.Archive+recovery.Making, model+recovery.Making
		defer func() {
			if err != nil && !recovery.Unfinished(r.files) {
				err = errors.Join(err, os.RemoveAll(toArchive), os.RemoveAll(toModel))
			}
		}()
		if err := r.copyBackup(plan, toArchive, toModel); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		source.Archive = toArchive
		source.With = []recovery.Swap{{Made: toArchive, Place: r.files.Archive}, {Made: toModel, Place: model}}
	case !r.keepsReadModel(plan):
		source.With = []recovery.Swap{{Place: model}}
	}
	done, err := recovery.Restore(r.files, source)
	if err != nil {
		return err
	}
	for _, aside := range done.Aside {
		if filepath.Dir(aside) != filepath.Clean(r.files.Aside) {
			fmt.Fprintf(r.stdout, "kept on its own disk: %s\n", aside)
		}
	}
	if err := recovery.Check(r.files, nil); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// copyBackup copies the archive of the backup, and its read model where that comes back.
func (r *restoring) copyBackup(plan recovery.Restored, toArchive, toModel string) error {
	if err := errors.Join(os.RemoveAll(toArchive), os.RemoveAll(toModel), os.MkdirAll(toModel, 0o700)); err != nil {
		return err
	}
	if _, err := archive.Copy(backupArchive(r.from), toArchive); err != nil {
		return err
	}
	if !r.takesReadModel(plan) {
		return nil // the folder stays empty, as before the first start
	}
	return r.backup.copyReadModel(r.from, toModel)
}
