package recovery

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// Files says where a stream and its second copy are.
type Files struct {
	// Server is the folder of the embedded server.
	Server string
	// Archive is the folder of the archive; empty where none is kept.
	Archive string
	// Aside is the folder that damaged files are moved to; made where it is needed.
	Aside string
}

// Refusal says why the server must not open its files.
type Refusal struct {
	// Found says what is wrong, and where: file, offset, stream sequence.
	Found error
	hint  string
}

func (e *Refusal) Error() string {
	return fmt.Sprintf("the stream's files were not opened: %v", e.Found)
}

// Unwrap gives what was found.
func (e *Refusal) Unwrap() error { return e.Found }

// Hint gives the mend.
func (e *Refusal) Hint() string { return e.hint }

const (
	hintRestore = "nothing was changed. Make the stream anew from the archive: ticketrail restore --plan, then ticketrail restore; " +
		"the damaged files are kept aside"
	hintNoArchive = "nothing was changed. There is no archive to make the stream anew from: put back the data folder's newest backup, " +
		"or make it from one: ticketrail restore --from BACKUP"
	hintArchive = "nothing was changed. If the stream is the truth, have the archive made anew from it: ticketrail archive rebuild; " +
		"the present one is kept aside"
	hintEither = "nothing was changed. If the archive is the truth: ticketrail restore; if the stream is: ticketrail archive rebuild. " +
		"Both keep the other one aside"
)

// Check looks at the files of the server's streams before the server opens them, and
// compares the stream of webhooks with the archive. What a crash leaves it mends, and
// says so in the log. What it has found sound is on disk when it returns, also where a sync
// of it had failed. It returns a [*Refusal] for everything else, and then has
// changed nothing; any other error says that the files could not be read.
func Check(files Files, logger *slog.Logger) error {
	c := &check{Files: files, logger: cmp.Or(logger, slog.New(slog.DiscardHandler))}
	for _, name := range []string{eventlog.RejectedStream, eventlog.DecisionsStream} {
		if err := c.checkBeside(name); err != nil {
			return fmt.Errorf("check the stream %s: %w", name, err)
		}
	}
	if err := c.checkWebhooks(); err != nil {
		return fmt.Errorf("check the stream %s: %w", eventlog.WebhooksStream, err)
	}
	return settle(files.Server)
}

type check struct {
	Files
	logger  *slog.Logger
	stream  *stream
	archive *archive.Archive
}

func (c *check) checkWebhooks() error {
	var err error
	if c.archive, err = c.lookAtArchive(); err != nil {
		return err
	}
	c.stream, err = look(c.Server, eventlog.WebhooksStream)
	switch {
	case errors.Is(err, errMeta):
		return c.judgeMeta(err)
	case err != nil:
		return err
	case c.stream == nil && c.archive.Empty():
		return nil
	case c.stream == nil:
		return c.refuse(hintRestore, "the stream is gone, and the archive holds webhooks up to stream sequence %d", c.archive.Last().StreamSequence)
	}
	if err := c.checkBlocks(); err != nil {
		return err
	}
	if !c.archive.Empty() {
		if err := c.compare(); err != nil {
			return err
		}
	}
	return c.mend()
}

// lookAtArchive looks at the archive. Where none is kept it is empty.
func (c *check) lookAtArchive() (*archive.Archive, error) {
	if c.Archive == "" {
		return &archive.Archive{}, nil
	}
	found, err := archive.Look(c.Archive)
	if _, damaged := errors.AsType[*archive.DamageError](err); damaged {
		return nil, &Refusal{Found: err, hint: hintArchive}
	}
	return found, err
}

func (c *check) refuse(hint, format string, args ...any) error {
	if hint == hintRestore && c.archive.Empty() {
		hint = hintNoArchive
	}
	return &Refusal{Found: fmt.Errorf(format, args...), hint: hint}
}

