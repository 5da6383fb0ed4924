package recovery

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// Rebuilt says what an archive was made anew from.
type Rebuilt struct {
	First, Last uint64 // stream sequences
	// Loss is what the present archive has and the stream does not.
	Loss Loss
	// Aside is where the former archive is; empty where there was none.
	Aside []string
}

// PlanArchive says what RebuildArchive would do, and changes nothing. It returns a
// [*Refusal] where the stream is not whole by itself.
func PlanArchive(files Files) (Rebuilt, error) {
	if err := Movable(files.Archive); err != nil {
		return Rebuilt{}, err
	}
	s, err := wholeStream(files)
	if err != nil {
		return Rebuilt{}, err
	}
	found, err := archive.Look(files.Archive)
	if _, damaged := errors.AsType[*archive.DamageError](err); err != nil && !damaged {
		return Rebuilt{}, err
	}
	// Also what has expired in the stream: it would be gone from here as well. What is in the
	// store stays there.
	own := history{files.Archive, found.Stream(), archive.Read(files.Archive, found.Stored()+1)}
	loss, err := own.lostBy(history{s.dir, s.identity, s.webhooks(s.first())})
	return Rebuilt{First: s.first(), Last: s.last(), Loss: loss}, err
}

// RebuildArchive makes the archive anew from the stream's own files, reads it again and
// compares, and then puts it in the place of the present one, which is kept aside. It
// must be done under the lock of the data folder.
func RebuildArchive(files Files) (made Rebuilt, err error) {
	if err := alone(files).all(); err != nil {
		return made, err
	}
	s, err := wholeStream(files)
	if err != nil {
		return made, err
	}
	made = Rebuilt{First: s.first(), Last: s.last()}
	beside := Files{Server: files.Server, Archive: files.Archive + Making}
	if err := os.RemoveAll(beside.Archive); err != nil {
		return made, err
	}
	if err := archive.CopyLedger(files.Archive, beside.Archive); err != nil {
		return made, err
	}
	if err := s.archiveTo(beside); err != nil {
		return made, errors.Join(err, os.RemoveAll(beside.Archive))
	}
	made.Aside, err = Replace(files, Swap{beside.Archive, files.Archive})
	return made, err
}

// alone checks a stream that is taken for the truth.
func alone(files Files) *check {
	files.Archive = ""
	return &check{Files: files, logger: slog.New(slog.DiscardHandler), alone: true}
}

// wholeStream gives the stream, if it is whole by itself.
func wholeStream(files Files) (*stream, error) {
	c := alone(files)
	switch err := c.checkWebhooks(); {
	case err != nil:
		return nil, err
	case c.stream == nil || c.halfMade != nil:
		return nil, c.refuse(hintRestore, "there is no stream in %s", files.Server)
	}
	return c.stream, nil
}

// archiveTo writes every webhook of a stream to a new archive, but for those that are in
// its store, and compares.
func (s *stream) archiveTo(files Files) error {
	has, err := archive.Look(files.Archive)
	if err != nil {
		return err
	}
	first := max(s.first(), has.Stored()+1)
	if err := archive.Add(files.Archive, s.identity, s.webhooks(first)); err != nil {
		return err
	}
	found, err := Compare(files, 0)
	if have := s.last() + 1 - first; err == nil && found.Compared != have {
		err = fmt.Errorf("%d of %d webhooks of the stream %s are in the archive that was made", found.Compared, have, eventlog.WebhooksStream)
	}
	return err
}
