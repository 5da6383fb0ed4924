package app

import (
	"context"
	"log/slog"
	"path/filepath"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// ArchiveFolder gives the folder of the archive that is kept; empty where none is.
func ArchiveFolder(c *config.Config) string {
	switch {
	case c.Archive.Dir == config.ArchiveOff:
		return ""
	case c.Archive.Dir == "" && c.NATS.Embedded():
		return filepath.Join(c.Data, "archive")
	}
	return c.Archive.Dir
}

// Files says where the embedded stream and its archive are.
func Files(c *config.Config) recovery.Files {
	return recovery.Files{
		Server: StreamFolder(c.Data), Archive: ArchiveFolder(c), Aside: filepath.Join(c.Data, "set-aside"),
	}
}

// CheckFiles looks at the files of the embedded broker, which must come before it opens
// them, and under the lock of the data folder. An external broker's are its own affair.
func CheckFiles(c *config.Config, logger *slog.Logger) error {
	if !c.NATS.Embedded() {
		return nil
	}
	return recovery.Check(Files(c), logger)
}

func (a *App) checkFiles(context.Context) (err error) {
	if a.config.NATS.Embedded() {
		a.archive, err = recovery.CheckToGoOn(Files(a.config), a.logger)
	}
	return err
}

// startArchive has the archive follow the stream. Where an answer means synced it waits for
// the archive, and so does the start; beside an external broker it only follows.
func (a *App) startArchive(ctx context.Context) error {
	dir := ArchiveFolder(a.config)
	if dir == "" {
		return nil
	}
	info, err := a.log.Info(ctx)
	if err != nil {
		return err
	}
	writer, err := a.openArchive(dir, info.Identity)
	if err != nil {
		return err
	}
	writer.SegmentSize = a.segment
	a.steps.push("close the archive", limitArchive, closing(writer.Close))
	a.keeper = archive.NewKeeper(a.log, writer, a.logger)
	a.keeper.Use(a.stored)
	a.showArchive()
	behind := int64(info.Last) - int64(a.keeper.Reached())
	a.steps.beside("stop the archive", limitArchive, a.keeper.Run)
	if a.log.Durability() != eventlog.Synced {
		return nil // answers do not promise so much
	}
	a.log.AnswerAfter(a.keeper)
	if behind > 0 {
		a.logger.Info("the archive catches up with the stream", "webhooks", behind)
	}
	// Where it cannot now, it has said so itself, and goes on trying: reads need not wait
	// for a disk that is full.
	_ = a.keeper.Wait(ctx, info.Last)
	return ctx.Err()
}

func (a *App) openArchive(dir string, stream domain.StreamIdentity) (*archive.Writer, error) {
	if a.archive == nil {
		return archive.Open(dir, stream)
	}
	return archive.Continue(a.archive, stream) // checkFiles has looked at all of it
}
