package eventlog

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The disk is never filled to the last byte: the read model, the stream's own
// index files and the machine need room too. The reserve is a twentieth of the
// disk, and not more than maxReserve.
const (
	reserveShare = 20
	maxReserve   = 2 << 30
)

// room gives the bytes that the folder may come to hold: what its files take
// now, and what is free on its disk less a reserve.
func room(dir string) (int64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, fmt.Errorf("ask for the disk space of %s: %w", dir, err)
	}
	total := int64(disk.Blocks) * disk.Bsize
	free := int64(disk.Bavail) * disk.Bsize
	used, err := size(dir)
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", dir, err)
	}
	return used + max(0, free-min(total/reserveShare, maxReserve)), nil
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

// syncNames makes the names of new files durable. The server syncs what its
// files hold but not the folders that name them.
func syncNames(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync the names of %s: %w", dir, err)
	}
	defer folder.Close()
	if err := unix.Syncfs(int(folder.Fd())); err != nil {
		return fmt.Errorf("sync the names of %s: %w", dir, err)
	}
	return nil
}
