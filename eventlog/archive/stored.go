package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// mostFetched is how many segments out of the store are kept in memory, compressed: who
// reads single webhooks reads those of an order one after the other.
const mostFetched = 4

// Stored is an archive whose sealed segments are in a store too, or there alone. It reads
// both as one archive. It is safe for concurrent use; only one process may change it.
type Stored struct {
	dir   string
	store Store

	changing sync.Mutex // held while something is put into the store, or replaced there

	mu      sync.Mutex
	ledger  *ledger
	fetched []fetched // the newest last
}

// fetched is an object of the store that was read.
type fetched struct {
	object
	content []byte
}

// OpenStored opens the archive in a folder with its store.
func OpenStored(dir string, store Store) (*Stored, error) {
	ledger, err := readLedger(dir)
	return &Stored{dir: dir, store: store, ledger: ledger}, err
}

// Read gives the webhooks of an archive from a stream sequence on, as the function Read
// does of one that is in its folder alone.
func (s *Stored) Read(ctx context.Context, from uint64) iter.Seq2[Entry, error] {
	return entries(reading{s, ctx}, from)
}

// Find gives those of some webhooks that an archive has, as the function Find does.
func (s *Stored) Find(ctx context.Context, sequences []uint64) iter.Seq2[*domain.Webhook, error] {
	return webhooks(reading{s, ctx}, sequences)
}

// Last gives the last webhook that is in the store; 0 where none is.
func (s *Stored) Last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.last().StreamSequence
}

// Trimmed gives up to which webhook the stream may have been trimmed; 0 where it was not.
func (s *Stored) Trimmed() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.trimmed
}

// span says which webhooks are in the store: those between two marks.
type span struct {
	stream       domain.StreamIdentity
	before, last Mark
	trimmed      uint64
}

// span gives what the ledger says now of all objects together.
func (s *Stored) span() (span, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.ledger.refresh()
	return span{s.ledger.stream, s.ledger.first(), s.ledger.last(), s.ledger.trimmed}, err
}

// known gives a copy of what the ledger says now.
func (s *Stored) known() (ledger, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.ledger.refresh()
	now := *s.ledger
	now.objects = slices.Clone(now.objects)
	return now, err
}

// object gives what the ledger says now of the object that begins with a stream sequence.
func (s *Stored) object(first uint64) (object, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.ledger.refresh()
	if o := s.ledger.find(first); err == nil && o != nil {
		return *o, true, nil
	}
	return object{}, false, err
}

// reading is one reading of an archive with its store, for a place.
type reading struct {
	*Stored
	ctx context.Context
}

