package recovery

import (
	"fmt"
	"iter"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// Loss is what is there now and would not be any more: webhooks that whatever takes the
// place of a stream or of an archive does not have at the same stream sequences.
type Loss struct {
	// Of says whose they are: the path of the archive, or of the stream's folder.
	Of string
	// Webhooks is how many there are, from the stream sequence First to Last.
	Webhooks    uint64
	First, Last uint64
	// Unread says what could not be read, and so not be counted; nil where all could.
	Unread error
}

// Any tells whether anything would be lost, as far as is known.
func (l Loss) Any() bool { return l.Webhooks > 0 || l.Unread != nil }

// String says what would be lost.
func (l Loss) String() string {
	switch {
	case l.Unread != nil && l.Webhooks == 0:
		return fmt.Sprintf("%s could not be read to its end (%v): what it has after that is not known", l.Of, l.Unread)
	case l.Unread != nil:
		return fmt.Sprintf("%s has %d webhooks that the other does not have (stream sequences %d to %d), and could not be read to its end (%v)",
			l.Of, l.Webhooks, l.First, l.Last, l.Unread)
	}
	return fmt.Sprintf("%s has %d webhooks that the other does not have (stream sequences %d to %d)", l.Of, l.Webhooks, l.First, l.Last)
}

func (l *Loss) add(sequence uint64) {
	if l.Webhooks++; l.First == 0 {
		l.First = sequence
	}
	l.Last = sequence
}

// history is webhooks in their order, of one stream.
type history struct {
	place    string
	stream   domain.StreamIdentity
	webhooks iter.Seq2[archive.Entry, error]
}

// lostBy counts what one history has and another one does not have.
func (h history) lostBy(other history) (Loss, error) {
	loss := Loss{Of: h.place}
	next, stop := iter.Pull2(other.webhooks)
	defer stop()
	var kept archive.Entry
	more := h.stream == other.stream
	for e, err := range h.webhooks {
		if err != nil {
			loss.Unread = err
			return loss, nil
		}
		for more && (kept.Webhook == nil || kept.StreamSequence < e.StreamSequence) {
			if kept, err, more = next(); err != nil {
				return loss, err
			}
		}
		if !more || kept.StreamSequence != e.StreamSequence || !same(kept, e) {
			loss.add(e.StreamSequence)
		}
	}
	return loss, nil
}
