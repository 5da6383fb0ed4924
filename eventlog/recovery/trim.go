package recovery

import (
	"errors"
	"io/fs"
	"os"

	"github.com/ticketrail/ticketrail/eventlog"
)

// leaveTrimmed takes the blocks out of what was found that have nothing after a stream
// sequence, up to which the stream was trimmed: a crash can have left any of them. The
// newest one was not.
func (s *stream) leaveTrimmed(to uint64) {
	for len(s.blocks) > 1 && s.blocks[0].last <= to && s.blocks[1].first > 0 {
		s.trimmed, s.blocks = append(s.trimmed, s.blocks[0]), s.blocks[1:]
	}
	s.settle()
}

// finishTrimming removes the files of such blocks.
func (s *stream) finishTrimming() error {
	if len(s.trimmed) == 0 {
		return nil
	}
	if err := s.forgetIndex(); err != nil {
		return err
	}
	for _, b := range s.trimmed {
		if err := os.Remove(b.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	s.trimmed = nil
	return eventlog.SyncFile(s.blocksDir())
}
