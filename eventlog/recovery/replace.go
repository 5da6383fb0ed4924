package recovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ticketrail/ticketrail/eventlog"
)

// Swap is a folder that was made to take the place of another one.
type Swap struct {
	// Made is the new folder, whole; empty where nothing takes the place.
	Made string `json:"made,omitempty"`
	// Place is where it goes. What is there is set aside.
	Place string `json:"place"`
}

// Making ends the name of a folder that is being made beside the one whose place it is to
// take. [Check] removes what a crash has left of it.
const Making = ".making"

// intentionFile stands beside the server's folder from when all folders are made until
// all are in place. It holds its swaps as JSON, with paths that a move of the data
// folder leaves right.
const intentionFile = "REPLACING"

// Replace puts folders in the place of others, which are set aside. After a crash
// before it has begun none is replaced; after a later one [Check] does the rest, so
// that nobody meets a mixture. Before it begins the new ones are on disk. It gives where
// the former folders are.
func Replace(files Files, swaps ...Swap) (aside []string, err error) {
	for _, s := range swaps {
		err := Movable(s.Place)
		if err == nil && s.Made != "" {
			err = errors.Join(eventlog.SyncTree(s.Made), eventlog.SyncFile(filepath.Dir(s.Made)))
		}
		if err != nil {
			return nil, fmt.Errorf("replace folders: %w", err)
		}
	}
	if err := files.intend(swaps); err != nil {
		return nil, fmt.Errorf("replace folders: %w", err)
	}
	return files.finish()
}

// Unfinished tells whether folders were being replaced when the program that did it
// ended. Check does the rest.
func Unfinished(files Files) bool {
	_, err := os.Stat(files.intention())
	return err == nil
}

// Finish does what a replacement that was cut short has left to do. It must be done
// under the lock of the data folder.
func Finish(files Files) error {
	_, err := files.finish()
	return err
}

func (f Files) root() string { return filepath.Dir(f.Server) }

func (f Files) intention() string { return filepath.Join(f.root(), intentionFile) }

// Movable refuses a folder on which a disk is mounted: it cannot take another name, and
// so not be replaced.
func Movable(dir string) error {
	within, err := device(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	above, err2 := device(filepath.Dir(dir))
	switch {
	case errors.Join(err, err2) != nil:
		return errors.Join(err, err2)
	case within != above:
		return fmt.Errorf("%s cannot be replaced, since a disk is mounted there: use a folder on that disk instead", dir)
	}
	return nil
}

// intend has it on disk what is about to be done.
func (f Files) intend(swaps []Swap) error {
	moved := make([]Swap, len(swaps))
	for i, s := range swaps {
		moved[i] = Swap{f.relative(s.Made), f.relative(s.Place)}
	}
	text, err := json.Marshal(moved)
	if err != nil {
		return err
	}
	_, err = eventlog.ReplaceFile(f.intention(), f.intention()+".tmp", text)
	return err
}

// relative gives a path from the data folder, where it is in it.
func (f Files) relative(path string) string {
	if path == "" {
		return ""
	}
	if within, err := filepath.Rel(f.root(), path); err == nil && filepath.IsLocal(within) {
		return within
	}
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

func (f Files) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.root(), path)
}

// finish does what was intended and was not done yet.
func (f Files) finish() (aside []string, err error) {
	text, err := os.ReadFile(f.intention())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var swaps []Swap
	if err == nil {
		err = json.Unmarshal(text, &swaps)
	}
	if err != nil {
		return nil, fmt.Errorf("replace folders: %w", err)
	}
	for _, s := range swaps {
		to, err := Swap{f.absolute(s.Made), f.absolute(s.Place)}.do(f.Aside)
		if err != nil {
			return aside, fmt.Errorf("replace folders: %w", err)
		}
		if to != "" {
			aside = append(aside, to)
		}
	}
	return aside, errors.Join(os.Remove(f.intention()), eventlog.SyncFile(f.root()))
}

// clear removes folders that were being made, and were not whole, when the program ended.
func (f Files) clear() error {
	entries, err := os.ReadDir(f.root())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var made []string
	if f.Archive != "" {
		made = []string{f.Archive + Making}
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), Making) {
			made = append(made, filepath.Join(f.root(), entry.Name()))
		}
	}
	for _, dir := range made {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// do replaces one folder, unless that was done. It gives where the former one is.
func (s Swap) do(aside string) (to string, err error) {
	if s.Made != "" && !exists(s.Made) {
		if !exists(s.Place) {
			return "", fmt.Errorf("neither %s nor %s is there", s.Made, s.Place)
		}
		return "", nil
	}
	if exists(s.Place) {
		if to, err = SetAside(s.Place, aside); err != nil {
			return "", err
		}
	}
	if s.Made == "" {
		return to, nil
	}
	if err := os.MkdirAll(filepath.Dir(s.Place), 0o700); err != nil {
		return to, err
	}
	if err := os.Rename(s.Made, s.Place); err != nil {
		return to, err
	}
	return to, errors.Join(eventlog.SyncFile(filepath.Dir(s.Place)), eventlog.SyncFile(filepath.Dir(s.Made)))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// SetAside moves a folder to the folder of what is kept aside, and gives its new
// place. It is for who makes something anew in its stead. Where that folder is on
// another disk the new place is beside the old one.
func SetAside(dir, aside string) (string, error) {
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return "", err
	}
	from, err := device(dir)
	to, err2 := device(aside)
	if err := errors.Join(err, err2); err != nil {
		return "", err
	}
	place := filepath.Join(aside, filepath.Base(dir))
	if from != to {
		place = dir
	}
	place += "-" + time.Now().UTC().Format("20060102T150405.000000000Z")
	if err := os.Rename(dir, place); err != nil {
		return "", err
	}
	return place, errors.Join(eventlog.SyncFile(filepath.Dir(dir)), eventlog.SyncFile(filepath.Dir(place)))
}

// device tells which disk a file is on.
func device(path string) (uint64, error) {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		return 0, &fs.PathError{Op: "look at", Path: path, Err: err}
	}
	return stat.Dev, nil
}
