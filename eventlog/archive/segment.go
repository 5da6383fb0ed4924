package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
)

// version is the form's. A segment of another one is not read.
const version = 1

// suffix ends the name of every segment. The rest of it is the stream sequence of
// its first webhook, in twenty digits, so that the names sort as the webhooks do.
const suffix = ".jsonl.zst"

func segmentName(first uint64) string { return fmt.Sprintf("%020d%s", first, suffix) }

// DamageError says where an archive is not as it was written.
type DamageError struct {
	File   string // its path
	Offset int64  // in bytes
	Err    error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("the archive's segment %s is damaged at byte %d: %v", e.File, e.Offset, e.Err)
}

// Unwrap gives what was found there.
func (e *DamageError) Unwrap() error { return e.Err }

// segment is what a look at a file found.
type segment struct {
	path   string
	stream domain.StreamIdentity
	before Mark  // what the segments before it end with
	last   Mark  // of its last whole group; before where it has none
	size   int64 // in bytes, of what is whole
	text   int64 // the same, decompressed; not counted in one that is sealed
	torn   int64 // bytes after size, of a group that a crash has torn
	sealed bool
}

// list gives the paths of an archive's segments in order; none where there is no
// archive. What has another name than a segment, as an object of a store has, is none.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look into the archive: %w", err)
	}
	var paths []string
	for _, entry := range entries {
		if name := entry.Name(); name == segmentName(firstOf(name)) {
			paths = append(paths, filepath.Join(dir, entry.Name()))
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// segmentOf gives which of an archive's segments has the place of a webhook; -1 where
// it comes before all of them, and was forgotten.
func segmentOf(paths []string, streamSequence uint64) int {
	at, begins := slices.BinarySearchFunc(paths, segmentName(streamSequence), func(path, name string) int {
		return strings.Compare(filepath.Base(path), name)
	})
	if !begins {
		at--
	}
	return at
}

// examine reads a segment, and every webhook in it, or those in the groups alone that have
// one which is wanted.
func (c *codec) examine(of place, path string, newest bool, wanted []uint64, each func(Entry) error) (segment, error) {
	data, err := of.content(path)
	if err != nil {
		return segment{}, err
	}
	x := &examination{codec: c, data: data, newest: newest, each: each, wanted: wanted, segment: segment{path: path}}
	return x.all()
}

// examineData reads a segment. Of a sealed one it compares the sum, if it is not known,
// and of an open one the checksum of each group. With each, every webhook is read, and
// the chain that they give is compared with the marks. Only the newest segment may be
// open, or have a torn end.
func (c *codec) examineData(path string, data []byte, newest bool, each func(Entry) error, known Known) (segment, error) {
	x := &examination{codec: c, data: data, newest: newest, each: each, known: known, segment: segment{path: path}}
	return x.all()
}

// examination is the reading of one segment: the bytes before size have been read.
type examination struct {
	segment
	*codec
	data   []byte
	newest bool
	each   func(Entry) error
	wanted []uint64 // stream sequences, in order; nil where all are
	known  Known    // nil where nothing is
	room   []byte   // for one group after the other
}

func (x *examination) damaged(what string) error {
	return &DamageError{File: x.path, Offset: x.size, Err: errors.New(what)}
}

func (x *examination) all() (segment, error) {
	err := x.read()
	if err == nil && !x.newest && !x.sealed {
		err = x.damaged("it is not sealed, and another one follows")
	}
	return x.segment, err
}

func (x *examination) read() error {
	for x.size < int64(len(x.data)) {
		rest := x.data[x.size:]
		length, err := frameLength(rest)
		if err != nil {
			return x.tear()
		}
		text, err := x.decoder.DecodeAll(rest[:length], x.room[:0])
		if err != nil {
			return x.tear()
		}
		if err := x.take(text); err != nil {
			return err
		}
		x.room = text
		x.size, x.text = x.size+int64(length), x.text+int64(len(text))
		if x.size == int64(length) && x.each == nil && x.skip() {
			return nil
		}
	}
	if x.size == 0 {
		return x.tear()
	}
	return nil
}

// tear takes the rest for a torn end, if it can be one: what a crash leaves is at
// the end of the newest segment, and holds no whole frame.
func (x *examination) tear() error {
	rest := x.data[x.size:]
	if !x.newest || x.sealed || len(rest) > 0 && x.anyFrame(rest[1:]) {
		return x.damaged("no whole group begins here")
	}
	x.torn = int64(len(rest))
	return nil
}

// skip goes to the end of a sealed segment if its sum is right: that vouches for
// all groups. Otherwise reading goes on, and finds where the damage is.
func (x *examination) skip() bool {
	at := bytes.LastIndex(x.data, frameMagic)
	text, err := x.decompress(x.data[at:])
	if err != nil || !bytes.HasPrefix(text, sealStart) {
		return false
	}
	l, err := parseLine(firstLine(text))
	if err != nil || !x.isKnown() && l.Seal.SHA256 != sumOf(x.data[:at]) {
		return false
	}
	x.last, err = l.Seal.read()
	x.size, x.sealed = int64(len(x.data)), err == nil
	return err == nil
}

func (x *examination) isKnown() bool { return x.known != nil && x.known(filepath.Base(x.path), x.data) }

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// take reads what a frame holds: the head, a group or the seal.
func (x *examination) take(text []byte) error {
	switch {
	case x.size == 0:
		return x.takeHead(text)
	case x.sealed:
		return x.damaged("it goes on after its seal")
	case bytes.HasPrefix(text, sealStart):
		return x.takeSeal(text)
	}
	return x.takeGroup(text)
}

func (x *examination) takeHead(text []byte) error {
	l, err := parseLine(firstLine(text))
	switch {
	case err != nil:
		return x.damaged(err.Error())
	case l.Segment == nil:
		return x.damaged("it does not begin as a segment")
	case l.Segment.Version != version:
		return x.damaged(fmt.Sprintf("its form is version %d, and this program reads %d", l.Segment.Version, version))
	}
	x.stream = domain.StreamIdentity{Name: l.Segment.Stream, CreatedAt: l.Segment.CreatedAt}
	x.before, err = l.Segment.Before.read()
	switch {
	case err != nil:
		return x.damaged(err.Error())
	case filepath.Base(x.path) != segmentName(x.before.StreamSequence+1):
		return x.damaged("it has the name of another segment")
	}
	x.last = x.before
	return nil
}

func (x *examination) takeSeal(text []byte) error {
	l, err := parseLine(firstLine(text))
	if err != nil || l.Seal.mark != markOf(x.last) || l.Seal.SHA256 != sumOf(x.data[:x.size]) {
		return x.damaged("it is not what was sealed")
	}
	x.sealed = true
	return nil
}

// takeGroup reads a group up to its mark.
func (x *examination) takeGroup(text []byte) error {
	end := lastLine(text)
	l, err := parseLine(end)
	if err != nil || l.Mark == nil {
		return x.damaged("a group without a mark")
	}
	marked, err := l.Mark.read()
	if err != nil {
		return x.damaged(err.Error())
	}
	if x.each != nil && x.wants(marked.StreamSequence) {
		if err := x.takeWebhooks(text[:len(text)-len(end)-1]); err != nil {
			return err
		}
		if x.last != marked {
			return x.damaged(fmt.Sprintf("the webhooks up to stream sequence %d are not those of the mark", marked.StreamSequence))
		}
	}
	if marked.StreamSequence <= x.before.StreamSequence {
		return x.damaged("a mark that is behind the one before")
	}
	x.last = marked
	return nil
}

// wants tells whether the group up to a stream sequence has a webhook that is wanted.
func (x *examination) wants(to uint64) bool {
	at, _ := slices.BinarySearch(x.wanted, x.last.StreamSequence+1)
	return x.wanted == nil || at < len(x.wanted) && x.wanted[at] <= to
}

func (x *examination) takeWebhooks(text []byte) error {
	for row := range bytes.Lines(text) {
		w, err := parseWebhook(row)
		if err != nil || w.StreamSequence != x.last.StreamSequence+1 {
			return x.damaged(fmt.Sprintf("no webhook with stream sequence %d", x.last.StreamSequence+1))
		}
		entry := w.entry()
		x.last = x.last.After(entry)
		if err := x.each(entry); err != nil {
			return err
		}
	}
	return nil
}
