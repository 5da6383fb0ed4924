package recovery

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// The names of the files of a stream.
const (
	metaFile = "meta.inf"
	sumFile  = "meta.sum"
)

// stream is what a look at the files of a stream found.
type stream struct {
	name     string
	dir      string
	identity domain.StreamIdentity
	maxAge   time.Duration
	blocks   []*block // those that hold anything, in order
	trimmed  []*block // those that were to be removed
	deleted  uint64   // the highest stream sequence that is noted as deleted, and was not erased
	erasures
}

// block is what a look at one block found.
type block struct {
	path        string
	number      int
	size        int64
	digest      uint64 // of all of it; 0 where nobody asks
	sound       int64  // the bytes before the first record that is not sound
	first, last uint64
	outline     archive.Outline // of all its messages
	deleted     []uint64        // stream sequences that are noted as deleted or erased, here or elsewhere
	gaps        []gap           // what is missing inside, before sound
	tombstones  []*tombstone

	// What the server's index tells of webhooks besides.
	firstAt, lastAt int64
	bytes           uint64
	subjects        brokerfile.Subjects
}

// gap is a run of stream sequences that are missing.
type gap struct{ first, last uint64 }

func (s *stream) blocksDir() string { return brokerfile.BlocksDir(s.dir) }

// first gives the first webhook that a stream has, or that was erased; one after the
// last where it has none.
func (s *stream) first() uint64 {
	for _, b := range s.blocks {
		if b.first > 0 {
			return s.firstBefore(max(b.first, s.deleted+1))
		}
	}
	return s.deleted + 1
}

// last gives the last webhook that a stream has, or has had.
func (s *stream) last() uint64 {
	for _, b := range slices.Backward(s.blocks) {
		if b.last > 0 {
			return b.last
		}
	}
	return s.deleted
}

// newest is the block that the server writes to; nil where there is none.
func (s *stream) newest() *block {
	if len(s.blocks) == 0 {
		return nil
	}
	return s.blocks[len(s.blocks)-1]
}

// look looks at the files of a stream, but not again at what is known. It is nil where the
// stream has no folder. The error says what could not be read; what is not sound is for the
// caller to find in the blocks, but for settings that are not what was written: errMeta.
func look(server, name string, known *known) (*stream, error) {
	s := &stream{name: name, dir: brokerfile.StreamDir(server, name)}
	_, err := os.Stat(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = s.lookAtBlocks(known)
	}
	if err == nil {
		err = s.readMeta()
	}
	return s, err
}

// errMeta says that a stream's settings are not what was written. The server would
// pass over such a stream, and make a new one in its place.
var errMeta = errors.New("the stream's settings are damaged")

func (s *stream) readMeta() error {
	text, err := os.ReadFile(filepath.Join(s.dir, metaFile))
	if err == nil {
		var sum []byte
		sum, err = os.ReadFile(filepath.Join(s.dir, sumFile))
		if err == nil && string(sum) != metaSum(s.name, text) {
			return fmt.Errorf("%w: %s does not fit %s in %s", errMeta, sumFile, metaFile, s.dir)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s has no %s and %s", errMeta, s.dir, metaFile, sumFile)
	}
	if err != nil {
		return err
	}
	var meta struct {
		Created time.Time     `json:"Created"`
		Name    string        `json:"name"`
		MaxAge  time.Duration `json:"max_age"`
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return fmt.Errorf("%w: %w", errMeta, err)
	}
	s.identity = domain.StreamIdentity{Name: meta.Name, CreatedAt: domain.InstantOf(meta.Created)}
	s.maxAge = meta.MaxAge
	return nil
}

func metaSum(stream string, text []byte) string {
	return hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, brokerfile.NewHash(stream, 0).Sum(text)))
}

