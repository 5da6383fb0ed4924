package recovery

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// tail is what a power cut can have left of messages that were written and not synced
// yet, and so not answered for: any part of them, in any of the newest blocks.
type tail struct {
	block *block
	at    int64 // where it begins in the block
	after uint64
}

// findTail gives the tail of a stream, and takes it out of what was found; nil where
// there is none. What the stream's mark says was on disk is in none.
func (s *stream) findTail() (found *tail, err error) {
	synced, known, err := eventlog.SyncedTo(s.dir)
	if err != nil || !known {
		return nil, err
	}
	var last uint64
	for i, b := range s.blocks {
		apart := last > 0 && b.first > last+1 && s.missing(gap{last + 1, b.first - 1}) > 0
		if apart && last >= synced {
			s.end(i)
			return &tail{b, 0, last}, nil
		}
		last = max(last, b.last)
		if b.sound < b.size && last >= synced {
			b.size = b.sound
			s.end(i + 1)
			return &tail{b, b.size, last}, nil
		}
	}
	return nil, nil
}

// end takes all but some blocks out of what was found, and what they told.
func (s *stream) end(blocks int) {
	s.blocks = s.blocks[:blocks]
	last := s.last()
	maps.DeleteFunc(s.erased, func(_ uint64, e erased) bool { return e.by.sequence > last })
	s.settle()
}

// cutTail removes a tail from the files.
func (s *stream) cutTail(t *tail) error {
	if err := s.forgetIndex(); err != nil {
		return err
	}
	numbers, err := brokerfile.Blocks(s.blocksDir())
	if err != nil {
		return err
	}
	for _, number := range slices.Backward(numbers) { // what is left by a crash is a tail again
		if number > t.block.number {
			if err := os.Remove(brokerfile.BlockPath(s.blocksDir(), number)); err != nil {
				return err
			}
		}
	}
	if err := os.Truncate(t.block.path, t.at); err != nil {
		return err
	}
	return errors.Join(eventlog.SyncFile(t.block.path), eventlog.SyncFile(s.blocksDir()))
}

// forgetWhatIsLost removes an index that knows of more than the blocks hold, as a power
// cut may leave it: the server would pass over the stream sequences in between.
func (s *stream) forgetWhatIsLost() error {
	known, err := indexedTo(brokerfile.IndexPath(s.blocksDir()))
	if err != nil || known <= s.last() {
		return err
	}
	return s.forgetIndex()
}

// indexedTo gives the last sequence that the server's index knows of: 0 where there is
// none, or none that the server would read. It has two bytes of version, and then
// numbers: messages, bytes, first sequence, its time, last sequence.
func indexedTo(path string) (last uint64, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil || len(data) < 2 {
		return 0, err
	}
	data = data[2:]
	for range 5 { // signed or not, a number has the same length
		number, length := binary.Uvarint(data)
		if length <= 0 {
			return 0, nil
		}
		last, data = number, data[length:]
	}
	return last, nil
}
