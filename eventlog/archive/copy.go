package archive

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// Copy copies an archive up to its last whole group into a folder, which it makes, and
// gives the mark that the copy ends with. It may be written to meanwhile. What Copy
// returns without an error for is on disk and sound.
func Copy(from, to string) (Mark, error) {
	if err := copySegments(from, to); err != nil {
		return Mark{}, fmt.Errorf("copy the archive: %w", err)
	}
	copied, err := Look(to)
	if err != nil {
		return Mark{}, err
	}
	if copied.Torn() > 0 {
		newest := copied.segments[len(copied.segments)-1]
		if err := cutTo(newest.path, newest.size); err != nil {
			return Mark{}, fmt.Errorf("copy the archive: %w", err)
		}
	}
	return copied.Last(), nil
}

// copySegments copies each segment as it is when its turn comes, the oldest first, and
// the newest again as long as others have followed it: so where a webhook was erased
// in one of them meanwhile, the tombstone is in one that is copied later.
func copySegments(from, to string) error {
	if _, err := Look(from); err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	newest := ""
	for {
		paths, err := list(from)
		if err != nil {
			return err
		}
		if len(paths) == 0 || paths[len(paths)-1] == newest {
			return eventlog.SyncFile(to)
		}
		for _, path := range paths {
			if path < newest {
				continue
			}
			copied := filepath.Join(to, filepath.Base(path))
			if path == newest {
				err = os.Remove(copied)
			}
			if err == nil {
				err = eventlog.CopyFile(path, copied)
			}
			if err != nil {
				return err
			}
		}
		newest = paths[len(paths)-1]
	}
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

func cutTo(path string, size int64) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Truncate(size), file.Sync(), file.Close())
}
