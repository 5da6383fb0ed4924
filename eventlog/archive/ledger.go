package archive

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// LedgerFile is the name of the file that tells, in the folder of an archive, what is in its store, and up to where the
// stream was trimmed. A line is added when what it says is so, and none is ever changed.
const LedgerFile = "stored.jsonl"

// object is a sealed segment in the store.
type object struct {
	name         string
	size         int64
	sum          string // SHA-256 of all of it, hexadecimal
	before, last Mark
}

// ledger is what the lines of a ledger say that have been read.
type ledger struct {
	path    string
	read    int64 // bytes, of whole lines
	stream  domain.StreamIdentity
	objects []object // each follows the one before
	trimmed uint64   // the stream may lack what is up to this stream sequence
}

// ledgerLine is a line; it holds one of the three.
type ledgerLine struct {
	Stream  *ledgerHead `json:"stream,omitempty"`
	Stored  *ledgerItem `json:"stored,omitempty"`
	Trimmed uint64      `json:"trimmed_to,omitempty"`
}

// ledgerHead is the first line.
type ledgerHead struct {
	Version   int            `json:"version"`
	Name      string         `json:"name"`
	CreatedAt domain.Instant `json:"created_at"`
}

// ledgerItem tells of an object. A later one of the same webhooks takes its place.
type ledgerItem struct {
	Object string `json:"object"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Before mark   `json:"before"`
	Last   mark   `json:"last"`
}

// readLedger reads the ledger in the folder of an archive. Where there is none, nothing is
// in a store.
func readLedger(dir string) (*ledger, error) {
	l := &ledger{path: filepath.Join(dir, LedgerFile)}
	return l, l.refresh()
}

// NoteTrimmed has it on disk, in the folder of an archive, that a stream may begin after a
// stream sequence, if all up to there are in the store.
func NoteTrimmed(dir string, to uint64) error {
	l, err := readLedger(dir)
	if err != nil || to > l.last().StreamSequence {
		return err
	}
	return l.noteTrimmed(to)
}

// noteTrimmed has that on disk, if it is not.
func (l *ledger) noteTrimmed(to uint64) error {
	if to <= l.trimmed {
		return nil
	}
	return l.add(l.stream, ledgerLine{Trimmed: to})
}

// last gives the mark of the last webhook that is in the store.
func (l *ledger) last() Mark {
	if len(l.objects) == 0 {
		return Mark{}
	}
	return l.objects[len(l.objects)-1].last
}

// first gives the mark of what came before the first webhook that is in the store.
func (l *ledger) first() Mark {
	if len(l.objects) == 0 {
		return Mark{}
	}
	return l.objects[0].before
}

// find gives the object that begins with a stream sequence; nil where there is none.
func (l *ledger) find(first uint64) *object {
	at, found := slices.BinarySearchFunc(l.objects, first, func(o object, first uint64) int {
		return cmp.Compare(o.before.StreamSequence+1, first)
	})
	if !found {
		return nil
	}
	return &l.objects[at]
}

// holding gives the object that has a webhook; nil where none has.
func (l *ledger) holding(streamSequence uint64) *object {
	at, _ := slices.BinarySearchFunc(l.objects, streamSequence, func(o object, sequence uint64) int {
		return cmp.Compare(o.last.StreamSequence, sequence)
	})
	if at == len(l.objects) || l.objects[at].before.StreamSequence >= streamSequence {
		return nil
	}
	return &l.objects[at]
}

// refresh reads the lines that have come since. The last one may be torn by a crash, or
// not be whole yet: what it says is not so.
func (l *ledger) refresh() error {
	file, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what is in the archive's store: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, l.read, 1<<62))
	if err != nil {
		return fmt.Errorf("read what is in the archive's store: %w", err)
	}
	for row := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) {
		if err := l.take(row); err != nil {
			return &DamageError{File: l.path, Offset: l.read, Err: err}
		}
		l.read += int64(len(row))
	}
	return nil
}

func (l *ledger) take(row []byte) error {
	var line ledgerLine
	if err := json.Unmarshal(row, &line); err != nil {
		return errLine
	}
	switch {
	case l.read == 0 && line.Stream != nil && line.Stream.Version == version:
		l.stream = domain.StreamIdentity{Name: line.Stream.Name, CreatedAt: line.Stream.CreatedAt}
	case l.read > 0 && line.Stored != nil:
		return l.takeObject(line.Stored)
	case l.read > 0 && line.Trimmed > l.trimmed && line.Trimmed <= l.last().StreamSequence:
		l.trimmed = line.Trimmed
	default:
		return errLine
	}
	return nil
}

func (l *ledger) takeObject(i *ledgerItem) error {
	before, err := i.Before.read()
	if err != nil {
		return err
	}
	last, err := i.Last.read()
	if err != nil {
		return err
	}
	if last.StreamSequence <= before.StreamSequence {
		return errLine
	}
	next := object{i.Object, i.Size, i.SHA256, before, last}
	switch former := l.find(before.StreamSequence + 1); {
	case former != nil && former.before == before && former.last == last:
		*former = next
	case former == nil && (len(l.objects) == 0 || before == l.last()):
		l.objects = append(l.objects, next)
	default:
		return fmt.Errorf("the object %s does not follow the one before it", i.Object)
	}
	return nil
}

// add has lines on disk, in the place of a torn one.
func (l *ledger) add(stream domain.StreamIdentity, lines ...ledgerLine) (err error) {
	if err := l.refresh(); err != nil {
		return err
	}
	var text []byte
	if l.read == 0 {
		lines = append([]ledgerLine{{Stream: &ledgerHead{version, stream.Name, stream.CreatedAt}}}, lines...)
	}
	for _, line := range lines {
		if text, err = appendLine(text, line); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = file.Truncate(l.read)
	if err == nil {
		_, err = file.WriteAt(text, l.read)
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = eventlog.SyncFile(filepath.Dir(l.path))
	}
	if err != nil {
		return fmt.Errorf("note what is in the archive's store: %w", err)
	}
	return l.refresh()
}

// addObject has it on disk that an object is in the store.
func (l *ledger) addObject(stream domain.StreamIdentity, o object) error {
	return l.add(stream, ledgerLine{Stored: &ledgerItem{
		Object: o.name, Size: o.size, SHA256: o.sum, Before: markOf(o.before), Last: markOf(o.last),
	}})
}
