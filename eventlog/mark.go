package eventlog

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// MarkFile is a file of ours in a stream's folder. The server leaves it alone.
	MarkFile = "synced"
	// markEvery is how old a mark may be.
	markEvery = time.Second
)

// mark keeps, beside a stream, how far it is on disk. After a power cut it tells what
// the system had not written yet, and may have in parts, from what was on disk once:
// that must be whole. It is behind by a second at the most, or by some with SyncPage.
type mark struct {
	dir  string // of the stream
	last uint64
}

// keep writes the mark again and again, until ctx ends, and then once more.
func (m *mark) keep(ctx context.Context, reached func() uint64) {
	tick := time.NewTicker(markEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		if now := reached(); now > m.last && m.raise(now) == nil {
			m.last = now // one that could not be written only says less
		}
	}
}

// raise writes the mark where it says less: what a run has seen synced may be no more than
// what its readers have come to.
func (m *mark) raise(sequence uint64) error {
	said, _, err := SyncedTo(m.dir)
	if err != nil || sequence <= said {
		return err
	}
	return writeMark(m.dir, ".tmp", sequence)
}

// markSynced begins the mark of a stream that is on disk up to its last sequence. A
// server that syncs by itself has none: of what it writes one message can be torn.
func markSynced(dir string, sync Sync, last uint64) error {
	if sync == SyncEach {
		err := os.Remove(filepath.Join(dir, MarkFile))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return cmp.Or(err, SyncFile(dir))
	}
	return writeMark(dir, ".new", last) // the life may be writing its own
}

func writeMark(dir, temporary string, sequence uint64) error {
	path := filepath.Join(dir, MarkFile)
	_, err := ReplaceFile(path, path+temporary, markText(sequence))
	return err
}

// SyncedTo gives the sequence up to which the files in a stream's folder were on disk
// when its embedded server ran last, and whether that is known: with SyncGroup it is, and
// is at least what was acknowledged until a second before the end, with SyncPage until some
// seconds before.
func SyncedTo(dir string) (sequence uint64, known bool, err error) {
	text, err := os.ReadFile(filepath.Join(dir, MarkFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read how far the stream is synced: %w", err)
	}
	_, err = fmt.Sscan(string(text), &sequence)
	if err != nil || !bytes.Equal(text, markText(sequence)) {
		return 0, false, nil // damaged, it says nothing
	}
	return sequence, true, nil
}

// markText is what the file holds: the sequence, and a sum of it.
func markText(sequence uint64) []byte {
	line := fmt.Appendln(nil, sequence)
	return fmt.Appendf(line, "%08x\n", crc32.ChecksumIEEE(line))
}
