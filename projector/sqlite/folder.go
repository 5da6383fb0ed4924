package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ticketrail/ticketrail/domain"
)

// pointerName is the file that names the read model in use. A read model is put
// in the place of another by replacing this one small file: renaming a database
// over another would leave its write-ahead log to the wrong one.
const pointerName = "CURRENT"

// Folder holds the versions of a read model, each in a file of its own that is
// never renamed: the current one, the one before it, and while a rebuild goes on
// the next one. Files that the pointer does not name are remains of a rebuild
// that did not end, and are removed when the folder is opened.
//
// A Folder belongs to the one process that has locked the data folder, and is safe for
// concurrent use there: who rebuilds an order revises it beside who makes another read model.
type Folder struct {
	dir string

	mu      sync.Mutex
	pointer pointer
}

// pointer is the content of the pointer file, which holds it as JSON with the
// CRC-32C of that behind it.
type pointer struct {
	Current  string `json:"current"`
	Previous string `json:"previous,omitempty"` // what a rollback goes back to
	Last     int    `json:"last"`               // number of the newest file ever named
	// CompleteAt is as Aim was given it; 0 where it never was.
	CompleteAt uint64 `json:"complete_at,omitempty"`
	// RevisedAt is as Revise was given it; 0 where it never was.
	RevisedAt uint64 `json:"revised_at,omitempty"`
	// ForgottenAt is as Forgotten was given it; 0 where it never was.
	ForgottenAt uint64 `json:"forgotten_at,omitempty"`
}

// OpenFolder opens the folder, makes it if there is none, and clears it of what
// no pointer names. It returns domain.ErrDamaged where the pointer is not what was
// written: see [StartOver].
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open read-model folder: %w", err)
	}
	f := &Folder{dir: dir}
	var err error
	if f.pointer, err = readPointer(dir); errors.Is(err, fs.ErrNotExist) {
		err = f.point(pointer{Current: fileName(1), Last: 1})
	}
	if err != nil {
		return nil, fmt.Errorf("open read-model folder %s: %w", dir, err)
	}
	return f, f.Clean()
}

// The reasons for which a folder is started over: how the names begin of what is put
// aside.
const (
	Damaged  = "damaged-"
	Outdated = "outdated-"
)

// StartOver opens a folder whose pointer, or whose read model in use, is damaged or
// outdated: a new file is current, to be made from the stream. What was there is no
// longer named, but not removed: it bears a name that begins with the reason from now
// on, since a stream that has forgotten its first webhooks could not make it again.
func StartOver(dir, reason string) (*Folder, error) {
	f := &Folder{dir: dir}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("start the read-model folder over: %w", err)
	}
	last := 0
	for _, entry := range entries {
		database := databaseOf(entry.Name())
		last = max(last, numberOf(strings.TrimPrefix(strings.TrimPrefix(database, Damaged), Outdated)))
		if !isModel(database) {
			continue
		}
		if err := os.Rename(f.path(entry.Name()), f.path(reason+entry.Name())); err != nil {
			return nil, fmt.Errorf("start the read-model folder over: %w", err)
		}
	}
	if err := f.point(pointer{Current: fileName(last + 1), Last: last + 1}); err != nil {
		return nil, fmt.Errorf("start the read-model folder over: %w", err)
	}
	return f, nil
}

// Adopt makes a folder without a read model one whose read model in use is a copy that was
// opened with [OpenCopy], which it moves. What was told of it elsewhere, up to its
// checkpoint, is revised: see [Folder.Revise]. It is complete where the stream ended: see [Folder.Aim].
func Adopt(dir, path string, checkpoint, completeAt uint64) error {
	f := &Folder{dir: dir}
	first := pointer{Current: fileName(1), Last: 1, RevisedAt: checkpoint, CompleteAt: completeAt}
	if err := os.Rename(path, f.path(first.Current)); err != nil {
		return fmt.Errorf("adopt a read model: %w", err)
	}
	if err := f.point(first); err != nil { // which has the other name on disk, too
		return fmt.Errorf("adopt a read model: %w", err)
	}
	return nil
}

// CurrentIn gives the path of the read model in use in a folder, which may be
// another process's: nothing in it is changed. Where it has none, the error wraps
// fs.ErrNotExist.
func CurrentIn(dir string) (string, error) {
	p, err := readPointer(dir)
	if err != nil {
		return "", fmt.Errorf("look into read-model folder %s: %w", dir, err)
	}
	return filepath.Join(dir, p.Current), nil
}

func readPointer(dir string) (p pointer, err error) {
	content, err := os.ReadFile(filepath.Join(dir, pointerName))
	if err != nil {
		return p, err
	}
	text, sum, _ := strings.Cut(string(content), " ")
	if sum != pointerSum(text) {
		return p, fmt.Errorf("%w: %s does not fit its sum", domain.ErrDamaged, pointerName)
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, fmt.Errorf("%w: %s: %w", domain.ErrDamaged, pointerName, err)
	}
	return p, p.check()
}

func pointerSum(text string) string {
	return fmt.Sprintf("%08x\n", crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli)))
}

func (p pointer) check() error {
	for _, name := range []string{p.Current, p.Previous} {
		if name != "" && (name != filepath.Base(name) || !isModel(name)) {
			return fmt.Errorf("%w: %s names what is no read model of the folder", domain.ErrDamaged, pointerName)
		}
	}
	if p.Current == "" {
		return fmt.Errorf("%w: %s names no read model", domain.ErrDamaged, pointerName)
	}
	return nil
}

// Dir gives the path of the folder.
func (f *Folder) Dir() string { return f.dir }

// Current gives the path of the read model in use.
func (f *Folder) Current() string { return f.path(f.now().Current) }

