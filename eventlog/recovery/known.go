package recovery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

const (
	// knownFile is a file of ours in the folder of the stream of webhooks.
	knownFile = "known"
	// knownRules is to be raised when a look finds what it passed over before: all is
	// looked at once more then.
	knownRules = 1
)

// known is what a former look found of files that do not grow any more, by the digest of
// all that is in them. A file with the same digest has the same bytes, so that what was
// found of it, record by record, is so still: to read it once is enough, and takes a
// quarter of the time. It says nothing of a file with another digest, and may be removed
// at any time.
type known struct {
	dir         string // of the stream
	before, now findings

	examining sync.Mutex // segments are examined several at once
}

// findings are all right: of what is not right nothing is known.
type findings struct {
	Rules    int                `json:"rules"`
	Blocks   map[int]knownBlock `json:"blocks"`   // by number
	Segments map[string]uint64  `json:"segments"` // the digests of the archive's sealed ones, by file name
}

// knownBlock is a block of messages alone, without a gap.
type knownBlock struct {
	Digest   uint64              `json:"digest"`
	First    uint64              `json:"first"`
	Last     uint64              `json:"last"`
	Outline  archive.Outline     `json:"outline"`
	FirstAt  int64               `json:"first_at"`
	LastAt   int64               `json:"last_at"`
	Bytes    uint64              `json:"bytes"`
	Subjects brokerfile.Subjects `json:"subjects"`
}

// readKnown reads what is known of a stream in a folder, and of its archive.
func readKnown(dir string) *known {
	k := &known{dir: dir, now: findings{Rules: knownRules, Blocks: map[int]knownBlock{}, Segments: map[string]uint64{}}}
	text, err := os.ReadFile(filepath.Join(dir, knownFile))
	if err == nil {
		k.before = parseKnown(text)
	}
	return k
}

// parseKnown gives what a text says; nothing where it is not what was written.
func parseKnown(text []byte) (f findings) {
	if line, _, _ := bytes.Cut(text, []byte("\n")); !bytes.Equal(text, withSum(line)) || json.Unmarshal(line, &f) != nil || f.Rules != knownRules {
		return findings{}
	}
	return f
}

// withSum gives what the file holds: a line, and its checksum.
func withSum(line []byte) []byte {
	return fmt.Appendf(nil, "%s\n%016x\n", line, brokerfile.NewHash(knownFile, 0).Sum(line))
}

// isSegment tells whether a segment of the archive is known.
func (k *known) isSegment(name string, content []byte) bool {
	digest := brokerfile.NewHash(name, 0).Sum(content)
	k.examining.Lock()
	defer k.examining.Unlock()
	k.now.Segments[name] = digest // if it is not right nothing is kept
	before, found := k.before.Segments[name]
	return found && before == digest
}

// isBlock tells whether a block is known, and gives it what was found of it then.
func (k *known) isBlock(b *block, h *brokerfile.Hash, content []byte) bool {
	if k == nil {
		return false
	}
	b.digest = h.Sum(content)
	before, found := k.before.Blocks[b.number]
	if !found || before.Digest != b.digest {
		return false
	}
	b.first, b.last, b.outline, b.sound = before.First, before.Last, before.Outline, b.size
	b.firstAt, b.lastAt, b.bytes, b.subjects = before.FirstAt, before.LastAt, before.Bytes, before.Subjects
	return true
}

// note takes what was found of blocks.
func (k *known) note(blocks []*block) {
	if k == nil {
		return
	}
	for _, b := range blocks {
		if b.first > 0 && b.sound == b.size && len(b.deleted)+len(b.gaps)+len(b.tombstones) == 0 {
			k.now.Blocks[b.number] = knownBlock{b.digest, b.first, b.last, b.outline, b.firstAt, b.lastAt, b.bytes, b.subjects}
		}
	}
}

// keep has for the next look what this one has found, which must have found nothing wrong.
func (k *known) keep() error {
	same := func(a, b knownBlock) bool { return a.Digest == b.Digest }
	if maps.EqualFunc(k.now.Blocks, k.before.Blocks, same) && maps.Equal(k.now.Segments, k.before.Segments) {
		return nil
	}
	line, err := json.Marshal(k.now)
	if err == nil {
		path := filepath.Join(k.dir, knownFile)
		_, err = eventlog.ReplaceFile(path, path+".tmp", withSum(line))
	}
	return err
}
