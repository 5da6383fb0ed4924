package brokerfile

import (
	"encoding/binary"
	"maps"
	"path/filepath"
	"slices"

	"github.com/nats-io/nats-server/v2/server/avl"
)

// The form of an index begins with these two bytes.
const (
	indexMagic   = 11
	indexVersion = 4
)

// EndSize is how many bytes the checksum has that a block ends with.
const EndSize = sumSize

// IndexPath gives the path of the index in the folder of the blocks.
func IndexPath(dir string) string { return filepath.Join(dir, "index.db") }

// Subjects says how many messages each subject has.
type Subjects map[string]*uint64

// IndexedBlock is what the index tells of a block with messages.
type IndexedBlock struct {
	Number          int
	First, Last     uint64   // sequences of messages
	FirstAt, LastAt int64    // when these were stored, in nanoseconds since the Unix epoch
	Missing         []uint64 // sequences between them that have no message
	Bytes           uint64   // of the records of its messages
	Subjects        Subjects
}

func (b *IndexedBlock) messages() uint64 { return b.Last - b.First + 1 - uint64(len(b.Missing)) }

// Index gives what the server keeps of the blocks of a stream, all that there are and in
// order, and believes at its start: where it is of another record than the one whose
// checksum ends the newest block, the server reads every block. In it are the sums of the
// stream, what each subject has, what each block has, the newest block with that
// checksum, and a checksum of it all. No subject and no message may have a lifetime of
// its own.
func Index(stream string, blocks []IndexedBlock, end [EndSize]byte) []byte {
	first, last := &blocks[0], &blocks[len(blocks)-1]
	var messages, bytes uint64
	for i := range blocks {
		messages += blocks[i].messages()
		bytes += blocks[i].Bytes
	}
	index := []byte{indexMagic, indexVersion}
	index = appendNumbers(index, messages, bytes, first.First)
	index = binary.AppendVarint(index, first.FirstAt)
	index = appendNumbers(index, last.Last)
	index = binary.AppendVarint(index, last.LastAt)
	index = appendSubjects(index, blocks)
	index = appendNumbers(index, uint64(len(blocks)))
	for i := range blocks {
		index = blocks[i].append(index, first.FirstAt)
	}
	index = append(appendNumbers(index, uint64(last.Number)), end[:]...)
	return binary.LittleEndian.AppendUint64(index, NewHash(stream, 0).Sum(index))
}

// appendSubjects writes how many messages each subject has, and the first and the last
// block that it is in.
func appendSubjects(to []byte, blocks []IndexedBlock) []byte {
	type occurrence struct{ messages, first, last uint64 }
	all := map[string]*occurrence{}
	for _, b := range blocks {
		for subject, messages := range b.Subjects {
			o := all[subject]
			if o == nil {
				o = &occurrence{first: uint64(b.Number)}
				all[subject] = o
			}
			o.messages, o.last = o.messages+*messages, uint64(b.Number)
		}
	}
	to = appendNumbers(to, uint64(len(all)))
	for _, subject := range slices.Sorted(maps.Keys(all)) {
		to = append(appendNumbers(to, uint64(len(subject))), subject...)
		to = appendNumbers(to, all[subject].messages, all[subject].first, all[subject].last)
	}
	return to
}

// append writes a block. Its times are told from that of the stream's first message on.
func (b *IndexedBlock) append(to []byte, from int64) []byte {
	to = appendNumbers(to, uint64(b.Number), b.Bytes, b.First)
	to = binary.AppendVarint(to, b.FirstAt-from)
	to = appendNumbers(to, b.Last)
	to = binary.AppendVarint(to, b.LastAt-from)
	to = appendNumbers(to, uint64(len(b.Missing)), 0, 0) // no message has a lifetime, or comes later
	if len(b.Missing) == 0 {
		return to
	}
	var missing avl.SequenceSet
	for _, sequence := range b.Missing {
		missing.Insert(sequence)
	}
	return append(to, missing.Encode(nil)...)
}

func appendNumbers(to []byte, numbers ...uint64) []byte {
	for _, number := range numbers {
		to = binary.AppendUvarint(to, number)
	}
	return to
}
