package brokerfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// StreamDir gives the folder of a stream in that of the server.
func StreamDir(server, stream string) string {
	return filepath.Join(server, "jetstream", "$G", "streams", stream)
}

// BlocksDir gives the folder of the blocks in that of their stream.
func BlocksDir(stream string) string { return filepath.Join(stream, "msgs") }

// BlockPath gives the path of a block in the folder of the blocks.
func BlockPath(dir string, number int) string {
	return filepath.Join(dir, fmt.Sprintf("%d.blk", number))
}

// Blocks gives the numbers of the blocks in a folder, in order; none where there is no
// such folder.
func Blocks(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var numbers []int
	for _, entry := range entries {
		var number int
		_, err := fmt.Sscanf(entry.Name(), "%d.blk", &number)
		if err == nil && entry.Name() == filepath.Base(BlockPath(dir, number)) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// IsCurrent tells whether an open block is still the one by its name: the server puts
// another one in its place where much of it was erased, and none where all has expired.
func IsCurrent(block *os.File) (bool, error) {
	named, err := os.Stat(block.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	opened, openedErr := block.Stat()
	if err := cmp.Or(err, openedErr); err != nil {
		return false, err
	}
	return os.SameFile(named, opened), nil
}
