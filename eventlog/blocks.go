package eventlog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// blocks are the files of a stream of the embedded server, for what the server itself
// syncs only now and then. A message is in one of them before it is acknowledged or
// given out. They are numbered, and only the newest grows. It must be used by one
// goroutine at a time.
type blocks struct {
	dir    string
	newest *os.File // nil before the first sync
	number int
}

// BlocksDir is the folder of a stream's blocks, in that of the stream.
const BlocksDir = "msgs"

// StreamDir gives the folder of a stream in that of the embedded server.
func StreamDir(server, stream string) string {
	return filepath.Join(server, "jetstream", "$G", "streams", stream)
}

// BlockName names a block's file.
func BlockName(number int) string { return fmt.Sprintf("%d.blk", number) }

// BlockNumbers gives the numbers of the blocks in a folder in order; none where it is not
// there.
func BlockNumbers(dir string) (numbers []int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		var number int
		if _, err := fmt.Sscanf(entry.Name(), "%d.blk", &number); err == nil && entry.Name() == BlockName(number) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func blocksOf(server, stream string) *blocks {
	return &blocks{dir: filepath.Join(StreamDir(server, stream), BlocksDir)}
}

// sync has on disk all that the stream has written, by content and by name.
func (b *blocks) sync() error {
	current, err := b.current()
	switch {
	case err != nil:
	case current:
		err = b.syncNewest()
	default:
		err = b.syncAll()
	}
	if err != nil {
		return fmt.Errorf("sync the stream: %w", err)
	}
	return nil
}

// current tells whether the newest file is still the one by its name: the server puts
// another one in its place where much of it was erased.
func (b *blocks) current() (bool, error) {
	if b.newest == nil {
		return false, nil
	}
	named, err := os.Stat(b.newest.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	open, openErr := b.newest.Stat()
	if err := cmp.Or(err, openErr); err != nil {
		return false, err
	}
	return os.SameFile(named, open), nil
}

// syncNewest syncs the newest file, and those that have come after it.
func (b *blocks) syncNewest() error {
	for before := b.number; ; {
		if err := b.newest.Sync(); err != nil {
			return err
		}
		next, err := os.Open(b.path(b.number + 1))
		switch {
		case err == nil:
			b.put(next, b.number+1)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		case b.number > before:
			return SyncFile(b.dir)
		default:
			return nil
		}
	}
}

// syncAll is sync that relies on nothing that was synced before. The newest file is looked
// for first, so that its name is on disk too: who syncs it later looks at its content only.
func (b *blocks) syncAll() error {
	b.close()
	numbers, err := BlockNumbers(b.dir)
	if err != nil {
		return err
	}
	if len(numbers) > 0 {
		newest := numbers[len(numbers)-1]
		file, err := os.Open(b.path(newest))
		if err != nil {
			return err
		}
		b.put(file, newest)
		if err := b.syncNewest(); err != nil {
			return err
		}
	}
	return SyncTree(b.dir)
}

func (b *blocks) path(number int) string { return filepath.Join(b.dir, BlockName(number)) }

func (b *blocks) put(file *os.File, number int) {
	b.close()
	b.newest, b.number = file, number
}

func (b *blocks) close() {
	if b.newest != nil {
		_ = b.newest.Close() // nothing was written through it
		b.newest = nil
	}
}
