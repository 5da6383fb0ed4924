package recovery

import (
	"bytes"
	"errors"
	"iter"
	"os"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// webhooks gives the webhooks of a stream's files from a stream sequence on, in order,
// up to the first record that is not sound.
func (s *stream) webhooks(from uint64) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		for _, b := range s.blocks {
			if b.last < from {
				continue
			}
			more, err := true, error(nil)
			reading := s.records(b, func(r *record) bool {
				if r.sequence < from {
					return true
				}
				var w *domain.Webhook
				if w, err = r.plain().Webhook(); err != nil {
					return false
				}
				more = yield(archive.Entry{Webhook: w, StoredAt: domain.InstantOf(r.plain().StoredAt)}, nil)
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
	if from > to {
		return 0, nil
	}
	next, stop := iter.Pull2(s.webhooks(from))
	defer stop()
	for e, err := range archive.Read(dir, from) {
		if err != nil {
			return 0, err
		}
		if e.StreamSequence > to {
			break
		}
		w, err, ok := next()
		if err != nil {
			return 0, err
		}
		if !ok || !same(e, w) {
			return e.StreamSequence, nil
		}
	}
	return 0, nil
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
	h, root := newHash(stream, number), []byte(strings.ToLower(stream)+".")
	for at = from + recordHead; at < len(data); at++ {
		next := bytes.Index(data[at:], root)
		if next < 0 {
			break
		}
		at += next
		if _, _, ok := readRecord(h, data[at-recordHead:]); ok {
			return at - recordHead, true
		}
	}
	return 0, false
}
