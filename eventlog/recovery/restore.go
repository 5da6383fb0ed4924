package recovery

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// Restored says what a stream was made anew from.
type Restored struct {
	Stream domain.StreamIdentity
	First  uint64 // the first stream sequence
	Mark   archive.Mark
	// FromFiles is how many of the last webhooks the archive did not have: they were
	// whole in the stream's own files.
	FromFiles uint64
	// Torn is how many bytes at the end of the stream's own files could not be read,
	// after everything else: what a crash left, or damage.
	Torn int64
	// Erased is the stream sequence of the last erasure; 0 where there is none. A read
	// model that has not come so far may hold what was erased.
	Erased uint64
	// Lost is what the stream and the archive have now, and would not have any more.
	Lost []Loss
	// At is the stream sequence that was asked for; zero where the stream does not reach it.
	At Point
	// Aside is where the former folders are.
	Aside []string
}

// Source says what a stream is made anew from, and how.
type Source struct {
	// Archive is the folder of the archive that is taken; that of the Files where it is
	// empty.
	Archive string
	// Settings are those that the stream gets where its own cannot be read.
	Settings eventlog.Config
	// At is a stream sequence whose mark is wanted; 0 where none is.
	At uint64
	// With is what is replaced together with the stream: with it, or not at all.
	With []Swap
}

// Plan says what Restore would do, and changes nothing.
func Plan(files Files, from Source) (Restored, error) {
	r, err := newRestoration(files, from)
	if err == nil {
		err = r.copy(func(archive.Entry) error { return nil })
	}
	if err == nil {
		err = r.countLoss()
	}
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	return r.Restored, nil
}

// Restore makes the files of the stream of webhooks anew from the archive: the same
// webhooks at the same stream sequences with the same times, and the same identity,
// so that a read model stays of use. What follows the archive's end in the stream's
// own files and is whole is taken over, and archived. What was written is read again and compared
// before it takes the place of the former files, which are kept aside. A crash at any
// moment leaves the former files, or has [Check] put the new ones in their place.
//
// What is lost by it is for Plan to tell, and not looked at again.
func Restore(files Files, from Source) (Restored, error) {
	r, err := newRestoration(files, from)
	if err == nil {
		err = r.run()
	}
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	return r.Restored, nil
}

type restoration struct {
	Files
	Source
	Restored
	archive   *archive.Archive
	former    *stream
	temporary string // folder in which the stream is made
}

func newRestoration(files Files, from Source) (*restoration, error) {
	from.Archive = cmp.Or(from.Archive, files.Archive)
	found, err := (&check{Files: Files{Archive: from.Archive}}).lookAtArchive()
	switch {
	case err != nil:
		return nil, err
	case found.Empty():
		return nil, fmt.Errorf("the archive %s holds no webhook", from.Archive)
	}
	former, err := look(files.Server, eventlog.WebhooksStream, nil)
	if err != nil && !errors.Is(err, errMeta) {
		return nil, err
	}
	return &restoration{
		Files: files, Source: from, archive: found, former: former, temporary: files.Server + Making,
		Restored: Restored{Stream: found.Stream(), First: found.BeforeStream().StreamSequence + 1, Mark: found.BeforeStream()},
	}, nil
}

