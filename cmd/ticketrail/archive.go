package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// archiveCommand is about the second copy of the webhooks.
type archiveCommand struct {
	Verify  archiveVerify  `cmd:"" help:"Read every webhook of the archive, and compare it with the stream and the read model."`
	Rebuild archiveRebuild `cmd:"" help:"Make the archive anew from the stream; the present one is kept aside."`
}

// archiveVerify compares, and changes nothing.
type archiveVerify struct {
	settings
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// Run compares and tells. Its error says that something is not as it should be.
func (c *archiveVerify) Run(ctx context.Context, p *program) error {
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return err
	}
	files := app.Files(loaded)
	switch {
	case files.Archive == "":
		return errNoArchive
	case !exists(files.Archive):
		return errNotStarted(files.Archive)
	}
	checkpoint, err := restingCheckpoint(ctx, loaded.Data)
	if err != nil {
		return err
	}
	found, err := recovery.Compare(files, checkpoint.StreamSequence)
	if err != nil {
		return fmt.Errorf("verify the archive: %w", err)
	}
	report := reportOf(found)
	if found.At.StreamSequence > 0 {
		report.ReadModel = &checkpoint.StreamSequence
	}
	if err := c.print(p, report, loaded.NATS.Embedded()); err != nil {
		return err
	}
	if found.At.StreamSequence > 0 && found.At.Chain != checkpoint.Chain {
		return failf("rebuild it: ticketrail rebuild --accept",
			"the read model was not made from these webhooks: its digest at stream sequence %d is another one", checkpoint.StreamSequence)
	}
	return nil
}

var errNoArchive = &failure{err: errors.New("no archive is kept"), hint: "name a folder with archive.dir"}

func errNotStarted(dir string) error {
	return failf("start it: ticketrail serve", "there is no archive in %s", dir)
}

// archiveReport is what archive verify prints.
type archiveReport struct {
	Segments int    `json:"segments"`
	First    uint64 `json:"first"`
	Last     uint64 `json:"last"`
	Chain    string `json:"chain"`
	// Compared is how many webhooks were compared with the stream's own files.
	Compared uint64 `json:"compared_with_stream"`
	// ReadModel is the checkpoint at which the read model's digest was compared; null
	// where it was not: a program runs that moves it, or there is none.
	ReadModel *uint64 `json:"compared_with_read_model_at"`
}

func reportOf(found recovery.Comparison) archiveReport {
	return archiveReport{
		Segments: found.Segments, First: found.First, Last: found.Mark.StreamSequence,
		Chain: hex.EncodeToString(found.Mark.Chain[:]), Compared: found.Compared,
	}
}

func (c *archiveVerify) print(p *program, r archiveReport, embedded bool) error {
	if c.JSON {
		return printJSON(p.stdout, r)
	}
	fmt.Fprintf(p.stdout, "archive: stream sequences %d to %d in %d segments, every one whole\n", r.First, r.Last, r.Segments)
	if embedded {
		fmt.Fprintf(p.stdout, "stream: %d webhooks compared, the same in both\n", r.Compared)
	} else {
		fmt.Fprintln(p.stdout, "stream: not compared; its files are on external servers")
	}
	if r.ReadModel == nil {
		_, err := fmt.Fprintln(p.stdout, "read model: not compared; it is where no program runs")
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "read model: compared by its digest at stream sequence %d\n", *r.ReadModel)
	return err
}

// restingCheckpoint gives the checkpoint of the read model in a data folder that no
// program serves; the zero one where a program does, and where there is no read model.
func restingCheckpoint(ctx context.Context, data string) (c domain.Checkpoint, err error) {
	if !hasReadModel(data) {
		return c, nil
	}
	lock, err := eventlog.LockFolder(data)
	if errors.Is(err, eventlog.ErrFolderLocked) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return readCheckpoint(ctx, data)
}

// readCheckpoint is restingCheckpoint in a folder that is locked.
func readCheckpoint(ctx context.Context, data string) (c domain.Checkpoint, err error) {
	if !hasReadModel(data) {
		return c, nil
	}
	model, err := openReadModel(ctx, data)
	if err != nil {
		return c, err
	}
	c, err = model.Checkpoint(ctx)
	return c, errors.Join(err, model.Close())
}

// archiveRebuild makes the archive of a data folder that no program serves anew.
type archiveRebuild struct {
	settings
	agreement
}

// Run looks whether the stream is whole, sets the archive aside and makes another.
func (c *archiveRebuild) Run(ctx context.Context, p *program) error {
	if err := c.possible(p); err != nil {
		return err
	}
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return err
	}
	if !loaded.NATS.Embedded() || app.ArchiveFolder(loaded) == "" {
		return failf("name a folder with archive.dir, and use the embedded broker", "there is no archive that belongs to the stream in %s", loaded.Data)
	}
	if !c.given(p, "Set the archive aside, and make it anew from the stream?") {
		return errors.New("nothing was changed")
	}
	aside, err := archiveAside(loaded)
	if err != nil {
		return fmt.Errorf("rebuild the archive: %w", err)
	}
	parts, err := app.Open(ctx, loaded, app.Options{Version: readVersions(ctx).Version, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = parts.Stop()
	}
	if err != nil {
		return fmt.Errorf("rebuild the archive: %w", err)
	}
	found, err := recovery.Compare(app.Files(loaded), 0)
	if err != nil {
		return fmt.Errorf("rebuild the archive: %w", err)
	}
	if aside != "" {
		fmt.Fprintf(p.stdout, "the former archive is in %s\n", aside)
	}
	_, err = fmt.Fprintf(p.stdout, "the archive has stream sequences %d to %d, the same as the stream\n", found.First, found.Mark.StreamSequence)
	return err
}

// archiveAside moves the archive away, unless the stream is not whole by itself.
func archiveAside(c *config.Config) (aside string, err error) {
	lock, err := eventlog.LockFolder(c.Data)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	files := app.Files(c)
	folder := files.Archive
	files.Archive = ""
	if err := recovery.Check(files, nil); err != nil {
		return "", err
	}
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return recovery.SetAside(folder, files.Aside)
}
