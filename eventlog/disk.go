package eventlog

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The disk is never filled to the last byte: the stream's own index files and the
// machine need room too. The reserve is a twentieth of the disk, and not more than
// maxReserve.
const (
	reserveShare = 20
	maxReserve   = 2 << 30
	// maxMinFree is what must be left on the disk for a webhook to be taken, or a
	// twentieth of the disk where that is less: the broker does not recover from a
	// disk that was full until it is started again.
	maxMinFree = 256 << 20
)

// fairShare is the part of the room that a stream takes where it is not told how
// much. The rest is for the archive, which compresses, for the read model, and for the
// one that a rebuild makes beside it.
func fairShare(room int64) int64 { return room / 2 }

// room gives the bytes that the folder may come to hold: what its files take
// now, and what is free on its disk less a reserve.
func room(dir string) (int64, error) {
	total, free, err := disk(dir)
	if err != nil {
		return 0, err
	}
	used, err := size(dir)
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", dir, err)
	}
	return used + max(0, free-min(total/reserveShare, maxReserve)), nil
}

// checkFree returns ErrFull where the folder's disk has less left than minFree
// bytes; 0 stands for what a disk of its size should have.
func checkFree(dir string, minFree int64) error {
	total, free, err := disk(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if least := cmp.Or(minFree, min(total/reserveShare, maxMinFree)); free < least {
		return fmt.Errorf("%w: the disk has %d bytes left, and %d are kept free", ErrFull, free, least)
	}
	return nil
}

// disk gives the bytes of the disk that a folder is on, and those that are free.
func disk(dir string) (total, free int64, err error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, 0, fmt.Errorf("ask for the disk space of %s: %w", dir, err)
	}
	return int64(stat.Blocks) * stat.Bsize, int64(stat.Bavail) * stat.Bsize, nil
}

// size sums up the files of a folder.
func size(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
