package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/ticketrail/ticketrail/domain"
)

// SQLite takes a write-ahead log for as long as its sums fit and passes over the
// rest: that is how it forgets a transaction that a crash cut short. A flipped bit in
// the middle looks the same to it. The commits after it are forgotten, although pages
// of them may have been copied into the database by then, and what is read is a
// mixture of two moments, every page of it with a sum that fits.
//
// So a log that a crash has left is looked at before SQLite opens it. Two things
// betray the mixture: a commit that stands after the first frame that does not fit,
// and a database whose own pages are of a later checkpoint than the log leads to.
// The second is certain because pages are copied in their order, and the checkpoint
// is on one of the first, see schema.sql.
//
// (A power cut that left a late part of a transaction and lost an early one looks
// like damage too. Then a read model is made anew that could have been kept.)

// checkLog returns domain.ErrDamaged where the write-ahead log beside a database has
// lost commits that were in it.
func checkLog(ctx context.Context, path string) error {
	lost, err := losesCommits(path + walSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("check the write-ahead log: %w", err)
	case lost:
		return fmt.Errorf("%w: its write-ahead log has lost commits", domain.ErrDamaged)
	}
	behind, err := checkpointIn(ctx, dsn(path, "ro", "immutable=1"))
	if err != nil {
		return fmt.Errorf("check the write-ahead log: %w", err)
	}
	through, err := checkpointIn(ctx, dsn(path, "ro", "_query_only=true"))
	switch {
	case err != nil:
		return fmt.Errorf("check the write-ahead log: %w", err)
	case through < behind:
		return fmt.Errorf("%w: its write-ahead log leads to checkpoint %d, and it was at %d", domain.ErrDamaged, through, behind)
	}
	return nil
}

// checkpointIn reads the checkpoint of a file, 0 where what is in the file has none:
// why, the opening of the file will tell. A disk that is full or fails is an error, since
// that says nothing of the file.
func checkpointIn(ctx context.Context, dsn string) (checkpoint uint64, err error) {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = unfit(db.QueryRowContext(ctx, "SELECT checkpoint FROM projection").Scan(&checkpoint))
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, ErrSchema) || errors.Is(err, domain.ErrDamaged) {
		return 0, nil
	}
	return checkpoint, err
}

// The format of a write-ahead log (sqlite.org/fileformat2, "The Write-Ahead Log"):
// a header, and frames of a header and a page each. Numbers are big-endian; sums
// run on from the header through all frames, over words in the order of bytes that
// the last bit of the magic number gives.
const (
	walHeader   = 32
	frameHeader = 24
	walMagic    = 0x377f0682
	walVersion  = 3007000
)

// losesCommits tells whether the log holds a commit after the first frame that does
// not fit, or a header that does not. A log that ends in the middle of its header was
// just being made.
func losesCommits(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	reader := bufio.NewReaderSize(file, 1<<20)
	header := make([]byte, walHeader)
	if more, err := readWhole(reader, header); !more {
		return false, err
	}
	log, fits := newWAL(header)
	for fits {
		frame, more, err := log.next(reader)
		if !more {
			return false, err
		}
		fits = log.add(frame)
	}
	for log.pageSize > 0 {
		frame, more, err := log.next(reader)
		if !more {
			return false, err
		}
		if log.ofThis(frame) && word(frame, 1) > 0 {
			return true, nil
		}
	}
	return true, nil
}

// wal checks the frames of a log one after the other.
type wal struct {
	order    binary.ByteOrder
	pageSize int // 0 where the header does not fit
	salts    [2]uint32
	sums     [2]uint32
	frame    []byte
}

func newWAL(header []byte) (log *wal, fits bool) {
	log = &wal{order: binary.LittleEndian}
	if word(header, 0)&1 == 1 {
		log.order = binary.BigEndian
	}
	log.sum(header[:24])
	if word(header, 0)&^1 != walMagic || word(header, 1) != walVersion || !log.sumsAt(header, 6) {
		return log, false
	}
	log.pageSize = int(word(header, 2))
	log.salts = [2]uint32{word(header, 4), word(header, 5)}
	log.frame = make([]byte, frameHeader+log.pageSize)
	return log, true
}

// next reads a frame into the place of the one before. There is none more where the
// file ends, if need be in the middle of one.
func (l *wal) next(from io.Reader) (frame []byte, more bool, err error) {
	more, err = readWhole(from, l.frame)
	return l.frame, more, err
}

// add sums a frame and tells whether it fits. One of an earlier use of the file does
// not: the log ends before it.
func (l *wal) add(frame []byte) bool {
	if !l.ofThis(frame) {
		return false
	}
	l.sum(frame[:8])
	l.sum(frame[frameHeader:])
	return l.sumsAt(frame, 4)
}

// ofThis tells whether a frame bears the salts of the header.
func (l *wal) ofThis(frame []byte) bool {
	return l.salts == [2]uint32{word(frame, 2), word(frame, 3)}
}

func (l *wal) sumsAt(bytes []byte, i int) bool {
	return l.sums == [2]uint32{word(bytes, i), word(bytes, i+1)}
}

func (l *wal) sum(bytes []byte) {
	for ; len(bytes) >= 8; bytes = bytes[8:] {
		l.sums[0] += l.order.Uint32(bytes) + l.sums[1]
		l.sums[1] += l.order.Uint32(bytes[4:]) + l.sums[0]
	}
}

func word(bytes []byte, i int) uint32 { return binary.BigEndian.Uint32(bytes[4*i:]) }

// readWhole fills the bytes; full is false where there are not so many left.
func readWhole(from io.Reader, bytes []byte) (full bool, err error) {
	_, err = io.ReadFull(from, bytes)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	return err == nil, err
}
