package brokerfile

import (
	"errors"
	"io/fs"
	"os"
)

// FirstToKeep gives the first message of a block such that the blocks from that one on
// take at least some bytes, and nothing after a sequence is before it: the newest such
// block, but the oldest block of all. It is 0 where there is none.
func FirstToKeep(stream, dir string, bytes int64, sequence uint64) (first uint64, err error) {
	numbers, err := Blocks(dir)
	r := NewReader(stream, dir)
	for i := len(numbers) - 1; i > 0 && err == nil; i-- {
		var info os.FileInfo
		if info, err = os.Stat(BlockPath(dir, numbers[i])); err != nil {
			break
		}
		if bytes -= info.Size(); bytes > 0 {
			continue
		}
		if first, err = r.firstOf(numbers[i]); err == nil && first > 0 && first-1 <= sequence {
			return first, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // the server has removed it just now
	}
	return 0, err
}

// firstOf gives the sequence of the first message of a block; 0 where it has none.
func (r *Reader) firstOf(number int) (first uint64, err error) {
	defer r.Close()
	if r.block, err = r.open(number); err != nil {
		return 0, err
	}
	records, err := r.readBlock(0, 1)
	if len(records) == 0 {
		return 0, err
	}
	return records[0].Sequence, nil
}
