package archive

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ticketrail/ticketrail/domain"
)

// Archive is what a look at the segments of an archive found.
type Archive struct {
	dir      string
	segments []segment
	ledger   *ledger // what of it is in a store
}

// Look reads the segments of an archive and compares their sums and checksums. A
// folder that is not there is an archive that is empty. Segments that are not
// whole, or that do not follow one another, are a [*DamageError], and what was
// whole before the damage is returned beside it. What is in a store is not looked at.
func Look(dir string) (*Archive, error) { return LookAgain(dir, nil) }

// Known tells of a sealed segment, by the name of its file, whether this very content had
// the right sum before. It must not keep the content, and is asked by several goroutines.
type Known func(name string, content []byte) bool

// LookAgain is Look for an archive that was looked at before: the sum of a segment that
// is known, which takes longest, is not made again.
func LookAgain(dir string, known Known) (*Archive, error) {
	paths, err := list(dir)
	if err != nil {
		return nil, err
	}
	a, err := look(dir, paths, known)
	if errors.Is(err, fs.ErrNotExist) && len(paths) > 0 {
		if _, left := os.Stat(paths[0]); errors.Is(left, fs.ErrNotExist) {
			return LookAgain(dir, known) // the oldest has left the folder meanwhile, as what was trimmed does
		}
	}
	return a, err
}

// LookNewest is Look at the newest segments alone, as many as are in so many bytes, and at
// one at the least. It tells how many older ones there are.
func LookNewest(dir string, most int64) (a *Archive, older int, err error) {
	paths, err := list(dir)
	if err != nil {
		return nil, 0, err
	}
	older = len(paths)
	for size := int64(0); older > 0; older-- {
		info, err := os.Stat(paths[older-1])
		if err != nil {
			return nil, 0, fmt.Errorf("read the archive: %w", err)
		}
		if size += info.Size(); size > most && older < len(paths) {
			break
		}
	}
	a, err = look(dir, paths[older:], nil)
	return a, older, err
}

// look looks at segments that follow one another, the newest of which is the last.
func look(dir string, paths []string, known Known) (*Archive, error) {
	codec, err := newCodec()
	if err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	defer codec.close()
	segments, errs := codec.examineAll(paths, known)
	ledger, err := readLedger(dir)
	a := &Archive{dir: dir, ledger: ledger}
	if err != nil {
		return a, err
	}
	for i := range paths {
		err := a.add(segments[i]) // of a damaged one whose it is, and what it holds before the damage
		if err = cmp.Or(errs[i], err); err != nil {
			return a, err
		}
	}
	return a, nil
}

// checkEnd refuses a folder that ends before what is in the store. A copy that was made in
// between is one: what it would go on with is not what the store has. It is for a folder that
// nobody writes to: the ledger is read last.
func (a *Archive) checkEnd() error {
	if len(a.segments) > 0 && a.Last().StreamSequence < a.Stored() {
		newest := a.segments[len(a.segments)-1]
		return &DamageError{File: newest.path, Offset: newest.size, Err: errors.New("it ends before what is in the archive's store")}
	}
	return nil
}

// examineAll examines segments, as many at once as there are processors, and the newest
// first: one that is open takes longest.
func (c *codec) examineAll(paths []string, known Known) (segments []segment, errs []error) {
	segments, errs = make([]segment, len(paths)), make([]error, len(paths))
	var left atomic.Int64
	left.Store(int64(len(paths)))
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(paths)) {
		workers.Go(func() {
			var content bytes.Buffer // of one after the other: new memory takes as long as the reading
			for i := left.Add(-1); i >= 0; i = left.Add(-1) {
				if errs[i] = readFile(paths[i], &content); errs[i] == nil {
					segments[i], errs[i] = c.examineData(paths[i], content.Bytes(), int(i)+1 == len(paths), nil, known)
				}
			}
		})
	}
	workers.Wait()
	return segments, errs
}

// readFile reads a file into a buffer, in place of what is there.
func readFile(path string, into *bytes.Buffer) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil {
		into.Reset()
		into.Grow(int(info.Size()) + bytes.MinRead)
		_, err = into.ReadFrom(file)
	}
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	return nil
}

// add takes the next segment, if it is the one that follows. One that a crash has
// torn before it was begun says nothing, and stands for the one to begin.
func (a *Archive) add(next segment) error {
	before, known := a.endBefore(next.path)
	switch {
	case !known && a.Stored() > 0 && next.before != a.ledger.first():
		return &DamageError{File: next.path, Err: errors.New("it does not follow what is in the archive's store")}
	case known:
		if next.size == 0 {
			next.stream, next.before, next.last = before.stream, before.last, before.last
		}
		if next.stream != before.stream || next.before != before.last {
			return &DamageError{File: next.path, Err: errors.New("it does not follow the segment before it")}
		}
	}
	a.segments = append(a.segments, next)
	return nil
}

// endBefore gives the segment that comes before a file, as far as it is known: of one
// that is in a store alone, whose it is and how it ends.
func (a *Archive) endBefore(path string) (before segment, known bool) {
	if len(a.segments) > 0 {
		return a.segments[len(a.segments)-1], true
	}
	if a.ledger == nil {
		return segment{}, false
	}
	for _, o := range a.ledger.objects {
		if filepath.Base(path) == segmentName(o.last.StreamSequence+1) {
			return segment{stream: a.ledger.stream, last: o.last}, true
		}
	}
	return segment{}, false
}

