package faults_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sector is what a disk writes whole or not at all, in bytes.
const sector = 512

// disk is a file system in memory that keeps apart what a power cut would leave
// of it. The model is ext4's with its defaults:
//
//   - what was written to a file is safe once the file was synced;
//   - names (of what was made, renamed or removed) go through one journal, in the
//     order in which they were changed. To sync a file or a folder commits the journal
//     up to the last change that concerns it, and so all that came before;
//   - everything else is lost, or survives in parts: of each file any of the
//     writes, cut at a sector, and of the journal a beginning.
//
// It is safe for concurrent use.
type disk struct {
	mu      sync.Mutex
	root    *file
	files   uint64   // how many were ever made
	journal []naming // the changes of names that are not committed
	commits int      // how many changes were committed before those
	failing bool     // it cannot sync
	dead    bool     // the power is off

	full, told bool            // it has no more room than for holds bytes, and tells who asks
	holds      int             // bytes, all of it
	delays     []time.Duration // of the syncs to come, in turn
}

// file is a file or a folder.
type file struct {
	number  uint64
	mode    uint32
	changed time.Time
	named   int // how many changes of names there were when the last one concerned it

	content, kept   []byte           // of a file: as it is, and as it was synced
	pending         []writing        // what lies between the two
	names, keptName map[string]*file // of a folder: as it is, and as it was committed
}

// writing is a change of a file's content.
type writing struct {
	at   int64
	data []byte // nil where the file is cut, or drawn out, to at
}

// naming is a change of names: the child leaves one, or comes to have one, or both.
type naming struct {
	from, to         *file
	fromName, toName string
	child            *file
}

func newDisk() *disk {
	d := &disk{}
	d.root = d.newFile(syscall.S_IFDIR | 0o700)
	return d
}

func (d *disk) newFile(mode uint32) *file {
	d.files++
	f := &file{number: d.files, mode: mode, changed: time.Now()}
	if f.isFolder() {
		f.names, f.keptName = map[string]*file{}, map[string]*file{}
	}
	return f
}

func (f *file) isFolder() bool { return f.mode&syscall.S_IFMT == syscall.S_IFDIR }

// powered calls act under the lock, while there is power.
func (d *disk) powered(act func() syscall.Errno) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return syscall.EIO
	}
	return act()
}

// make makes a file or a folder, under the lock.
func (d *disk) make(in *file, name string, mode uint32) *file {
	child := d.newFile(mode)
	d.rename(naming{to: in, toName: name, child: child})
	return child
}

// rename changes names, under the lock.
func (d *disk) rename(n naming) {
	d.journal = append(d.journal, n)
	if n.from != nil {
		delete(n.from.names, n.fromName)
		n.from.named = d.commits + len(d.journal)
	}
	if n.to != nil {
		n.to.names[n.toName] = n.child
		n.to.named = d.commits + len(d.journal)
	}
	n.child.named = d.commits + len(d.journal)
}

// write changes a file's content, under the lock.
func (d *disk) write(f *file, w writing) {
	f.content = w.apply(f.content)
	f.pending = append(f.pending, w)
	f.changed = time.Now()
}

func (w writing) apply(content []byte) []byte {
	end := w.at + int64(len(w.data))
	if w.data == nil && int64(len(content)) > w.at {
		return content[:w.at:w.at]
	}
	if missing := end - int64(len(content)); missing > 0 {
		content = append(content, make([]byte, missing)...)
	}
	copy(content[w.at:], w.data)
	return content
}

// sync has a file's content, and all names up to its own, survive from here on; or,
// where the disk fails, never: as on Linux, what could not be written once is not
// tried again by a later sync. It is called under the lock.
func (d *disk) sync(f *file) syscall.Errno {
	if d.failing {
		f.pending = nil
		return syscall.EIO
	}
	for _, w := range f.pending {
		f.kept = w.apply(f.kept)
	}
	f.pending = nil
	d.commit(f.named - d.commits)
	return 0
}

// commit commits the first changes of names.
func (d *disk) commit(changes int) {
	for _, n := range d.journal[:max(0, changes)] {
		if n.from != nil {
			delete(n.from.keptName, n.fromName)
		}
		if n.to != nil {
			n.to.keptName[n.toName] = n.child
		}
		d.commits++
	}
	d.journal = d.journal[max(0, changes):]
}

// fail has every sync fail from now on, or none any more.
func (d *disk) fail(failing bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failing = failing
}

// fill leaves so many bytes of room. A disk that does not tell is as one with a quota.
func (d *disk) fill(room int, told bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full, d.told, d.holds = true, told, d.root.size()+room
}

// free gives all the room back.
func (d *disk) free() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = false
}

// size gives the bytes of a file, or of all that a folder holds.
func (f *file) size() int {
	sum := len(f.content)
	for _, child := range f.names {
		sum += child.size()
	}
	return sum
}

// fits tells how many bytes of a write there is room for, under the lock.
func (d *disk) fits(f *file, at int64, length int) int {
	if !d.full {
		return length
	}
	room := int64(max(0, d.holds-d.root.size()))
	return int(min(int64(length), max(0, int64(len(f.content))+room-at)))
}

// slow has syncs take times that are given in turn, or none.
func (d *disk) slow(delays ...time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delays = delays
}

// delay takes the time that the next sync has to take.
func (d *disk) delay() {
	d.mu.Lock()
	var next time.Duration
	if len(d.delays) > 0 {
		next = d.delays[0]
		d.delays = append(d.delays[1:], next)
	}
	d.mu.Unlock()
	<-time.After(next)
}

// cut switches the power off: from now on every call fails.
func (d *disk) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
}

// survivor gives the disk as it is when the power is on again: all that was not
// synced is gone; or, torn, parts of it survive.
func (d *disk) survivor(random *rand.Rand, torn bool) *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	if torn {
		d.commit(random.IntN(len(d.journal) + 1))
	}
	after := newDisk()
	after.root = after.adopt(d.root, random, torn)
	return after
}

func (d *disk) adopt(f *file, random *rand.Rand, torn bool) *file {
	copied := d.newFile(f.mode)
	for _, name := range slices.Sorted(maps.Keys(f.keptName)) {
		child := d.adopt(f.keptName[name], random, torn)
		copied.names[name], copied.keptName[name] = child, child
	}
	content := slices.Clone(f.kept)
	for _, w := range f.pending {
		if torn && random.IntN(2) == 0 {
			content = w.tear(random).apply(content)
		}
	}
	copied.content, copied.kept = slices.Clone(content), content
	return copied
}

// tear gives what of a write came to the disk: a beginning of it, to the end of a
// sector.
func (w writing) tear(random *rand.Rand) writing {
	if w.data == nil {
		return w
	}
	whole := random.IntN(len(w.data)/sector+2) * sector
	return writing{at: w.at, data: w.data[:min(whole, len(w.data))]}
}

// export writes what a folder of the disk holds to a real one, which it makes: its
// files, and not its folders.
func (d *disk) export(name, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.root
	for part := range strings.SplitSeq(name, "/") {
		if at = at.names[part]; at == nil {
			return fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for name, f := range at.names {
		if f.isFolder() {
			continue
		}
		if err := os.WriteFile(filepath.Join(to, name), f.content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
