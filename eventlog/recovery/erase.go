package recovery

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// mostParsed is how many tombstones are kept parsed.
const mostParsed = 32

// erasures says which webhooks of a stream were erased, by the tombstones that follow
// them. Of each it keeps what the outline of the stream needs, and where the rest is.
type erasures struct {
	erased map[uint64]erased                // by stream sequence
	parsed map[*tombstone][]*domain.Webhook // some of them
}

type erased struct {
	by      *tombstone
	outline archive.Outline
}

// subjectEnd ends the subject of every tombstone.
var subjectEnd = []byte("." + domain.EventErased)

// tombstone is where one is in a stream.
type tombstone struct {
	sequence uint64
	block    *block            // nil where only the archive has it
	outlines []outlined        // of what it erased
	webhooks []*domain.Webhook // where only the archive has it
}

type outlined struct {
	sequence uint64
	outline  archive.Outline
}

// takeErasure takes the webhooks of a record that is a tombstone.
func (b *block) takeErasure(r *record) {
	if !bytes.HasSuffix(r.subject, subjectEnd) {
		return
	}
	w, err := r.plain().Webhook()
	if err != nil {
		return
	}
	if t := tombstoneOf(w); t != nil {
		t.block, t.webhooks = b, nil
		b.tombstones = append(b.tombstones, t)
	}
}

// tombstoneOf gives the tombstone that a webhook is; nil where it is none.
func tombstoneOf(w *domain.Webhook) *tombstone {
	if w.Event != domain.EventErased {
		return nil
	}
	erasure, err := domain.ParseErasure(w)
	if err != nil {
		return nil // another program's: it erases nothing
	}
	t := &tombstone{sequence: w.StreamSequence, webhooks: erasure.Webhooks}
	for _, left := range erasure.Webhooks {
		outline := archive.OutlineOf(left.StreamSequence, left.StoredAt.Time().UnixNano(), left.Length())
		t.outlines = append(t.outlines, outlined{left.StreamSequence, outline})
	}
	return t
}

// know takes a tombstone. The first one of a webhook counts.
func (e *erasures) know(t *tombstone) {
	if e.erased == nil {
		e.erased, e.parsed = map[uint64]erased{}, map[*tombstone][]*domain.Webhook{}
	}
	for _, o := range t.outlines {
		if _, known := e.erased[o.sequence]; !known {
			e.erased[o.sequence] = erased{t, o.outline}
		}
	}
	t.outlines = nil
}

// missing gives the first stream sequence of a gap whose webhook was not erased; 0
// where all were.
func (e *erasures) missing(g gap) uint64 {
	for sequence := g.first; sequence <= g.last; sequence++ {
		if _, erased := e.erased[sequence]; !erased {
			return sequence
		}
	}
	return 0
}

// firstBefore gives the first of the erased webhooks that end right before one, or that
// one. A tombstone that has expired itself says nothing.
func (e *erasures) firstBefore(sequence uint64) uint64 {
	first := sequence
	for {
		before, found := e.erased[first-1]
		if !found || before.by.sequence < sequence {
			return first
		}
		first--
	}
}

// holds tells whether a stream has the message of a stream sequence.
func (s *stream) holds(sequence uint64) bool {
	b := s.blockOf(sequence)
	return b != nil && b.first <= sequence &&
		!slices.ContainsFunc(b.gaps, func(g gap) bool { return g.first <= sequence && sequence <= g.last })
}

// blockOf gives the block that a stream sequence is in, if any is; nil where none can be.
func (s *stream) blockOf(sequence uint64) *block {
	for _, b := range s.blocks {
		if b.first > 0 && sequence <= b.last {
			return b
		}
	}
	return nil
}

// fill yields what is left of the erased webhooks from a stream sequence on and before
// another one, and tells whether to go on.
func (s *stream) fill(from, to uint64, yield func(archive.Entry, error) bool) bool {
	for sequence := from; sequence < to && len(s.erased) > 0; sequence++ {
		if _, erased := s.erased[sequence]; !erased {
			continue
		}
		left, err := s.left(sequence)
		if err != nil {
			yield(archive.Entry{}, err)
			return false
		}
		if !yield(archive.Entry{Webhook: left, StoredAt: left.StoredAt}, nil) {
			return false
		}
	}
	return true
}

// left gives what is left of an erased webhook.
func (s *stream) left(sequence uint64) (*domain.Webhook, error) {
	by := s.erased[sequence].by
	webhooks, err := s.webhooksOf(by)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(webhooks, func(w *domain.Webhook) bool { return w.StreamSequence == sequence })
	if at < 0 {
		return nil, fmt.Errorf("%s: the tombstone with stream sequence %d is not there any more", s.dir, by.sequence)
	}
	return webhooks[at], nil
}

// webhooksOf gives what a tombstone holds.
func (s *stream) webhooksOf(t *tombstone) ([]*domain.Webhook, error) {
	if t.block == nil {
		return t.webhooks, nil
	}
	if webhooks, parsed := s.parsed[t]; parsed {
		return webhooks, nil
	}
	var again *tombstone
	err := s.records(t.block, func(r *record) bool {
		if r.sequence != t.sequence {
			return r.sequence < t.sequence
		}
		if w, err := r.plain().Webhook(); err == nil {
			again = tombstoneOf(w)
		}
		return false
	})
	if err != nil || again == nil {
		return nil, err
	}
	if len(s.parsed) == mostParsed {
		clear(s.parsed)
	}
	s.parsed[t] = again.webhooks
	return again.webhooks, nil
}

// learnErasures takes the tombstones that the archive has and the end of the stream
// lacks: they are put back with it.
func (c *check) learnErasures() error {
	if c.archive.Empty() || c.stream.last() >= c.archive.Last().StreamSequence {
		return nil
	}
	for e, err := range archive.Read(c.Archive, c.stream.last()+1) {
		if err != nil {
			return c.refuse(hintArchive, "%w", err)
		}
		if t := tombstoneOf(e.Webhook); t != nil {
			c.stream.know(t)
		}
	}
	c.stream.settle()
	return nil
}

// finishErasures overwrites the webhooks that have a tombstone and are in the blocks
// still: the server may have noted that they are deleted, and would not do it any more.
func (c *check) finishErasures() error {
	if c.stream == nil || c.halfMade != nil {
		return nil
	}
	if err := c.stream.forgetTemporary(); err != nil {
		return err
	}
	unfinished := map[*block][]uint64{}
	for sequence := range c.stream.erased {
		if c.stream.holds(sequence) {
			b := c.stream.blockOf(sequence)
			unfinished[b] = append(unfinished[b], sequence)
		}
	}
	for b, sequences := range unfinished {
		c.logger.Warn("webhooks were being erased when the program ended; the rest of it is done now", "file", b.path, "webhooks", len(sequences))
		if err := c.stream.overwrite(b, sequences); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
	}
	return nil
}

// forgetTemporary removes what a crash has left of blocks that the server was writing
// anew: they hold what has been erased since.
func (s *stream) forgetTemporary() error {
	for _, pattern := range []string{"*.blk.tmp", "*.new"} {
		left, err := filepath.Glob(filepath.Join(s.blocksDir(), pattern))
		if err != nil {
			return err
		}
		for _, path := range left {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}
