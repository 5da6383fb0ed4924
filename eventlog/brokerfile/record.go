package brokerfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/minio/highwayhash"
)

// The form of a record in a block, all numbers little endian: length of the record
// (4 bytes, the highest bit tells of a header), stream sequence (8), time (8), length
// of the subject (2), subject, length of the header (4) and header where there is
// one, body, checksum (8). The checksum leaves out the three lengths.
const (
	// HeadSize is how many bytes come before the subject.
	HeadSize   = 22
	sumSize    = 8
	maxRecord  = 32 << 20
	headerFlag = 1 << 31
	// ErasedFlag and DeletedFlag are of the stream sequence: a record without its
	// message, and a note that the message of a sequence was deleted.
	ErasedFlag  = 1 << 63
	DeletedFlag = 1 << 62
)

// NewHash gives the hash of a stream's files: of a block where it has a number, and
// of the settings where it is 0.
func NewHash(stream string, block int) hash.Hash64 {
	if block > 0 {
		stream = fmt.Sprintf("%s-%d", stream, block)
	}
	key := sha256.Sum256([]byte(stream))
	h, err := highwayhash.New64(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	return h
}

// Record is a record as it stands in a block.
type Record struct {
	Sequence uint64 // with its flags
	StoredAt int64  // in nanoseconds since the Unix epoch
	Subject  []byte
	Header   []byte // as it is sent; empty where there is none
	Body     []byte
}

// ReadRecord reads the first record of data, whose memory it shares, by the hash of its
// block; ok is false where it is not sound.
func ReadRecord(h hash.Hash64, data []byte) (r Record, length int, ok bool) {
	if len(data) < HeadSize+sumSize {
		return r, 0, false
	}
	flagged := binary.LittleEndian.Uint32(data)
	length = int(flagged &^ headerFlag)
	if length < HeadSize+sumSize || length > min(len(data), maxRecord) {
		return r, 0, false
	}
	r.Sequence = binary.LittleEndian.Uint64(data[4:])
	r.StoredAt = int64(binary.LittleEndian.Uint64(data[12:]))
	subject := int(binary.LittleEndian.Uint16(data[20:]))
	rest, sum := data[HeadSize:length-sumSize], data[length-sumSize:length]
	if subject > len(rest) {
		return r, 0, false
	}
	r.Subject, r.Body = rest[:subject], rest[subject:]
	if flagged&headerFlag != 0 && !r.cutHeader() {
		return r, 0, false
	}
	h.Reset()
	h.Write(data[4:20])
	h.Write(r.Subject)
	h.Write(r.Header)
	h.Write(r.Body)
	return r, length, h.Sum64() == binary.LittleEndian.Uint64(sum)
}

// cutHeader takes the header from the body. Its length is under no checksum, but its
// form says where it ends.
func (r *Record) cutHeader() bool {
	if len(r.Body) < 4 {
		return false
	}
	length := int(binary.LittleEndian.Uint32(r.Body))
	if length > len(r.Body)-4 {
		return false
	}
	r.Header, r.Body = r.Body[4:4+length], r.Body[4+length:]
	return bytes.HasPrefix(r.Header, headerStart) && bytes.Index(r.Header, headerEnd) == length-len(headerEnd)
}

var (
	headerStart = []byte("NATS/1.0\r\n")
	headerEnd   = []byte("\r\n\r\n")
)

// IsMessage tells whether a record holds a message, rather than a note about one.
func (r *Record) IsMessage() bool { return r.Sequence&(ErasedFlag|DeletedFlag) == 0 && r.Sequence > 0 }

// EraseRecord makes of a record, as the server does, one of the same length that has only
// its stream sequence.
func EraseRecord(h hash.Hash64, record []byte) {
	sequence := binary.LittleEndian.Uint64(record[4:])
	binary.LittleEndian.PutUint32(record, uint32(len(record)))
	binary.LittleEndian.PutUint64(record[4:], sequence|ErasedFlag)
	clear(record[12:])
	h.Reset()
	h.Write(record[4:20])
	h.Write(record[HeadSize : len(record)-sumSize])
	h.Sum(record[:len(record)-sumSize])
}

// AppendRecord writes a record as the server does.
func AppendRecord(to []byte, h hash.Hash64, r *Record) []byte {
	length := HeadSize + len(r.Subject) + len(r.Body) + sumSize
	flagged := uint32(length)
	if len(r.Header) > 0 {
		flagged = uint32(length+4+len(r.Header)) | headerFlag
	}
	start := len(to)
	to = binary.LittleEndian.AppendUint32(to, flagged)
	to = binary.LittleEndian.AppendUint64(to, r.Sequence)
	to = binary.LittleEndian.AppendUint64(to, uint64(r.StoredAt))
	h.Reset()
	h.Write(to[start+4:])
	to = binary.LittleEndian.AppendUint16(to, uint16(len(r.Subject)))
	to = append(to, r.Subject...)
	if len(r.Header) > 0 {
		to = binary.LittleEndian.AppendUint32(to, uint32(len(r.Header)))
		to = append(to, r.Header...)
	}
	to = append(to, r.Body...)
	h.Write(r.Subject)
	h.Write(r.Header)
	h.Write(r.Body)
	return h.Sum(to)
}
