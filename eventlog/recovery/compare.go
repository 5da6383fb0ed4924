package recovery

import (
	"bytes"
	"errors"
	"iter"
	"os"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// webhooks gives the webhooks of a stream's files from a stream sequence on, in order
// and with those that were erased, up to the first record that is not sound.
func (s *stream) webhooks(from uint64) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		next := max(from, s.first())
		for _, b := range s.blocks {
			if b.last < from {
				continue
			}
			more, err := true, error(nil)
			reading := s.records(b, func(r *brokerfile.Record) bool {
				if r.Sequence < from {
					return true
				}
				if more = s.fill(next, r.Sequence, yield); !more {
					return false
				}
				next = r.Sequence + 1
				var w *domain.Webhook
				if w, err = eventlog.WebhookIn(r); err != nil {
					return false
				}
				more = yield(archive.Entry{Webhook: w, StoredAt: w.StoredAt}, nil)
				return more
			})
			if err = errors.Join(err, reading); err != nil {
				yield(archive.Entry{}, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// differs gives the first stream sequence of a range at which the stream and an
// archive do not hold the same webhook; 0 where there is none.
func (s *stream) differs(dir string, from, to uint64) (uint64, error) {
	beside := s.beside(from, to)
	defer beside.stop()
	for e, err := range archive.Read(dir, from) {
		if err != nil {
			return 0, err
		}
		if e.StreamSequence > to {
			break
		}
		if ok, err := beside.same(e); err != nil || !ok {
			return e.StreamSequence, err
		}
	}
	return 0, nil
}

// beside reads a stream beside an archive.
type beside struct {
	from, to uint64
	next     func() (archive.Entry, error, bool)
	stop     func()
}

func (s *stream) beside(from, to uint64) *beside {
	b := &beside{from: from, to: to}
	b.next, b.stop = iter.Pull2(s.webhooks(from))
	return b
}

// same tells whether the stream has the archive's next webhook too. What is outside
// the range is not looked at.
func (b *beside) same(e archive.Entry) (bool, error) {
	if e.StreamSequence < b.from || e.StreamSequence > b.to {
		return true, nil
	}
	w, err, ok := b.next()
	return ok && same(e, w), err
}

func same(a, b archive.Entry) bool {
	return a.StoredAt == b.StoredAt && a.Chain(domain.Digest{}) == b.Chain(domain.Digest{})
}

// anySound tells whether a sound record begins anywhere after the first that is not.
func anySound(stream string, b *block) bool {
	data, err := os.ReadFile(b.path)
	if err != nil {
		return true // nothing may be taken for torn that cannot be seen
	}
	_, found := nextSound(stream, b.number, data, int(b.sound)+1)
	return found
}

// nextSound finds where the first sound record begins at or after an offset. It looks
// for the beginning of the subjects, which is the stream's name.
func nextSound(stream string, number int, data []byte, from int) (at int, found bool) {
	h, root := brokerfile.NewHash(stream, number), []byte(strings.ToLower(stream)+".")
	for at = from + brokerfile.HeadSize; at < len(data); at++ {
		next := bytes.Index(data[at:], root)
		if next < 0 {
			break
		}
		at += next
		if _, _, ok := brokerfile.ReadRecord(h, data[at-brokerfile.HeadSize:]); ok {
			return at - brokerfile.HeadSize, true
		}
	}
	return 0, false
}

// Comparison is what a comparison of every webhook found.
type Comparison struct {
	Segments int
	First    uint64 // the first webhook of the archive's folder
	// Stored is the last webhook that is in the archive's store, and Trimmed up to which
	// the stream was trimmed; 0 where none is, or it was not.
	Stored, Trimmed uint64
	Mark            archive.Mark
	// Compared is how many webhooks were compared with those of the stream; those that
	// it has forgotten, and those that the archive does not have yet, were not.
	Compared uint64
	// Behind is how many of the stream's last webhooks the archive does not have.
	Behind uint64
	// Ahead is how many of the archive's last webhooks the stream does not have.
	Ahead uint64
	// Torn is how many bytes at the archive's end are no whole group of webhooks: one
	// that is being written, what a crash left of one, or damage.
	Torn int64
	// At is the stream sequence that was asked for; zero where the archive does not
	// reach it.
	At Point
}

// Point is one webhook of an archive.
type Point struct {
	archive.Mark
	Webhook *domain.Webhook
	// Late says that the archive does not have the first webhooks: the chain of one that was
	// made when they had expired begins with others.
	Late bool
}

// Made tells whether a read model with a checkpoint at the point was made from the webhooks
// up to it, as far as that can be seen: where the first are missing, it may be from the
// last one alone.
func (p Point) Made(c domain.Checkpoint) bool {
	return p.StreamSequence == c.StreamSequence &&
		(p.Chain == c.Chain || p.Late && p.Webhook.Chain(c.PreviousChain) == c.Chain)
}

// Compare reads every webhook of the archive, checks that they follow one another and
// give the digest chain that the archive says, and compares each with the stream's own
// files. It returns a [*Refusal] where something is not as it should be. at is a stream
// sequence whose mark is wanted; 0 where none is.
func Compare(files Files, at uint64) (found Comparison, err error) {
	c := &check{Files: files}
	if c.archive, err = c.lookAtArchive(); err != nil {
		return Comparison{}, err
	}
	found = Comparison{Segments: c.archive.Segments(), First: c.archive.BeforeFolder().StreamSequence + 1, Mark: c.archive.BeforeFolder(),
		Stored: c.archive.Stored(), Trimmed: c.archive.Trimmed(), Torn: c.archive.Torn()}
	last := c.archive.Last().StreamSequence
	c.stream, err = look(files.Server, eventlog.WebhooksStream, nil)
	if err == nil && c.stream != nil {
		_, err = c.stream.findTail() // what Check cuts off is no difference
	}
	switch {
	case errors.Is(err, errMeta):
		return found, c.refuse(hintRestore, "%w", err)
	case err != nil:
		return found, err
	case c.stream == nil:
		return found, c.readAll(&found, at, (&stream{}).beside(1, 0))
	case !c.archive.Empty() && c.stream.identity != c.archive.Stream():
		return found, c.compare()
	}
	from, to := max(found.First, c.stream.first()), min(last, c.stream.last())
	err = c.readAll(&found, at, c.stream.beside(from, to))
	if err != nil && c.erasedMeanwhile() {
		return Compare(files, at)
	}
	found.Compared = max(to+1, from) - from
	found.Behind = c.stream.last() - min(c.stream.last(), max(found.Mark.StreamSequence, c.stream.first()-1))
	found.Ahead = max(last, c.stream.last()) - c.stream.last()
	return found, err
}

// erasedMeanwhile tells whether a server has erased webhooks since the stream was looked
// at.
func (c *check) erasedMeanwhile() bool {
	now, err := look(c.Server, eventlog.WebhooksStream, nil)
	return err == nil && now != nil && len(now.erased) > len(c.stream.erased)
}

// readAll reads the whole archive, and the stream beside it.
func (c *check) readAll(found *Comparison, at uint64, beside *beside) error {
	defer beside.stop()
	for e, err := range archive.Read(c.Archive, 0) {
		if err != nil {
			return c.refuse(hintArchive, "%w", err)
		}
		if found.Mark = found.Mark.After(e); e.StreamSequence == at {
			found.At = Point{found.Mark, e.Webhook, c.archive.Before().StreamSequence > 0}
		}
		ok, err := beside.same(e)
		switch {
		case err != nil:
			return err
		case !ok:
			return c.refuse(hintEither, "the webhook with stream sequence %d is another one in the stream than in the archive", e.StreamSequence)
		}
	}
	return nil
}
