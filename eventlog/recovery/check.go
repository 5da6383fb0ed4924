package recovery

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
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

// Check looks at the files of the server's streams before the server opens them, and
// compares the stream of webhooks with the archive. What a crash leaves it mends, and
// says so in the log. What it has found sound is on disk when it returns, also where a sync
// of it had failed. It returns a [*Refusal] for everything else, and then has
// changed nothing; any other error says that the files could not be read.
func Check(files Files, logger *slog.Logger) error {
	_, err := CheckToGoOn(files, logger)
	return err
}

// CheckToGoOn is Check for who goes on with the archive: it gives what was found of it.
func CheckToGoOn(files Files, logger *slog.Logger) (*archive.Archive, error) {
	c := &check{Files: files, logger: cmp.Or(logger, slog.New(slog.DiscardHandler))}
	c.known = readKnown(brokerfile.StreamDir(files.Server, eventlog.WebhooksStream))
	if err := c.all(); err != nil {
		return nil, err
	}
	if err := c.known.keep(); err != nil {
		c.logger.Warn("what was found of the stream's files could not be noted; the next start takes longer", "error", err)
	}
	return c.archive, nil
}

func (c *check) all() error {
	if err := c.finishReplacing(); err != nil {
		return err
	}
	// The webhooks come first: a refusal has changed nothing.
	if err := c.checkWebhooks(); err != nil {
		return fmt.Errorf("check the stream %s: %w", eventlog.WebhooksStream, err)
	}
	if err := c.mend(); err != nil {
		return fmt.Errorf("mend the stream %s: %w", eventlog.WebhooksStream, err)
	}
	for _, name := range []string{eventlog.RejectedStream, eventlog.DecisionsStream} {
		if err := c.checkBeside(name); err != nil {
			return fmt.Errorf("check the stream %s: %w", name, err)
		}
	}
	if err := settle(c.Server); err != nil {
		return err
	}
	// Only now: what is overwritten is gone, and its tombstone must be on disk.
	if err := c.finishErasures(); err != nil {
		return fmt.Errorf("mend the stream %s: %w", eventlog.WebhooksStream, err)
	}
	if err := c.writeIndex(); err != nil {
		return fmt.Errorf("index the stream %s: %w", eventlog.WebhooksStream, err)
	}
	return nil
}

// finishReplacing does the rest of a replacement of folders that a crash cut short, or
// removes what was made for one that had not begun.
func (c *check) finishReplacing() error {
	if !Unfinished(c.Files) {
		return c.clear()
	}
	aside, err := c.finish()
	if err == nil {
		c.logger.Warn("folders were being replaced when the program ended; the rest of it is done", "kept_in", aside)
	}
	return err
}

// Sound tells whether Check would open the stream of webhooks, mended or not, and where
// it ends then. It changes nothing.
func Sound(files Files) (last uint64, err error) {
	c := &check{Files: files, logger: slog.New(slog.DiscardHandler)}
	c.known = readKnown(brokerfile.StreamDir(files.Server, eventlog.WebhooksStream))
	if err := c.checkWebhooks(); err != nil {
		return 0, err
	}
	if c.stream == nil {
		return 0, nil
	}
	return max(c.stream.last(), c.archive.Last().StreamSequence), nil
}

type check struct {
	Files
	logger   *slog.Logger
	known    *known // nil where all is looked at
	stream   *stream
	tail     *tail  // of the stream; nil where there is none
	expired  uint64 // the last webhook of a stream that has none any more, and no note of it
	archive  *archive.Archive
	alone    bool  // the stream is what there is, whatever it has lost
	halfMade error // why the stream, which was never used, is none; nil where it is one
}

// checkWebhooks looks at the stream of webhooks, and changes nothing.
func (c *check) checkWebhooks() error {
	var damage, err error
	var other sync.WaitGroup
	other.Go(func() { c.archive, damage = c.lookAtArchive() })
	c.stream, err = look(c.Server, eventlog.WebhooksStream, c.known)
	other.Wait()
	switch {
	case damage != nil:
		return damage
	case errors.Is(err, errMeta):
		return c.judgeMeta(err)
	case err != nil:
		return err
	case c.stream == nil && c.archive.Empty():
		return nil
	case c.stream == nil:
		return c.refuse(hintRestore, "the stream is gone, and the archive holds webhooks up to stream sequence %d", c.archive.Last().StreamSequence)
	}
	if c.stream.identity == c.archive.Stream() {
		c.stream.leaveTrimmed(c.archive.Trimmed())
	}
	if c.tail, err = c.stream.findTail(); err != nil {
		return err
	}
	if err := c.learnErasures(); err != nil {
		return err
	}
	if err := c.checkBlocks(); err != nil {
		return err
	}
	if err := c.compareMark(); err != nil {
		return err
	}
	if c.archive.Empty() {
		return nil
	}
	return c.compare()
}