func (r reading) list() ([]string, error) {
	paths, err := list(r.dir)
	if err != nil {
		return nil, err
	}
	known, err := r.known()
	if err != nil {
		return nil, err
	}
	for _, o := range known.objects {
		paths = append(paths, pathOf(r.dir, o.before.StreamSequence+1))
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

func (r reading) content(path string) ([]byte, error) {
	data, err := folder(r.dir).content(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	o, found, known := r.object(firstOf(path))
	if known != nil || !found {
		return nil, errors.Join(err, known)
	}
	return r.fetch(r.ctx, o)
}

// digits is how many a stream sequence has in a name.
const digits = 20

// firstOf gives the stream sequence that the name of a segment, or of an object, begins
// with; 0 where it does not.
func firstOf(path string) uint64 {
	name := filepath.Base(path)
	first, _ := strconv.ParseUint(name[:min(len(name), digits)], 10, 64)
	return first
}

// fetch gives the content of an object, which is what was put there.
func (s *Stored) fetch(ctx context.Context, o object) ([]byte, error) {
	if content := s.recall(o); content != nil {
		return content, nil
	}
	content, err := s.store.Get(ctx, o.name)
	if errors.Is(err, fs.ErrNotExist) {
		return s.fetchOther(ctx, o)
	}
	if err != nil {
		return nil, s.away(err)
	}
	if sumOf(content) != o.sum {
		return nil, s.damage(o, "its SHA-256 is not that of what was put there")
	}
	s.remember(o, content)
	return content, nil
}

// fetchOther gives the content of the object that has taken the place of another one, by
// an erasure that the ledger does not know of: it was put back from a backup. The two have
// the same marks.
func (s *Stored) fetchOther(ctx context.Context, o object) ([]byte, error) {
	names, err := s.store.List(ctx, stem(o))
	if err != nil {
		return nil, s.away(err)
	}
	if now, found, err := s.object(o.before.StreamSequence + 1); err != nil || found && now.name != o.name {
		return nil, errors.Join(err, fmt.Errorf("%w: webhooks were erased from %s just now", eventlog.ErrUnavailable, o.name))
	}
	for _, name := range names {
		content, err := s.store.Get(ctx, name)
		if err != nil {
			return nil, s.away(err)
		}
		if found, err := examineSealed(name, content); err == nil && found.before == o.before && found.last == o.last {
			return content, nil
		}
	}
	return nil, s.damage(o, "it is not there")
}

// examineSealed reads a whole segment, which must be sealed, by the stream sequence that
// its name begins with.
func examineSealed(name string, content []byte) (segment, error) {
	codec, err := newCodec()
	if err != nil {
		return segment{}, err
	}
	defer codec.close()
	return codec.examineData(pathOf(filepath.Dir(name), firstOf(name)), content, false, passing, nil)
}

func (s *Stored) recall(o object) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.fetched {
		if f.name == o.name {
			return f.content
		}
	}
	return nil
}

func (s *Stored) remember(o object, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fetched) == mostFetched {
		s.fetched = slices.Delete(s.fetched, 0, 1)
	}
	s.fetched = append(s.fetched, fetched{o, content})
}

// forget has an object that was replaced read by nobody any more.
func (s *Stored) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetched = slices.DeleteFunc(s.fetched, func(f fetched) bool { return f.name == name })
}

// away says that the store does not answer.
func (s *Stored) away(err error) error {
	return fmt.Errorf("%w: the archive's store %s: %w", eventlog.ErrUnavailable, s.store, err)
}

func (s *Stored) damage(o object, what string) error {
	return &DamageError{File: filepath.Join(s.store.String(), o.name), Err: errors.New(what)}
}

// put has a sealed segment in the store: what was put there is read again, and only then
// it is noted.
func (s *Stored) put(ctx context.Context, found segment, content []byte) error {
	o := objectOf(found, content)
	if err := s.store.Put(ctx, o.name, content); err != nil {
		return s.away(err)
	}
	there, err := s.store.Get(ctx, o.name)
	if err != nil {
		return s.away(err)
	}
	if sumOf(there) != o.sum {
		return s.damage(o, "it reads otherwise than it was put there")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.addObject(found.stream, o)
}

func objectOf(found segment, content []byte) object {
	o := object{size: int64(len(content)), sum: sumOf(content), before: found.before, last: found.last}
	o.name = stem(o) + o.sum[:16] + suffix
	return o
}

// stem begins the names of all objects that hold the same webhooks. What follows says which
// content it is.
func stem(o object) string {
	return fmt.Sprintf("%0*d-", digits, o.before.StreamSequence+1)
}

// putSegment puts a segment of the folder into the store, if it is not there.
func (s *Stored) putSegment(ctx context.Context, path string) error {
	s.changing.Lock() // what an erasure takes out of the segment must not come there after it
	defer s.changing.Unlock()
	if _, found, err := s.object(firstOf(path)); err != nil || found {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	found, err := examineSealed(path, content)
	if err == nil {
		err = s.checkPlace(ctx)
	}
	if err == nil {
		// An erasure looks only for what is noted: what a crash has left must not outlast it.
		err = s.removeOthers(ctx, objectOf(found, content))
	}
	if err != nil {
		return err
	}
	return s.put(ctx, found, content)
}

// noteTrimmed has it on disk that the stream may be trimmed up to a stream sequence.
func (s *Stored) noteTrimmed(to uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.noteTrimmed(to)
}

// drop removes what is in the store from the folder: the segments whose webhooks the
// stream does not have any more.
func (s *Stored) drop() error {
	paths, err := list(s.dir)
	if err != nil {
		return err
	}
	known, err := s.span()
	for i := 0; i+1 < len(paths) && err == nil && firstOf(paths[i+1])-1 <= known.trimmed; i++ {
		err = os.Remove(paths[i])
	}
	return err
}
