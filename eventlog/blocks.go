package eventlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// blocks are the files of a stream of the embedded server, for what the server itself
// syncs only now and then. A message is in one of them before it is acknowledged or
// given out. They are numbered, and only the newest grows. It must be used by one
// goroutine at a time.
type blocks struct {
	dir    string
	newest *os.File // nil before the first sync
	number int
	next   string // the path of the one that comes after it
}

func blocksDir(server, stream string) string {
	return brokerfile.BlocksDir(brokerfile.StreamDir(server, stream))
}

func blocksOf(server, stream string) *blocks {
	return &blocks{dir: blocksDir(server, stream)}
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

func (b *blocks) current() (bool, error) {
	if b.newest == nil {
		return false, nil
	}
	return brokerfile.IsCurrent(b.newest)
}

// syncNewest syncs the newest file, and those that have come after it.
func (b *blocks) syncNewest() error {
	for before := b.number; ; {
		if err := b.newest.Sync(); err != nil {
			return err
		}
		next, err := os.Open(b.next)
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
	numbers, err := brokerfile.Blocks(b.dir)
	if err != nil {
		return err
	}
	if len(numbers) > 0 {
		newest := numbers[len(numbers)-1]
		file, err := os.Open(brokerfile.BlockPath(b.dir, newest))
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

func (b *blocks) put(file *os.File, number int) {
	b.close()
	b.newest, b.number = file, number
	b.next = brokerfile.BlockPath(b.dir, number+1)
}

func (b *blocks) close() {
	if b.newest != nil {
		_ = b.newest.Close() // nothing was written through it
		b.newest = nil
	}
}