// judgeMeta sets a stream aside that has never held anything: a crash can leave it
// half made, and the server would not write its settings a second time.
func (c *check) judgeMeta(found error) error {
	if len(c.stream.blocks) > 0 || !c.archive.Empty() {
		return c.refuse(hintRestore, "%w", found)
	}
	aside, err := SetAside(c.stream.dir, c.Aside)
	if err == nil {
		c.logger.Warn("a stream that was never used was damaged and is made anew", "error", found, "kept_in", aside)
	}
	return err
}

// checkBlocks looks for what no crash leaves: a record that is not sound before others
// that are, and missing stream sequences.
func (c *check) checkBlocks() error {
	var last uint64
	for i, b := range c.stream.blocks {
		newest := i == len(c.stream.blocks)-1
		if b.sound < b.size && (!newest || !c.torn(b)) {
			return c.refuse(hintRestore, "%s is damaged at byte %d, after stream sequence %d", b.path, b.sound, max(last, b.last))
		}
		missing := b.gap
		if missing == 0 && last > 0 && b.first > 0 && b.first != last+1 {
			missing = last + 1
		}
		if missing > 0 {
			return c.refuse(hintRestore, "stream sequence %d is missing before those in %s", missing, b.path)
		}
		last = max(last, b.last)
	}
	return nil
}

// torn tells whether what is not sound can be what a crash left of the last writes: no
// sound record comes after it, or the archive, which 200 waits for, ends right before
// it. An archive that ends earlier was behind, and says nothing of what comes later.
func (c *check) torn(b *block) bool {
	ends := !c.archive.Empty() && c.stream.last() == c.archive.Last().StreamSequence
	return ends || !anySound(c.stream.name, b)
}

// compare compares the stream with the archive, as far as this can be done without
// reading bodies.
func (c *check) compare() error {
	s, last := c.stream, c.archive.Last().StreamSequence
	switch {
	case s.identity != c.archive.Stream():
		return c.refuse(hintEither, "the stream was made at %s, and the archive is of one that was made at %s",
			s.identity.CreatedAt, c.archive.Stream().CreatedAt)
	case s.first() > last+1:
		return c.refuse(hintArchive, "the stream begins with stream sequence %d, and the archive ends with %d", s.first(), last)
	case s.first() <= c.archive.Before().StreamSequence:
		return c.refuse(hintArchive, "the stream begins with stream sequence %d, and the archive with %d",
			s.first(), c.archive.Before().StreamSequence+1)
	}
	if err := c.compareBeginning(); err != nil {
		return err
	}
	if s.last() < last {
		return c.compareAll(s.last())
	}
	from, ok := c.archive.MarkFrom(s.first())
	if !ok {
		return c.compareAll(last)
	}
	to, err := s.outlineTo(last)
	if err != nil {
		return err
	}
	before, err := s.outlineTo(from.StreamSequence)
	if err != nil {
		return err
	}
	if to-before != c.archive.Last().Outline-from.Outline {
		return c.compareAll(last)
	}
	return nil
}

// compareBeginning tells webhooks that have expired from some that are missing.
func (c *check) compareBeginning() error {
	first := c.stream.first()
	if first == c.archive.Before().StreamSequence+1 {
		return nil
	}
	if c.stream.maxAge == 0 && c.archive.Before().StreamSequence > 0 {
		return nil // they expired while there was an age to expire at
	}
	for e, err := range archive.Read(c.Archive, first-1) {
		if err != nil {
			return c.refuse(hintArchive, "%w", err)
		}
		if c.stream.maxAge == 0 || time.Since(e.StoredAt.Time()) < c.stream.maxAge {
			break
		}
		return nil
	}
	return c.refuse(hintRestore, "the stream begins with stream sequence %d, and those before it have not expired", first)
}

