package archive

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
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
}

// Look reads the segments of an archive and compares their sums and checksums. A
// folder that is not there is an archive that is empty. Segments that are not
// whole, or that do not follow one another, are a [*DamageError], and what was
// whole before the damage is returned beside it.
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
	return look(dir, paths, known)
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
	a := &Archive{dir: dir}
	for i := range paths {
		err := a.add(segments[i]) // of a damaged one whose it is, and what it holds before the damage
		if err = cmp.Or(errs[i], err); err != nil {
			return a, err
		}
	}
	return a, nil
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
	if len(a.segments) > 0 {
		before := a.segments[len(a.segments)-1]
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

// Stream gives the stream that this is the archive of; the zero identity where it
// is empty.
func (a *Archive) Stream() domain.StreamIdentity {
	if len(a.segments) == 0 {
		return domain.StreamIdentity{}
	}
	return a.segments[0].stream
}

// Before gives the mark of what came before the archive's first webhook: the zero
// Mark unless its oldest segments were removed.
func (a *Archive) Before() Mark {
	if len(a.segments) == 0 {
		return Mark{}
	}
	return a.segments[0].before
}

// Last gives the mark of the archive's last webhook.
func (a *Archive) Last() Mark {
	if len(a.segments) == 0 {
		return Mark{}
	}
	return a.segments[len(a.segments)-1].last
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

// Read gives the webhooks of an archive from a stream sequence on, in order, and
// checks all that they rest on. It ends with the last whole group, or after an
// error: a [*DamageError] where the archive is not what was written.
func Read(dir string, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := read(dir, from, func(e Entry) error {
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

// read reads the segments from the one that holds a stream sequence on.
func read(dir string, from uint64, each func(Entry) error) error {
	paths, err := list(dir)
	if err != nil {
		return err
	}
	codec, err := newCodec()
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	defer codec.close()
	for len(paths) > 1 && paths[1] <= pathOf(dir, from) {
		paths = paths[1:] // all of the first is before
	}
	a := &Archive{dir: dir}
	for i, path := range paths {
		found, err := codec.examine(path, i+1 == len(paths), each)
		if err == nil {
			err = a.add(found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Find gives those of some webhooks that an archive has, in order; their stream sequences
// are given in order too. Each of their segments is read whole and checked as Read does
// it. What is removed meanwhile is not found. It ends after an error.
func Find(dir string, sequences []uint64) iter.Seq2[*domain.Webhook, error] {
	return func(yield func(*domain.Webhook, error) bool) {
		err := find(dir, sequences, func(e Entry) error {
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
func find(dir string, sequences []uint64, each func(Entry) error) error {
	paths, err := list(dir)
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
		if _, err := codec.examine(paths[at], at+1 == len(paths), each); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
