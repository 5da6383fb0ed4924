package recovery

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// writeIndex has the server begin where its blocks end. The index that a crash leaves
// is of an earlier record: by that the server reads every block once more, one after
// the other, to make the index anew. What it would find is known here.
func (c *check) writeIndex() error {
	s := c.stream
	if s == nil || c.halfMade != nil || !s.isIndexable() {
		return nil
	}
	newest := s.newest()
	end, err := endOf(newest.path)
	if err != nil {
		return err
	}
	path := brokerfile.IndexPath(s.blocksDir())
	index, err := os.ReadFile(path)
	if at := len(index) - 2*brokerfile.EndSize; err == nil && at >= 0 && bytes.Equal(index[at:at+brokerfile.EndSize], end[:]) {
		return nil // the server's own, as a stop leaves it
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	blocks := make([]brokerfile.IndexedBlock, len(s.blocks))
	for i, b := range s.blocks {
		blocks[i] = b.indexed()
	}
	if _, err := eventlog.ReplaceFile(path, path+".new", brokerfile.Index(s.name, blocks, end)); err != nil {
		c.logger.Warn("the broker's index could not be written; it makes one itself, and starts later", "error", err)
	}
	return nil
}

// isIndexable tells whether what was found says all that the server would find. Where
// webhooks expire, or one that was deleted is in a block still, that depends on more.
func (s *stream) isIndexable() bool {
	if len(s.blocks) == 0 || s.maxAge > 0 {
		return false
	}
	for sequence := range s.erased {
		if s.holds(sequence) {
			return false // it was overwritten just now
		}
	}
	last := s.last()
	for _, b := range s.blocks {
		if !b.isIndexable() {
			return false
		}
		for _, sequence := range b.deleted {
			if sequence > last || s.holds(sequence) {
				return false
			}
		}
	}
	return true
}

// isIndexable tells whether a block has messages, each of them once and in order.
func (b *block) isIndexable() bool {
	missing := uint64(0)
	for _, g := range b.gaps {
		missing += g.last + 1 - g.first
	}
	messages := uint64(0)
	for _, n := range b.subjects {
		messages += *n
	}
	return b.first > 0 && messages+missing == b.last+1-b.first
}

func (b *block) indexed() brokerfile.IndexedBlock {
	i := brokerfile.IndexedBlock{
		Number: b.number, First: b.first, Last: b.last, FirstAt: b.firstAt, LastAt: b.lastAt, Bytes: b.bytes, Subjects: b.subjects,
	}
	for _, g := range b.gaps {
		for sequence := g.first; sequence <= g.last; sequence++ {
			i.Missing = append(i.Missing, sequence)
		}
	}
	return i
}

// endOf gives the checksum that a block ends with.
func endOf(path string) (end [brokerfile.EndSize]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return end, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil {
		_, err = file.ReadAt(end[:], info.Size()-brokerfile.EndSize)
	}
	return end, err
}
