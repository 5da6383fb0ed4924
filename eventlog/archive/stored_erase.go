package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/ticketrail/ticketrail/domain"
)

// Erase puts in the place of objects in the store such without the bodies of some
// webhooks, of which it is given what is left, and removes the old ones. The segments in
// the folder have been written anew before. After an error, and after a crash, it is to be
// called again: then it also removes what it has left.
func (s *Stored) Erase(ctx context.Context, webhooks []*domain.Webhook) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	known, err := s.known()
	if err != nil {
		return err
	}
	var objects []object
	erased := map[string]map[uint64]*domain.Webhook{}
	for _, w := range webhooks {
		o := known.holding(w.StreamSequence)
		if o == nil {
			continue
		}
		if erased[o.name] == nil {
			erased[o.name] = map[uint64]*domain.Webhook{}
			objects = append(objects, *o)
		}
		erased[o.name][w.StreamSequence] = w
	}
	for _, o := range objects {
		if err := s.eraseObject(ctx, o, erased[o.name]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stored) eraseObject(ctx context.Context, o object, webhooks map[uint64]*domain.Webhook) error {
	was, err := s.fetch(ctx, o)
	if err != nil {
		return err
	}
	codec, err := newCodec()
	if err != nil {
		return err
	}
	defer codec.close()
	content, changed, err := codec.without(was, webhooks)
	if err == nil && (changed || sumOf(was) != o.sum) {
		err = s.replace(ctx, o, content)
	}
	if err != nil {
		return err
	}
	return s.removeFormer(ctx, o)
}

// replace puts a segment without what was erased into the store.
func (s *Stored) replace(ctx context.Context, was object, content []byte) error {
	is, err := examineSealed(stem(was), content)
	if err == nil && (is.before != was.before || is.last != was.last) {
		err = fmt.Errorf("the object %s without what was erased is not the same", was.name)
	}
	if err != nil {
		return err
	}
	return s.put(ctx, is, content)
}

// removeFormer removes all objects of the same webhooks but the one that the ledger names.
func (s *Stored) removeFormer(ctx context.Context, o object) error {
	now, found, err := s.object(o.before.StreamSequence + 1)
	if err != nil || !found {
		return errors.Join(err, fs.ErrNotExist)
	}
	names, err := s.store.List(ctx, stem(o))
	if err != nil {
		return s.away(err)
	}
	if !slices.Contains(names, now.name) {
		return s.damage(now, "it is not there")
	}
	return s.removeOthers(ctx, now)
}

// removeOthers removes all objects of the same webhooks but one. What begins alike and has
// other webhooks is not this archive's, or is from before it was put back from a backup, and
// nobody else may have these: it stays.
func (s *Stored) removeOthers(ctx context.Context, keep object) error {
	names, err := s.store.List(ctx, stem(keep))
	if err != nil {
		return s.away(err)
	}
	for _, name := range names {
		s.forget(name)
		if name == keep.name {
			continue
		}
		content, err := s.store.Get(ctx, name)
		if err != nil {
			return s.away(err)
		}
		if found, err := examineSealed(name, content); err == nil && (found.before != keep.before || found.last != keep.last) {
			continue
		}
		if err := s.store.Delete(ctx, name); err != nil {
			return s.away(err)
		}
	}
	return nil
}
