package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// Copy copies an archive's folder up to its last whole group into another one, which it
// makes, and gives the mark that the copy ends with. What is in the store alone stays
// there: of it comes the ledger. It may be written to meanwhile. What Copy
// returns without an error for is on disk and sound.
func Copy(from, to string) (Mark, error) {
	err := copySegments(from, to)
	if err == nil {
		err = CopyLedger(from, to) // only now: what has left the folder meanwhile is in it
	}
	if err != nil {
		return Mark{}, fmt.Errorf("copy the archive: %w", err)
	}
	copied, err := Look(to)
	if err == nil {
		err = copied.checkEnd()
	}
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

// CopyLedger copies what an archive's folder says of its store into another folder, which
// it makes. Where nothing is in a store it does nothing.
func CopyLedger(from, to string) error {
	text, err := os.ReadFile(filepath.Join(from, LedgerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	if err == nil {
		path := filepath.Join(to, LedgerFile)
		_, err = eventlog.ReplaceFile(path, path+partial, text[:bytes.LastIndexByte(text, '\n')+1])
	}
	if err != nil {
		return fmt.Errorf("copy what is in the archive's store: %w", err)
	}
	return nil
}

// copySegments copies each segment as it is when its turn comes, the oldest first, and
// the newest again as long as others have followed it: so where a webhook was erased
// in one of them meanwhile, the tombstone is in one that is copied later. One that leaves
// the folder meanwhile has left it after all that are older.
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
			if errors.Is(err, fs.ErrNotExist) {
				err = removeTo(to, path)
			}
			if err != nil {
				return err
			}
		}
		newest = paths[len(paths)-1]
	}
}

// removeTo removes the segments from a folder up to one by its name.
func removeTo(dir, path string) error {
	paths, err := list(dir)
	for _, older := range paths {
		if filepath.Base(older) < filepath.Base(path) {
			err = errors.Join(err, os.Remove(older))
		}
	}
	return err
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