// Stream gives the stream that this is the archive of; the zero identity where it
// is empty.
func (a *Archive) Stream() domain.StreamIdentity {
	switch {
	case len(a.segments) > 0:
		return a.segments[0].stream
	case a.ledger != nil:
		return a.ledger.stream
	}
	return domain.StreamIdentity{}
}

// Before gives the mark of what came before the archive's first webhook, in its folder or
// in its store: the zero Mark unless its oldest segments were removed.
func (a *Archive) Before() Mark {
	if a.Stored() > 0 {
		return a.ledger.first()
	}
	return a.BeforeFolder()
}

// BeforeFolder gives the mark of what came before the first webhook in the folder.
func (a *Archive) BeforeFolder() Mark {
	if len(a.segments) == 0 {
		return a.Last()
	}
	return a.segments[0].before
}

// Last gives the mark of the archive's last webhook.
func (a *Archive) Last() Mark {
	switch {
	case len(a.segments) > 0:
		return a.segments[len(a.segments)-1].last
	case a.ledger != nil:
		return a.ledger.last()
	}
	return Mark{}
}

// Stored gives the last webhook that is in the archive's store; 0 where none is.
func (a *Archive) Stored() uint64 {
	if a.ledger == nil {
		return 0
	}
	return a.ledger.last().StreamSequence
}

// Trimmed gives up to which webhook the stream may have been trimmed; 0 where it was not.
// All up to there are in the store.
func (a *Archive) Trimmed() uint64 {
	if a.ledger == nil {
		return 0
	}
	return a.ledger.trimmed
}

// BeforeStream gives the mark of what comes before a stream that is made anew of the
// segments in the folder: that it begins earlier than the one which was trimmed, by less
// than a segment, makes no difference.
func (a *Archive) BeforeStream() Mark {
	before := a.BeforeFolder()
	for _, s := range a.segments {
		if s.before.StreamSequence <= a.Trimmed() {
			before = s.before
		}
	}
	return before
}

// Empty tells whether the archive holds no webhook.
func (a *Archive) Empty() bool { return a.Last().StreamSequence == a.Before().StreamSequence }

// Segments gives the number of segments.
func (a *Archive) Segments() int { return len(a.segments) }

// Torn gives how many bytes of a torn group are at the end, which opening the
// archive cuts off.
func (a *Archive) Torn() int64 {
	if len(a.segments) == 0 {
		return 0
	}
	return a.segments[len(a.segments)-1].torn
}

// MarkFrom gives the mark before the first segment that begins with a stream
// sequence or later; ok is false where there is none.
func (a *Archive) MarkFrom(streamSequence uint64) (m Mark, ok bool) {
	for _, s := range a.segments {
		if s.before.StreamSequence+1 >= streamSequence {
			return s.before, true
		}
	}
	return Mark{}, false
}

// errEnough ends a reading before its end.
var errEnough = errors.New("enough was read")

// Read gives the webhooks of an archive's folder from a stream sequence on, in order, and
// checks all that they rest on. It ends with the last whole group, or after an
// error: a [*DamageError] where the archive is not what was written.
func Read(dir string, from uint64) iter.Seq2[Entry, error] { return entries(folder(dir), from) }

func entries(of place, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := read(of, from, func(e Entry) error {
			if e.StreamSequence >= from && !yield(e, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(Entry{}, err)
		}
	}
}

// place is where segments are read.
type place interface {
	// list gives the paths of the segments in order, as they are in the archive's folder or
	// would be.
	list() ([]string, error)
	// content gives the content of one of them.
	content(path string) ([]byte, error)
}

// folder is the archive's folder, for a place.
type folder string

func (dir folder) list() ([]string, error) { return list(string(dir)) }

func (dir folder) content(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	return data, nil
}

// read reads the segments from the one that holds a stream sequence on.
func read(of place, from uint64, each func(Entry) error) error {
	paths, err := of.list()
	if err != nil {
		return err
	}
	codec, err := newCodec()
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	defer codec.close()
	for len(paths) > 1 && filepath.Base(paths[1]) <= segmentName(from) {
		paths = paths[1:] // all of the first is before
	}
	a := &Archive{}
	for i, path := range paths {
		found, err := codec.examine(of, path, i+1 == len(paths), nil, each)
		if err == nil {
			err = a.add(found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Find gives those of some webhooks that an archive's folder has, in order; their stream
// sequences are given in order too. Each of their segments is read whole and checked, and
// their groups as Read does it. What is removed meanwhile is not found. It ends after an error.
func Find(dir string, sequences []uint64) iter.Seq2[*domain.Webhook, error] {
	return webhooks(folder(dir), sequences)
}

func webhooks(of place, sequences []uint64) iter.Seq2[*domain.Webhook, error] {
	return func(yield func(*domain.Webhook, error) bool) {
		err := find(of, sequences, func(e Entry) error {
			if _, wanted := slices.BinarySearch(sequences, e.StreamSequence); !wanted {
				return nil
			}
			if e.Webhook.StoredAt = e.StoredAt; !yield(e.Webhook, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// find reads the segments that hold some webhooks.
func find(of place, sequences []uint64, each func(Entry) error) error {
	paths, err := of.list()
	if err != nil {
		return err
	}
	codec, err := newCodec()
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	defer codec.close()
	read := -1
	for _, sequence := range sequences {
		at := segmentOf(paths, sequence)
		if at == read {
			continue // read before, or forgotten
		}
		read = at
		if _, err := codec.examine(of, paths[at], at+1 == len(paths), sequences, each); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