// CurrentNumber gives the number under which Next gave the read model in use; 1
// for the first one.
func (f *Folder) CurrentNumber() int { return numberOf(f.now().Current) }

func (f *Folder) now() pointer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pointer
}

// change replaces the pointer by what an act makes of it.
func (f *Folder) change(act func(*pointer)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pointer
	act(&p)
	return f.point(p)
}

// Aim remembers up to which stream sequence a read model has to come that is made from
// the beginning of the stream: before, it would deny orders that there are, also after
// another start.
func (f *Folder) Aim(completeAt uint64) error {
	if err := f.change(func(p *pointer) { p.CompleteAt, p.RevisedAt = completeAt, completeAt }); err != nil {
		return fmt.Errorf("remember when the read model is complete: %w", err)
	}
	return nil
}

// CompleteAt gives the stream sequence of the last Aim; 0 where there was none.
func (f *Folder) CompleteAt() uint64 { return f.now().CompleteAt }

// Revise remembers up to which stream sequence the read model in use, or one that is about
// to come into use, may have other orders than were told before: see domain.Revision.
func (f *Folder) Revise(streamSequence uint64) error {
	if err := f.change(func(p *pointer) { p.RevisedAt = streamSequence }); err != nil {
		return fmt.Errorf("remember a revision of the read model: %w", err)
	}
	return nil
}

// RevisedAt gives the stream sequence of the last Revise, or of the Aim at a read model
// that was made from the beginning since; 0 where there was neither.
func (f *Folder) RevisedAt() uint64 { return f.now().RevisedAt }

// Forgotten remembers that nothing beside the read model in use holds any more what the
// tombstones up to a stream sequence erased.
func (f *Folder) Forgotten(streamSequence uint64) error {
	if err := f.change(func(p *pointer) { p.ForgottenAt = streamSequence }); err != nil {
		return fmt.Errorf("remember what was forgotten: %w", err)
	}
	return nil
}

// ForgottenAt gives the stream sequence of the last Forgotten; 0 where there was none.
func (f *Folder) ForgottenAt() uint64 { return f.now().ForgottenAt }

// Previous gives the path of the read model that was in use before, if it is
// still there.
func (f *Folder) Previous() (path string, ok bool) {
	previous := f.now().Previous
	if previous == "" {
		return "", false
	}
	path = f.path(previous)
	_, err := os.Stat(path)
	return path, err == nil
}

// DropPrevious removes the read model that was in use before.
func (f *Folder) DropPrevious() error {
	path, ok := f.Previous()
	err := f.change(func(p *pointer) { p.Previous = "" })
	if err == nil && ok {
		err = f.Discard(path)
	}
	return err
}

// Next gives the path of a new read model, and its number. The name was never
// used before, so nothing of an older file can be taken for a part of it.
func (f *Folder) Next() (path string, number int, err error) {
	err = f.change(func(p *pointer) {
		p.Last++
		number = p.Last
	})
	return f.path(fileName(number)), number, err
}

// Switch makes the read model at path, which was opened with [Open], the current one,
// and the current one the previous one. After an error the current one is what it was.
// After a crash the one or the other is current, and both are there. What was previous
// before is left to Clean.
func (f *Folder) Switch(path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pointer
	p.Current, p.Previous = filepath.Base(path), p.Current
	_, err := os.Stat(path)
	if err == nil {
		err = f.point(p)
	}
	// Once the pointer is replaced there is no way back: that its name could not be
	// synced leaves open which of the two a power cut leaves current.
	if err != nil && f.pointer != p {
		return fmt.Errorf("switch read model: %w", err)
	}
	return nil
}

// point replaces the pointer, so that the old or the new one survives any crash; who calls
// it has the lock, or the Folder to itself. It was replaced, whatever the error, where f.pointer is p afterwards.
func (f *Folder) point(p pointer) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	temporary := f.path(pointerName + ".tmp")
	if err := os.WriteFile(temporary, fmt.Appendf(text, " %s", pointerSum(string(text))), 0o600); err != nil {
		return err
	}
	if err := syncFile(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, f.path(pointerName)); err != nil {
		return err
	}
	f.pointer = p
	return syncFile(f.dir)
}

// Clean removes the files of read models that the pointer does not name, and a
// pointer that was not put in place.
func (f *Folder) Clean() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("clean read-model folder: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		database := databaseOf(entry.Name())
		named := slices.Contains([]string{f.pointer.Current, f.pointer.Previous}, database)
		if isModel(database) && !named || entry.Name() == pointerName+".tmp" {
			errs = append(errs, os.Remove(f.path(entry.Name())))
		}
	}
	return errors.Join(errs...)
}

// Discard removes a read model that is not in use.
func (f *Folder) Discard(path string) error {
	var errs []error
	for _, suffix := range append([]string{""}, companions...) {
		if err := os.Remove(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

const (
	filePrefix = "model-"
	fileSuffix = ".sqlite"
)

// companions are the ends of the names of what SQLite keeps beside a database:
// the journal only while a new one is being made.
var companions = []string{walSuffix, "-shm", "-journal"}

const walSuffix = "-wal"

func fileName(number int) string { return fmt.Sprintf("%s%06d%s", filePrefix, number, fileSuffix) }

// numberOf gives the number in a name that fileName gave, 0 for any other.
func numberOf(name string) int {
	number, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, filePrefix), fileSuffix))
	return number
}

func isModel(name string) bool {
	return strings.HasPrefix(name, filePrefix) && strings.HasSuffix(name, fileSuffix)
}

// databaseOf gives the name of the database that a file is, or is a companion of.
func databaseOf(name string) string {
	for _, suffix := range companions {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

func (f *Folder) path(name string) string { return filepath.Join(f.dir, name) }

// syncFile has a file's content, or a folder's names, on disk when it returns.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
