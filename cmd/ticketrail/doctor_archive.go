package main

import (
	"context"
	"fmt"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// archiveRead bounds what is read of an archive, in bytes: a second or two.
const archiveRead = 1 << 30

// checkArchive reads the newest segments of the archive, and compares their sums: damage
// of the second copy shows nowhere else before it is needed, or before the next start.
func checkArchive(_ context.Context, e *examination) check {
	const name = "archive"
	dir := app.ArchiveFolder(e.config)
	switch {
	case dir == "" && e.config.NATS.Embedded():
		return warn(name, "name a folder for it with archive.dir", "none is kept: the stream is the only copy")
	case dir == "":
		return ok(name, "none is kept beside the servers' own copies")
	case !exists(dir):
		return ok(name, "none yet")
	}
	found, older, err := archive.LookNewest(dir, archiveRead)
	if err != nil {
		return fail(name, "stop the program and make it anew from the stream: ticketrail archive rebuild --plan, then ticketrail archive rebuild", "%s", err)
	}
	read := "all of it"
	if older > 0 {
		read = fmt.Sprintf("its newest %s, and not the %d before", counted(found.Segments(), "segment"), older)
	}
	return ok(name, "it ends with stream sequence %d; %s was read, and is what was written (ticketrail archive verify compares every webhook with the stream)",
		found.Last().StreamSequence, read)
}