func (r *restoration) run() (err error) {
	defer func() {
		if err != nil && !Unfinished(r.Files) {
			err = errors.Join(err, os.RemoveAll(r.temporary))
		}
	}()
	meta, err := r.meta()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(r.temporary); err != nil {
		return err
	}
	if err := r.eraseAsTheRestSays(); err != nil {
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
	if err := archive.NoteTrimmed(r.Source.Archive, r.First-1); err != nil {
		return err
	}
	r.Restored.Aside, err = Replace(r.Files, append(r.With, Swap{r.temporary, brokerfile.StreamDir(r.Server, eventlog.WebhooksStream)})...)
	if err == nil && r.FromFiles > 0 && r.Files.Archive != "" {
		err = r.archiveRest()
	}
	return err
}

// eraseAsTheRestSays takes out of the archive what was erased after its end: that of a
// backup holds it still, and nobody may read it once the stream is back.
func (r *restoration) eraseAsTheRestSays() error {
	var erased []*domain.Webhook
	for e, err := range r.rest() {
		if err != nil {
			return err
		}
		if t := tombstoneOf(e.Webhook); t != nil {
			erased = append(erased, t.webhooks...)
		}
	}
	if len(erased) == 0 {
		return nil
	}
	return archive.Erase(r.Source.Archive, erased)
}

// archiveRest adds to the archive what only the former files had. Where a crash comes
// before, the next start does it.
func (r *restoration) archiveRest() error {
	made, err := look(r.Server, eventlog.WebhooksStream, nil)
	if err != nil {
		return err
	}
	return archive.Add(r.Files.Archive, made.identity, made.webhooks(r.archive.Last().StreamSequence+1))
}

// copy gives add every webhook: those of the archive, and those that follow in the
// former files.
func (r *restoration) copy(add func(archive.Entry) error) error {
	for e, err := range r.webhooks() {
		if err == nil {
			err = add(e)
		}
		if err != nil {
			return err
		}
		if tombstoneOf(e.Webhook) != nil {
			r.Erased = e.StreamSequence
		}
		if r.Mark = r.Mark.After(e); e.StreamSequence == r.Source.At {
			r.Restored.At = Point{r.Mark, e.Webhook, r.archive.Before().StreamSequence > 0}
		}
	}
	r.FromFiles = r.Mark.StreamSequence - r.archive.Last().StreamSequence
	return nil
}

func (r *restoration) webhooks() iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		for _, source := range []iter.Seq2[archive.Entry, error]{archive.Read(r.Source.Archive, r.First), r.rest()} {
			for e, err := range source {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// rest gives the webhooks that follow the end of the archive in the former files, up to
// the first that is not there. What comes after that is told as a loss.
func (r *restoration) rest() iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		if r.former == nil || r.formerIdentity() != r.Stream {
			return
		}
		next := r.archive.Last().StreamSequence + 1
		for e, err := range r.former.readable(next) {
			if errors.Is(err, errNoWebhook) || err == nil && e.StreamSequence != next || !yield(e, err) || err != nil {
				return
			}
			next++
		}
	}
}

// formerIdentity gives whose files the former ones are: the archive's, where they do
// not say.
func (r *restoration) formerIdentity() domain.StreamIdentity {
	return cmp.Or(r.former.identity, r.Stream)
}

// countLoss counts what is there now and is not in what is made.
func (r *restoration) countLoss() error {
	made := history{stream: r.Stream, webhooks: r.webhooks()}
	var present []history
	if r.former != nil {
		first := r.former.deleted + 1
		if r.formerIdentity() == r.Stream {
			first = max(first, r.First) // an archive lacks only what had expired
		}
		present = append(present, history{r.former.dir, r.formerIdentity(), r.former.readable(first)})
		if b := r.former.newest(); b != nil && r.former.last() >= r.archive.Last().StreamSequence {
			r.Torn = b.size - b.sound
		}
	}
	if r.Files.Archive != "" && r.Files.Archive != r.Source.Archive {
		own, err := archive.Look(r.Files.Archive)
		if _, damaged := errors.AsType[*archive.DamageError](err); err != nil && !damaged {
			return err
		}
		first := uint64(0)
		if own.Stream() == r.Stream && own.Stored() > 0 {
			first = r.First // what is before is in the store
		}
		present = append(present, history{r.Files.Archive, own.Stream(), archive.Read(r.Files.Archive, first)})
	}
	for _, h := range present {
		loss, err := h.lostBy(made)
		if err != nil {
			return err
		}
		if loss.Any() {
			r.Lost = append(r.Lost, loss)
		}
	}
	return nil
}

// errNoWebhook says that a sound record is not one of a webhook.
var errNoWebhook = errors.New("a record without a webhook")

// readable gives the webhooks of a stream's own files from a stream sequence on, with
// those that were erased, also after some that cannot be read.
func (s *stream) readable(from uint64) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		next := max(from, s.first())
		for _, b := range s.blocks {
			if b.last < from && b.sound == b.size {
				continue
			}
			data, err := os.ReadFile(b.path)
			if err != nil {
				yield(archive.Entry{}, err)
				return
			}
			for r := range soundRecords(s.name, b.number, data) {
				if r.Sequence < from {
					continue
				}
				if !s.fill(next, r.Sequence, yield) {
					return
				}
				next = r.Sequence + 1
				w, err := eventlog.WebhookIn(r)
				if err != nil {
					err = fmt.Errorf("%s, stream sequence %d: %w: %w", b.path, r.Sequence, errNoWebhook, err)
				}
				if !yield(archive.Entry{Webhook: w, StoredAt: w.StoredAt}, err) || err != nil {
					return
				}
			}
		}
	}
}

// soundRecords gives the sound records of a block, also after some that are not.
func soundRecords(stream string, number int, data []byte) iter.Seq[*brokerfile.Record] {
	return func(yield func(*brokerfile.Record) bool) {
		h := brokerfile.NewHash(stream, number)
		for at := 0; at < len(data); {
			r, length, ok := brokerfile.ReadRecord(h, data[at:])
			switch {
			case !ok:
				next, found := nextSound(stream, number, data, at+1)
				if !found {
					return
				}
				at = next
				continue
			case r.IsMessage() && !yield(&r):
				return
			}
			at += length
		}
	}
}

// meta gives the settings of the stream: its own where they can be read and are of
// the archive's stream, and else those that it would be made with.
func (r *restoration) meta() ([]byte, error) {
	if r.former == nil || r.former.identity != r.Stream {
		return eventlog.WebhooksMeta(r.Stream, r.Settings)
	}
	own, err := os.ReadFile(filepath.Join(r.former.dir, metaFile))
	if err != nil {
		return nil, err
	}
	return eventlog.AllowRemoval(own)
}

func (s *stream) writeMeta(text []byte) error {
	return errors.Join(
		writeFile(filepath.Join(s.dir, metaFile), text),
		writeFile(filepath.Join(s.dir, sumFile), []byte(metaSum(s.name, text))),
		eventlog.SyncFile(s.dir))
}

func writeFile(path string, text []byte) error {
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	return eventlog.SyncFile(path)
}

// compare reads what was written, and compares it with the archive.
func (r *restoration) compare() error {
	made := &stream{name: eventlog.WebhooksStream, dir: r.temporary}
	if err := errors.Join(made.lookAtBlocks(nil), made.readMeta()); err != nil {
		return err
	}
	differs, err := made.differs(r.Source.Archive, r.First, r.archive.Last().StreamSequence)
	switch {
	case err != nil:
		return err
	case differs > 0 || made.identity != r.Stream || made.first() != r.First || made.last() != r.Mark.StreamSequence:
		return fmt.Errorf("what was written does not read as it should: stream sequences %d to %d, the first difference at %d",
			made.first(), made.last(), differs)
	}
	return nil
}
