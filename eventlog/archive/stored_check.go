package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// ErrForeign says that a store has objects of which the archive knows nothing: it is
// another archive's, or the archive has lost its ledger, which a backup has.
var ErrForeign = errors.New("the store is another archive's, or " + LedgerFile + " is lost, which the newest backup has: nothing is put there")

// StoreCheck is what a look at every object of a store found.
type StoreCheck struct {
	Objects     int
	First, Last uint64 // stream sequences; zero where there is no object
	// Strays are the names of objects that the archive knows nothing of, as where it was
	// put back from a backup: they may hold what is erased.
	Strays []string
	// Newer is how many of these begin after the last webhook that the archive knows to be in
	// the store: they may be the only copy of what they hold.
	Newer int
}

// Check reads every object of the store, and every webhook in it. Its error says which one
// is not what was put there, a [*DamageError], or that the store does not answer.
func (s *Stored) Check(ctx context.Context) (found StoreCheck, err error) {
	known, err := s.known()
	if err != nil {
		return found, err
	}
	for _, o := range known.objects {
		if err := s.checkObject(ctx, o); err != nil {
			return found, err
		}
	}
	if found.Objects = len(known.objects); found.Objects > 0 {
		found.First, found.Last = known.first().StreamSequence+1, known.last().StreamSequence
	}
	names, err := s.store.List(ctx, "")
	if err != nil {
		return found, s.away(err)
	}
	now, err := s.known() // some may have come, or been replaced
	for _, name := range names {
		same := func(o object) bool { return o.name == name }
		if !slices.ContainsFunc(known.objects, same) && !slices.ContainsFunc(now.objects, same) {
			found.Strays = append(found.Strays, name)
			if firstOf(name) > now.last().StreamSequence {
				found.Newer++
			}
		}
	}
	return found, err
}

// Answers tells why the store does not answer; nil where it does.
func (s *Stored) Answers(ctx context.Context) error {
	if _, err := s.store.List(ctx, stem(object{})); err != nil {
		return s.away(err)
	}
	return nil
}

func (s *Stored) checkObject(ctx context.Context, o object) error {
	s.forget(o.name)
	content, err := s.fetch(ctx, o)
	if err != nil {
		return err
	}
	read, err := examineSealed(o.name, content)
	switch {
	case err != nil:
		return s.damage(o, err.Error())
	case read.before != o.before || read.last != o.last:
		return s.damage(o, "it holds other webhooks than were put there")
	}
	return nil
}

// replenish puts objects into the store again that have been removed from there, of
// segments that are in the folder still.
func (s *Stored) replenish(ctx context.Context) error {
	known, err := s.known()
	if err != nil {
		return err
	}
	names, err := s.store.List(ctx, "")
	if err != nil {
		return s.away(err)
	}
	if len(known.objects) == 0 {
		return s.checkNew(ctx, names)
	}
	for _, o := range known.objects {
		if _, there := slices.BinarySearch(names, o.name); there {
			continue
		}
		if err := s.putAgain(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// checkNew refuses a store that is not new though the archive knows of nothing in it, but
// for what a crash has left of the first segment.
func (s *Stored) checkNew(ctx context.Context, names []string) error {
	paths, err := list(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		own := len(paths) > 0 && firstOf(name) == firstOf(paths[0])
		if own {
			if own, err = s.isOwn(ctx, name); err != nil {
				return err
			}
		}
		if !own {
			return fmt.Errorf("%w: %s has %s", ErrForeign, s.store, name)
		}
	}
	return nil
}

// isOwn tells whether an object is of the stream that the archive's folder is of.
func (s *Stored) isOwn(ctx context.Context, name string) (bool, error) {
	own, _, err := LookNewest(s.dir, 0)
	if err != nil {
		return false, err
	}
	content, err := s.store.Get(ctx, name)
	if err != nil {
		return false, s.away(err)
	}
	found, err := examineSealed(name, content)
	return err == nil && found.stream == own.Stream(), nil
}

// checkPlace finds out that the store is not the place any more that it was, as where a disk
// is not mounted: the newest object is not there.
func (s *Stored) checkPlace(ctx context.Context) error {
	known, err := s.known()
	if err != nil || len(known.objects) == 0 {
		return err
	}
	newest := known.objects[len(known.objects)-1]
	names, err := s.store.List(ctx, stem(newest))
	switch {
	case err != nil:
		return s.away(err)
	case len(names) == 0:
		return s.damage(newest, "it is not there; where all others are gone too, this is another place than it was")
	}
	return nil
}

func (s *Stored) putAgain(ctx context.Context, o object) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	path := pathOf(s.dir, o.before.StreamSequence+1)
	content, err := folder(s.dir).content(path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = s.fetch(ctx, o) // an erasure may have replaced it since
		return err
	}
	if err != nil {
		return err
	}
	found, err := examineSealed(path, content)
	if err == nil && (found.before != o.before || found.last != o.last) {
		err = s.damage(o, "it is not there, and the folder has other webhooks")
	}
	if err != nil {
		return err
	}
	return s.put(ctx, found, content)
}
