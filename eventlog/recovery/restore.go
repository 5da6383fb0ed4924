package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// Restored says what a stream was made anew from.
type Restored struct {
	Stream domain.StreamIdentity
	First  uint64 // the first stream sequence
	Mark   archive.Mark
	// FromFiles is how many of the last webhooks the archive did not have: they were
	// whole in the stream's own files.
	FromFiles uint64
	// At is the mark of the stream sequence that was asked for; zero where the stream does
	// not reach it.
	At archive.Mark
	// Aside is where the stream's former files are; empty where there were none.
	Aside string
}

// Restore makes the files of the stream of webhooks anew from the archive: the same
// webhooks at the same stream sequences with the same times, and the same identity,
// so that a read model stays of use. What follows the archive's end in the stream's
// own files and is whole is taken over. What was written is read again and compared
// before it takes the place of the former files, which are kept aside. A crash at any
// moment leaves the former files, or none, which [Check] finds.
//
// With plan nothing is changed, and what would be done is given. The settings are
// those that the stream gets where its own cannot be read. at is a stream sequence whose
// mark is wanted; 0 where none is.
func Restore(files Files, settings eventlog.Config, at uint64, plan bool) (Restored, error) {
	found, err := archive.Look(files.Archive)
	switch {
	case err != nil:
		return Restored{}, fmt.Errorf("restore: %w", err)
	case found.Empty():
		return Restored{}, fmt.Errorf("restore: the archive %s holds no webhook", files.Archive)
	}
	r := &restoration{Files: files, at: at, archive: found, temporary: files.Server + ".restoring", Restored: Restored{
		Stream: found.Stream(), First: found.Before().StreamSequence + 1, Mark: found.Before(),
	}}
	if err := r.run(settings, plan); err != nil {
		return r.Restored, fmt.Errorf("restore: %w", errors.Join(err, os.RemoveAll(r.temporary)))
	}
	return r.Restored, nil
}

type restoration struct {
	Files
	Restored
	at        uint64
	archive   *archive.Archive
	former    *stream
	temporary string // folder in which the stream is made
}

func (r *restoration) run(settings eventlog.Config, plan bool) (err error) {
	r.former, err = look(r.Server, eventlog.WebhooksStream)
	if err != nil && !errors.Is(err, errMeta) {
		return err
	}
	meta, err := r.meta(settings)
	if err != nil {
		return err
	}
	add := func(archive.Entry) error { return nil }
	if plan {
		return r.copy(add)
	}
	if err := os.RemoveAll(r.temporary); err != nil {
		return err
	}
	made := &stream{name: eventlog.WebhooksStream, dir: r.temporary}
	w, err := made.appending()
	if err != nil {
		return err
	}
	if err := errors.Join(r.copy(w.add), w.flush(), made.writeMeta(meta)); err != nil {
		return err
	}
	if err := r.compare(); err != nil {
		return err
	}
	return r.replace()
}

// copy gives add every webhook: those of the archive, and those that follow in the
// former files.
func (r *restoration) copy(add func(archive.Entry) error) error {
	for _, source := range []iter.Seq2[archive.Entry, error]{archive.Read(r.Archive, r.First), r.former.rest(r.archive)} {
		for e, err := range source {
			if err == nil {
				err = add(e)
			}
			if err != nil {
				return err
			}
			if r.Mark = r.Mark.After(e); e.StreamSequence == r.at {
				r.At = r.Mark
			}
		}
	}
	r.FromFiles = r.Mark.StreamSequence - r.archive.Last().StreamSequence
	return nil
}

// rest gives the webhooks that follow the end of an archive, each whole, to the first
// that is not there.
func (s *stream) rest(a *archive.Archive) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		if s == nil || s.identity != a.Stream() && s.identity != (domain.StreamIdentity{}) {
			return
		}
		next := a.Last().StreamSequence + 1
		for _, b := range s.blocks {
			data, err := os.ReadFile(b.path)
			if err != nil {
				yield(archive.Entry{}, err)
				return
			}
			for r := range soundRecords(s.name, b.number, data) {
				if r.sequence != next {
					continue
				}
				w, err := r.plain().Webhook()
				if err != nil || !yield(archive.Entry{Webhook: w, StoredAt: domain.InstantOf(r.plain().StoredAt)}, nil) {
					return
				}
				next++
			}
		}
	}
}

// soundRecords gives the sound records of a block, also after some that are not.
func soundRecords(stream string, number int, data []byte) iter.Seq[*record] {
	return func(yield func(*record) bool) {
		h := newHash(stream, number)
		for at := 0; at < len(data); {
			r, length, ok := readRecord(h, data[at:])
			switch {
			case !ok:
				next, found := nextSound(stream, number, data, at+1)
				if !found {
					return
				}
				at = next
				continue
			case r.isMessage() && !yield(&r):
				return
			}
			at += length
		}
	}
}

// meta gives the settings of the stream: its own where they can be read and are of
// the archive's stream, and else those that it would be made with.
func (r *restoration) meta(settings eventlog.Config) ([]byte, error) {
	if r.former != nil && r.former.identity == r.Stream {
		return os.ReadFile(filepath.Join(r.former.dir, metaFile))
	}
	return eventlog.WebhooksMeta(r.Stream, settings)
}

func (s *stream) writeMeta(text []byte) error {
	return errors.Join(
		writeFile(filepath.Join(s.dir, metaFile), text),
		writeFile(filepath.Join(s.dir, sumFile), []byte(metaSum(s.name, text))),
		syncFile(s.dir))
}

func writeFile(path string, text []byte) error {
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	return syncFile(path)
}

// compare reads what was written, and compares it with the archive.
func (r *restoration) compare() error {
	made := &stream{name: eventlog.WebhooksStream, dir: r.temporary}
	if err := errors.Join(made.lookAtBlocks(), made.readMeta()); err != nil {
		return err
	}
	differs, err := made.differs(r.Archive, r.First, r.archive.Last().StreamSequence)
	switch {
	case err != nil:
		return err
	case differs > 0 || made.identity != r.Stream || made.first() != r.First || made.last() != r.Mark.StreamSequence:
		return fmt.Errorf("what was written does not read as it should: stream sequences %d to %d, the first difference at %d",
			made.first(), made.last(), differs)
	}
	return nil
}

// replace puts the new files in the place of the former ones.
func (r *restoration) replace() (err error) {
	dir := streamDir(r.Server, eventlog.WebhooksStream)
	_, err = os.Stat(dir)
	if err == nil {
		r.Restored.Aside, err = SetAside(dir, r.Files.Aside)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	if err := os.Rename(r.temporary, dir); err != nil {
		return err
	}
	return errors.Join(syncFile(filepath.Dir(dir)), syncFile(filepath.Dir(r.Server)))
}
