package brokerfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	// readAtOnce is how many bytes of a block are read at once at the most, where no record
	// is longer.
	readAtOnce = 1 << 20
	// leastAtOnce is the least of that: to read on for one that is longer than those before
	// would begin anew.
	leastAtOnce = 64 << 10
	// usualRecord is what is read at first for each message that is wanted, in bytes.
	usualRecord = 4 << 10
)

// Reader reads the messages of a stream from its blocks, in order, also while the server
// writes them. It must be used by one goroutine at a time.
type Reader struct {
	stream, dir string
	block       *openBlock // that it has come to; nil before the first
	records     []Record   // room for those that were read last
}

// openBlock is a block that is being read.
type openBlock struct {
	file   *os.File
	number int
	hash   *Hash
	at     int64 // where it goes on
	usual  int64 // what to read for each message that is wanted, by those read last
}

// NewReader makes a reader of a stream by its name and the folder of its blocks.
func NewReader(stream, dir string) *Reader { return &Reader{stream: stream, dir: dir} }

// Close closes the block that is being read.
func (r *Reader) Close() {
	if r.block != nil {
		_ = r.block.file.Close() // nothing was written
		r.block = nil
	}
}

// ErrReplaced says that the server has put another file, or none, in the place of the
// block that is being read, as where much of it was erased, or all has expired. Where to
// go on is for another Reader to find.
var ErrReplaced = errors.New("the server has replaced the block")

// Read gives messages from a sequence on, which is to follow what was read before: at
// most so many, and none where no whole one is there. Whether there should be one is for
// the caller to know. The memory of their contents is not used again, and that of the
// slice by the next Read.
func (r *Reader) Read(from uint64, most int) ([]Record, error) {
	if r.block == nil {
		if err := r.seek(from); r.block == nil {
			return nil, err
		}
	}
	for {
		records, err := r.readBlock(from, most)
		if len(records) > 0 || err != nil {
			return records, err
		}
		current, err := IsCurrent(r.block.file)
		switch {
		case err != nil:
			return nil, err
		case !current:
			return nil, ErrReplaced
		}
		next, err := r.open(r.block.number + 1)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		// What the server wrote before it began the next block is there by now.
		records, err = r.readBlock(from, most)
		if len(records) == 0 && err == nil {
			err = r.block.ended()
		}
		if len(records) > 0 || err != nil {
			return records, errors.Join(err, next.file.Close())
		}
		r.Close()
		r.block = next
	}
}

// ReadOpen is Read of the block that is open, and opens none, which a disk may hold up.
func (r *Reader) ReadOpen(from uint64, most int) ([]Record, error) {
	if r.block == nil {
		return nil, nil
	}
	return r.readBlock(from, most)
}

func (r *Reader) readBlock(from uint64, most int) (records []Record, err error) {
	records, err = r.block.read(r.records[:0], from, most)
	r.records = records
	return records, err
}

// seek opens the newest block whose first message does not come after a sequence, or else
// the oldest block.
func (r *Reader) seek(sequence uint64) error {
	numbers, err := Blocks(r.dir)
	for i := len(numbers) - 1; i >= 0 && err == nil; i-- {
		r.Close()
		if r.block, err = r.open(numbers[i]); err != nil {
			return err
		}
		var first []Record
		first, err = r.readBlock(0, 1)
		r.block.at = 0
		if len(first) > 0 && first[0].Sequence <= sequence {
			break
		}
	}
	return err
}

func (r *Reader) open(number int) (*openBlock, error) {
	file, err := os.Open(BlockPath(r.dir, number))
	if err != nil {
		return nil, err
	}
	return &openBlock{file: file, number: number, hash: NewHash(r.stream, number), usual: usualRecord}, nil
}

// read appends the next messages from a sequence on, and none where no whole one is left.
func (b *openBlock) read(records []Record, from uint64, most int) ([]Record, error) {
	for length := min(max(int64(most)*b.usual, leastAtOnce), readAtOnce); len(records) == 0; {
		left, err := b.left()
		if left == 0 || err != nil {
			return records, err
		}
		data := make([]byte, min(left, length))
		n, err := b.file.ReadAt(data, b.at)
		if err != nil && !errors.Is(err, io.EOF) {
			return records, err
		}
		begun := b.at
		records = b.parse(records, data[:n], from, most)
		if b.at == begun { // not even one record, or a note
			if int64(n) == left || length >= maxRecord {
				return records, nil
			}
			length = maxRecord
		}
	}
	return records, nil
}

// parse appends the messages of data from a sequence on, and goes on after the last one.
func (b *openBlock) parse(records []Record, data []byte, from uint64, most int) []Record {
	begun := b.at
	for len(records) < most {
		record, length, ok := ReadRecord(b.hash, data)
		if !ok {
			break
		}
		if record.IsMessage() && record.Sequence >= from {
			records = append(records, record)
		}
		b.at += int64(length)
		data = data[length:]
	}
	if len(records) > 0 {
		b.usual = (b.at - begun) / int64(len(records)) * 9 / 8
	}
	return records
}

// left gives how many bytes are left.
func (b *openBlock) left() (int64, error) {
	info, err := b.file.Stat()
	if err != nil {
		return 0, err
	}
	return max(0, info.Size()-b.at), nil
}

// ended tells why a block that does not grow any more was not read to its end.
func (b *openBlock) ended() error {
	if left, err := b.left(); left == 0 || err != nil {
		return err
	}
	return fmt.Errorf("%s is damaged at byte %d", b.file.Name(), b.at)
}
