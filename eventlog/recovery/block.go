package recovery

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"time"

	"github.com/minio/highwayhash"

	"github.com/ticketrail/ticketrail/eventlog"
)

// The form of a record in a block, all numbers little endian: length of the record
// (4 bytes, the highest bit tells of a header), stream sequence (8), time (8), length
// of the subject (2), subject, length of the header (4) and header where there is
// one, body, checksum (8). The checksum leaves out the three lengths.
const (
	recordHead = 22
	sumSize    = 8
	maxRecord  = 32 << 20
	headerFlag = 1 << 31
	// erasedFlag and deletedFlag are of the stream sequence: a record without its
	// message, and a note that the message of a sequence was deleted.
	erasedFlag  = 1 << 63
	deletedFlag = 1 << 62
)

// newHash gives the hash of a stream's files: of a block where it has a number, and
// of the settings where it is 0.
func newHash(stream string, block int) hash.Hash64 {
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

// record is a record as it stands in a block. Its slices share the block's memory.
type record struct {
	sequence              uint64 // with its flags
	storedAt              int64  // in nanoseconds since the Unix epoch
	subject, header, body []byte
}

// readRecord reads the first record of data; ok is false where it is not sound.
func readRecord(h hash.Hash64, data []byte) (r record, length int, ok bool) {
	if len(data) < recordHead+sumSize {
		return r, 0, false
	}
	flagged := binary.LittleEndian.Uint32(data)
	length = int(flagged &^ headerFlag)
	if length < recordHead+sumSize || length > min(len(data), maxRecord) {
		return r, 0, false
	}
	r.sequence = binary.LittleEndian.Uint64(data[4:])
	r.storedAt = int64(binary.LittleEndian.Uint64(data[12:]))
	subject := int(binary.LittleEndian.Uint16(data[20:]))
	rest, sum := data[recordHead:length-sumSize], data[length-sumSize:length]
	if subject > len(rest) {
		return r, 0, false
	}
	r.subject, r.body = rest[:subject], rest[subject:]
	if flagged&headerFlag != 0 && !r.cutHeader() {
		return r, 0, false
	}
	h.Reset()
	h.Write(data[4:20])
	h.Write(r.subject)
	h.Write(r.header)
	h.Write(r.body)
	var have [sumSize]byte
	return r, length, bytes.Equal(h.Sum(have[:0]), sum)
}

// cutHeader takes the header from the body. Its length is under no checksum, but its
// form says where it ends.
func (r *record) cutHeader() bool {
	if len(r.body) < 4 {
		return false
	}
	length := int(binary.LittleEndian.Uint32(r.body))
	if length > len(r.body)-4 {
		return false
	}
	r.header, r.body = r.body[4:4+length], r.body[4+length:]
	return bytes.HasPrefix(r.header, headerStart) && bytes.Index(r.header, headerEnd) == length-len(headerEnd)
}

var (
	headerStart = []byte("NATS/1.0\r\n")
	headerEnd   = []byte("\r\n\r\n")
)

// isMessage tells whether a record holds a message, rather than a note about one.
func (r *record) isMessage() bool { return r.sequence&(erasedFlag|deletedFlag) == 0 && r.sequence > 0 }

// ReadBlock is an [eventlog.ReadBlock]. What the messages of a file are told apart by is
// made once: they have few subjects.
func ReadBlock(number int, content []byte) (next func() (*eventlog.Record, bool)) {
	h := newHash(eventlog.WebhooksStream, number)
	names := map[string]string{}
	return func() (*eventlog.Record, bool) {
		for len(content) > 0 {
			r, length, ok := readRecord(h, content)
			if !ok {
				return nil, false
			}
			content = content[length:]
			if r.isMessage() {
				return &eventlog.Record{
					StreamSequence: r.sequence, StoredAt: time.Unix(0, r.storedAt), Subject: known(names, r.subject), Header: r.header, Body: r.body,
				}, true
			}
		}
		return nil, true
	}
}

// known gives a text, as the one that was seen before where there is one.
func known(names map[string]string, text []byte) string {
	if name, seen := names[string(text)]; seen {
		return name
	}
	name := string(text)
	names[name] = name
	return name
}

func (r *record) plain() *eventlog.Record {
	return &eventlog.Record{
		StreamSequence: r.sequence, StoredAt: time.Unix(0, r.storedAt).UTC(),
		Subject: string(r.subject), Header: r.header, Body: r.body,
	}
}

// eraseRecord makes of a record, as the server does, one of the same length that has only
// its stream sequence.
func eraseRecord(h hash.Hash64, record []byte) {
	sequence := binary.LittleEndian.Uint64(record[4:])
	binary.LittleEndian.PutUint32(record, uint32(len(record)))
	binary.LittleEndian.PutUint64(record[4:], sequence|erasedFlag)
	clear(record[12:])
	h.Reset()
	h.Write(record[4:20])
	h.Write(record[recordHead : len(record)-sumSize])
	h.Sum(record[:len(record)-sumSize])
}

// appendRecord writes a record as the server does.
func appendRecord(to []byte, h hash.Hash64, r *eventlog.Record) []byte {
	length := recordHead + len(r.Subject) + len(r.Body) + sumSize
	flagged := uint32(length)
	if len(r.Header) > 0 {
		flagged = uint32(length+4+len(r.Header)) | headerFlag
	}
	start := len(to)
	to = binary.LittleEndian.AppendUint32(to, flagged)
	to = binary.LittleEndian.AppendUint64(to, r.StreamSequence)
	to = binary.LittleEndian.AppendUint64(to, uint64(r.StoredAt.UnixNano()))
	h.Reset()
	h.Write(to[start+4:])
	to = binary.LittleEndian.AppendUint16(to, uint16(len(r.Subject)))
	to = append(to, r.Subject...)
	if len(r.Header) > 0 {
		to = binary.LittleEndian.AppendUint32(to, uint32(len(r.Header)))
		to = append(to, r.Header...)
	}
	to = append(to, r.Body...)
	h.Write([]byte(r.Subject))
	h.Write(r.Header)
	h.Write(r.Body)
	return h.Sum(to)
}
