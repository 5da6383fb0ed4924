package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

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
func Look(dir string) (*Archive, error) {
	return look(dir, 0, nil)
}

// look looks at the segments from the one that holds a stream sequence on.
func look(dir string, from uint64, each func(Entry) error) (*Archive, error) {
	paths, err := list(dir)
	if err != nil {
		return nil, err
	}
	codec, err := newCodec()
	if err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	defer codec.close()
	for len(paths) > 1 && paths[1] <= pathOf(dir, from) {
		paths = paths[1:] // all of the first is before
	}
	a := &Archive{dir: dir}
	for found, err := range codec.examineAll(paths, each) {
		if err != nil {
			_ = a.add(found) // whose it is, and what it holds before the damage
			return a, err
		}
		if err := a.add(found); err != nil {
			return a, err
		}
	}
	return a, nil
}

// examineAll examines segments, and gives them in order: one after the other where
// each webhook is wanted, and else as many at once as there are processors.
func (c *codec) examineAll(paths []string, each func(Entry) error) iter.Seq2[segment, error] {
	examine := func(i int) (segment, error) { return c.examine(paths[i], i+1 == len(paths), each) }
	return func(yield func(segment, error) bool) {
		if each != nil {
			for i := range paths {
				if !yield(examine(i)) {
					return
				}
			}
			return
		}
		segments, errs := make([]segment, len(paths)), make([]error, len(paths))
		var group errgroup.Group
		group.SetLimit(runtime.GOMAXPROCS(0))
		for i := range paths {
			group.Go(func() error {
				segments[i], errs[i] = examine(i)
				return nil
			})
		}
		_ = group.Wait() // each has an error of its own
		for i := range paths {
			if !yield(segments[i], errs[i]) {
				return
			}
		}
	}
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
		_, err := look(dir, from, func(e Entry) error {
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