func (s *stream) lookAtBlocks(known *known) error {
	numbers, err := brokerfile.Blocks(s.blocksDir())
	if err != nil {
		return err
	}
	blocks := make([]*block, len(numbers))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, number := range numbers {
		group.Go(func() (err error) {
			blocks[i], err = s.lookAtBlock(number, known)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	known.note(blocks[:max(0, len(blocks)-1)]) // the newest one grows
	for _, b := range blocks {
		if b.size > 0 {
			s.blocks = append(s.blocks, b)
		}
		for _, t := range b.tombstones {
			s.know(t)
		}
	}
	s.settle()
	return nil
}

// settle tells what has expired from what was erased.
func (s *stream) settle() {
	s.deleted = 0
	for _, b := range s.blocks {
		for _, sequence := range b.deleted {
			if _, erased := s.erased[sequence]; !erased {
				s.deleted = max(s.deleted, sequence)
			}
		}
	}
}

func (s *stream) lookAtBlock(number int, known *known) (*block, error) {
	b := &block{path: brokerfile.BlockPath(s.blocksDir(), number), number: number}
	data, done, err := mapFile(b.path)
	if err != nil {
		return nil, err
	}
	defer done()
	b.size = int64(len(data))
	h := brokerfile.NewHash(s.name, number)
	if !known.isBlock(b, h, data) {
		b.examine(h, data, s.name == eventlog.WebhooksStream)
	}
	return b, nil
}

// examine reads a block to its end, or to the first record that is not sound.
func (b *block) examine(h *brokerfile.Hash, data []byte, ofWebhooks bool) {
	b.subjects = brokerfile.Subjects{}
	var (
		r      brokerfile.Record // one for all: there are millions
		length int
		ok     bool
	)
	for b.sound < b.size {
		r, length, ok = brokerfile.ReadRecord(h, data[b.sound:])
		if !ok || ofWebhooks && r.IsMessage() && !b.takeWebhook(&r, length) {
			return
		}
		b.take(&r)
		b.sound += int64(length)
	}
}

// mapFile gives the content of a file, which nobody may cut meanwhile, until done is
// called. Reading it into memory would take as long as looking at it.
func mapFile(path string) (data []byte, done func(), err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return nil, func() {}, err
	}
	data, err = unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE)
	return data, func() { _ = unix.Munmap(data) }, err // it is no use to know that it failed
}

// takeWebhook takes a record of a webhook, or tells that it is none: where the subject
// ends in it is under no checksum.
func (b *block) takeWebhook(r *brokerfile.Record, length int) bool {
	messages := b.subjects[string(r.Subject)]
	if messages == nil {
		subject := string(r.Subject)
		if _, _, _, ok := eventlog.ParseSubject(subject); !ok {
			return false
		}
		messages = new(uint64)
		b.subjects[subject] = messages
	}
	*messages++
	b.bytes += uint64(length)
	if b.firstAt == 0 {
		b.firstAt = r.StoredAt
	}
	b.lastAt = r.StoredAt
	b.takeErasure(r)
	return true
}

func (b *block) take(r *brokerfile.Record) {
	if !r.IsMessage() {
		b.deleted = append(b.deleted, r.Sequence&^(brokerfile.ErasedFlag|brokerfile.DeletedFlag))
		return
	}
	if b.last > 0 && r.Sequence != b.last+1 {
		b.gaps = append(b.gaps, gap{b.last + 1, max(b.last+1, r.Sequence-1)})
	}
	if b.first == 0 {
		b.first = r.Sequence
	}
	b.last = r.Sequence
	b.outline += archive.OutlineOf(r.Sequence, r.StoredAt, len(r.Body))
}

// outlineTo gives the outline of the webhooks up to a stream sequence, from the first
// that a block holds, and of all erased ones.
func (s *stream) outlineTo(sequence uint64) (sum archive.Outline, err error) {
	for at, e := range s.erased {
		if at <= sequence && !s.holds(at) {
			sum += e.outline
		}
	}
	for _, b := range s.blocks {
		switch {
		case b.last <= sequence:
			sum += b.outline
		case b.first <= sequence:
			err = s.records(b, func(r *brokerfile.Record) bool {
				if r.Sequence <= sequence {
					sum += archive.OutlineOf(r.Sequence, r.StoredAt, len(r.Body))
				}
				return r.Sequence <= sequence
			})
		}
	}
	return sum, err
}

// records visits the messages of a block, up to the first record that is not sound
// or until visit gives false.
func (s *stream) records(b *block, visit func(*brokerfile.Record) bool) error {
	data, err := os.ReadFile(b.path)
	if err != nil {
		return err
	}
	h := brokerfile.NewHash(s.name, b.number)
	for at := 0; at < len(data); {
		r, length, ok := brokerfile.ReadRecord(h, data[at:])
		if !ok || r.IsMessage() && !visit(&r) {
			break
		}
		at += length
	}
	return nil
}
