package archive

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/domain"
)

// Copy copies an archive up to its last whole group into a folder, which it makes, and
// gives the mark that the copy ends with. It may be written to meanwhile. What Copy
// returns without an error for is on disk and sound.
func Copy(from, to string) (Mark, error) {
	found, err := Look(from)
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	if err != nil {
		return Mark{}, fmt.Errorf("copy the archive: %w", err)
	}
	for _, s := range found.segments {
		if err := copyFile(s.path, filepath.Join(to, filepath.Base(s.path)), s.size); err != nil {
			return Mark{}, fmt.Errorf("copy the archive: %w", err)
		}
	}
	if err := syncFolder(to); err != nil {
		return Mark{}, fmt.Errorf("copy the archive: %w", err)
	}
	copied, err := Look(to)
	if err != nil {
		return Mark{}, err
	}
	return copied.Last(), nil
}

// Add adds webhooks that follow one another to the end of an archive, and makes it if
// there is none. What it returns without an error for is on disk.
func Add(dir string, stream domain.StreamIdentity, webhooks iter.Seq2[Entry, error]) (err error) {
	w, err := Open(dir, stream)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	var group []Entry
	bytes := 0
	for e, err := range webhooks {
		if err != nil {
			return err
		}
		if bytes += len(e.Body); len(group) == mostInGroup || len(group) > 0 && bytes > segmentText {
			if err := w.Append(group); err != nil {
				return err
			}
			group, bytes = group[:0], len(e.Body)
		}
		if len(group) == 0 {
			w.startAt(e.StreamSequence)
		}
		group = append(group, e)
	}
	if len(group) == 0 {
		return nil
	}
	return w.Append(group)
}

func copyFile(from, to string, size int64) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(target, source, size)
	return errors.Join(err, target.Sync(), target.Close())
}