// lookAtArchive looks at the archive. Where none is kept it is empty.
func (c *check) lookAtArchive() (*archive.Archive, error) {
	if c.Archive == "" {
		return &archive.Archive{}, nil
	}
	var isKnown archive.Known
	if c.known != nil {
		isKnown = c.known.isSegment
	}
	found, err := archive.LookAgain(c.Archive, isKnown)
	if _, damaged := errors.AsType[*archive.DamageError](err); damaged {
		return nil, &Refusal{Found: err, hint: hintArchive}
	}
	return found, err
}

// judgeMeta passes a stream that has never held anything: a crash can leave it half
// made, and the server would not write its settings a second time.
func (c *check) judgeMeta(found error) error {
	if len(c.stream.blocks) > 0 || !c.archive.Empty() {
		return c.refuse(hintRestore, "%w", found)
	}
	c.halfMade = found
	return nil
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
		gaps := b.gaps
		if last > 0 && b.first > 0 && b.first != last+1 {
			gaps = slices.Concat([]gap{{last + 1, max(last+1, b.first-1)}}, gaps)
		}
		for _, gap := range gaps {
			if missing := c.stream.missing(gap); missing > 0 {
				return c.refuse(hintRestore, "stream sequence %d is missing before those in %s", missing, b.path)
			}
		}
		last = max(last, b.last)
	}
	return nil
}

// compareMark finds out whether a stream has had webhooks that neither it nor the archive
// tells of: they have expired, or there is nothing to put the end back from. An archive that
// ends before them says that nobody was answered for them.
func (c *check) compareMark() error {
	synced, _, err := eventlog.SyncedTo(c.stream.dir)
	switch last := c.stream.last(); {
	case err != nil || synced <= max(last, c.archive.Last().StreamSequence):
		return err
	case c.stream.maxAge > 0 && c.stream.first() > last:
		c.expired = synced
	case c.archive.Empty() && !c.alone:
		return c.refuse(hintNoArchive+"; or go on without them: remove "+filepath.Join(c.stream.dir, eventlog.MarkFile),
			"the stream ends with stream sequence %d, and was on disk up to %d", last, synced)
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
	case s.last() < c.archive.Trimmed():
		return c.refuse(hintRestore, "the stream ends with stream sequence %d, and was only trimmed up to %d", s.last(), c.archive.Trimmed())
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

// compareBeginning tells webhooks that have expired, or were trimmed, from some that are
// missing.
func (c *check) compareBeginning() error {
	first := c.stream.first()
	if first == c.archive.Before().StreamSequence+1 || first <= c.archive.Trimmed()+1 {
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
	return c.refuse(hintRestore, "the stream begins with stream sequence %d, and those before it have not expired, nor were they trimmed", first)
}

// compareAll compares every webhook up to a stream sequence.
func (c *check) compareAll(to uint64) error {
	differs, err := c.stream.differs(c.Archive, max(c.stream.first(), c.archive.BeforeFolder().StreamSequence+1), to)
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

// mend sets aside a stream that is half made, cuts off a torn end, and puts back what only
// the archive has of the end.
func (c *check) mend() error {
	if c.stream == nil {
		return nil
	}
	if c.halfMade != nil {
		aside, err := SetAside(c.stream.dir, c.Aside)
		if err == nil {
			c.logger.Warn("a stream that was never used was damaged and is made anew", "error", c.halfMade, "kept_in", aside)
		}
		return err
	}
	if torn := c.archive.Torn(); torn > 0 {
		c.logger.Warn("the archive's end is torn, by a crash or by damage; it is cut off, and what the stream has of it is archived again",
			"bytes", torn, "after_stream_sequence", c.archive.Last().StreamSequence)
	}
	if err := c.stream.finishTrimming(); err != nil {
		return err
	}
	if t := c.tail; t != nil {
		c.logger.Warn("what comes after the end of what was synced is torn, as a power cut leaves it; it is cut off",
			"file", t.block.path, "byte", t.at, "after_stream_sequence", t.after)
		if err := c.stream.cutTail(t); err != nil {
			return err
		}
	}
	b := c.stream.newest()
	if b != nil && b.sound < b.size {
		c.logger.Warn("the end of the stream's newest file was torn; it is cut off",
			"file", b.path, "bytes", b.size-b.sound, "after_stream_sequence", c.stream.last())
		if err := c.stream.cut(b); err != nil {
			return err
		}
	}
	if last := c.archive.Last().StreamSequence; !c.archive.Empty() && c.stream.last() < last {
		c.logger.Warn("the end of the stream was lost; it is put back from the archive",
			"from_stream_sequence", c.stream.last()+1, "to_stream_sequence", last)
		if err := c.putBack(c.stream.last()+1, last); err != nil {
			return err
		}
	}
	if c.expired > 0 {
		return c.stream.goOnAfter(c.expired)
	}
	return c.stream.forgetWhatIsLost()
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
	again, err := look(c.Server, eventlog.WebhooksStream, nil)
	if err != nil {
		return err
	}
	differs, err := again.differs(c.Archive, from, to)
	if err == nil && (differs > 0 || again.last() != to) {
		err = fmt.Errorf("put back webhooks: they do not read as they should: the stream ends with stream sequence %d, the first difference is at %d",
			again.last(), differs)
	}
	c.stream = again
	return err
}