// compareAll compares every webhook up to a stream sequence.
func (c *check) compareAll(to uint64) error {
	differs, err := c.stream.differs(c.Archive, c.stream.first(), to)
	_, damaged := errors.AsType[*archive.DamageError](err)
	switch {
	case damaged:
		return c.refuse(hintArchive, "%w", err)
	case err != nil:
		return err
	case differs > 0:
		return c.refuse(hintEither, "the webhook with stream sequence %d is another one in the stream than in the archive", differs)
	}
	return nil
}

// mend cuts off a torn end, and puts back what only the archive has of the end.
func (c *check) mend() error {
	b := c.stream.newest()
	if b != nil && b.sound < b.size {
		c.logger.Warn("the end of the stream's newest file was torn; it is cut off",
			"file", b.path, "bytes", b.size-b.sound, "after_stream_sequence", c.stream.last())
		if err := c.stream.cut(b); err != nil {
			return err
		}
	}
	last := c.archive.Last().StreamSequence
	if c.archive.Empty() || c.stream.last() >= last {
		return nil
	}
	c.logger.Warn("the end of the stream was lost; it is put back from the archive",
		"from_stream_sequence", c.stream.last()+1, "to_stream_sequence", last)
	return c.putBack(c.stream.last()+1, last)
}

// putBack appends webhooks of the archive to the stream, and looks whether they are
// there then.
func (c *check) putBack(from, to uint64) error {
	w, err := c.stream.appending()
	if err != nil {
		return err
	}
	for e, err := range archive.Read(c.Archive, from) {
		if err == nil {
			err = w.add(e)
		}
		if err != nil {
			return fmt.Errorf("put back webhooks: %w", err)
		}
	}
	if err := w.flush(); err != nil {
		return fmt.Errorf("put back webhooks: %w", err)
	}
	again, err := look(c.Server, eventlog.WebhooksStream)
	if err != nil {
		return err
	}
	differs, err := again.differs(c.Archive, from, to)
	if err == nil && (differs > 0 || again.last() != to) {
		err = fmt.Errorf("put back webhooks: they do not read as they should: the stream ends with stream sequence %d, the first difference is at %d",
			again.last(), differs)
	}
	return err
}

// checkBeside looks at a stream that no answer of 200 rests on: damage there must not
// keep webhooks out. It is told, and the files are kept before the server cuts them.
func (c *check) checkBeside(name string) error {
	s, err := look(c.Server, name)
	switch {
	case errors.Is(err, errMeta):
		aside, moving := SetAside(s.dir, c.Aside)
		if moving == nil {
			c.logger.Error("a stream beside that of the webhooks was damaged and begins anew", "stream", name, "error", err, "kept_in", aside)
		}
		return moving
	case err != nil || s == nil:
		return err
	}
	for i, b := range s.blocks {
		if b.sound == b.size || i == len(s.blocks)-1 && !anySound(name, b) {
			continue
		}
		aside, err := copyAside(s.dir, c.Aside)
		if err != nil {
			return err
		}
		c.logger.Error("a stream beside that of the webhooks is damaged and loses what follows in the same file",
			"stream", name, "file", b.path, "byte", b.sound, "copied_to", aside)
		return nil
	}
	return nil
}

// SetAside moves a folder to the folder of what is kept aside, and gives its new
// place. It is for who makes something anew in its stead.
func SetAside(dir, aside string) (string, error) {
	to, err := placeAside(dir, aside)
	if err == nil {
		err = os.Rename(dir, to)
	}
	if err == nil {
		err = errors.Join(syncFile(filepath.Dir(dir)), syncFile(aside))
	}
	return to, err
}

func copyAside(dir, aside string) (string, error) {
	to, err := placeAside(dir, aside)
	if err == nil {
		err = os.CopyFS(to, os.DirFS(dir))
	}
	return to, err
}

func placeAside(dir, aside string) (string, error) {
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return "", err
	}
	return filepath.Join(aside, filepath.Base(dir)+"-"+time.Now().UTC().Format("20060102T150405.000000000Z")), nil
}
