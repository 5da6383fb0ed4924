package archive

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

const (
	// defaultSegmentSize is in bytes.
	defaultSegmentSize = 8 << 20
	// segmentText is what a segment may hold decompressed, in bytes: all of the open one
	// is decompressed at each start.
	segmentText = 32 << 20
)

// Writer adds to an archive. It must be used by one goroutine at a time, in the one
// process that has locked the data folder.
type Writer struct {
	// SegmentSize is when a segment is full, in bytes; 8 MiB where it is 0. It is to be
	// set before the first Append.
	SegmentSize int64

	dir    string
	stream domain.StreamIdentity
	codec  *codec
	file   *os.File // the open segment; nil before the first group and after an error
	open   segment  // what of it is on disk
	lines  []byte   // of the last group: room for the next one
	erased uint64   // every erasure up to this stream sequence has been worked off
}

// Open opens an archive to add to it, and makes it if there is none, for its owner
// only. What a crash has torn is cut off, and what is there is on disk then, whatever
// became of the syncs before. It returns a [*DamageError] for an archive
// that is not what was written, and an error for one of another stream.
func Open(dir string, stream domain.StreamIdentity) (*Writer, error) {
	found, err := Look(dir)
	if err != nil {
		return nil, err
	}
	return Continue(found, stream)
}

// Continue is Open for an archive that was looked at, and that nobody has written to
// since.
func Continue(found *Archive, stream domain.StreamIdentity) (*Writer, error) {
	dir := found.dir
	if err := found.checkEnd(); err != nil {
		return nil, err
	}
	if found.Stream() != stream && found.Stream() != (domain.StreamIdentity{}) {
		return nil, fmt.Errorf("the archive %s is of the stream %s of %s", dir, found.Stream().Name, found.Stream().CreatedAt)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	codec, err := newCodec()
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	w := &Writer{dir: dir, stream: stream, codec: codec}
	if w.erased, err = lastErased(dir); err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	w.open.last = found.Last() // where all of it is in a store alone
	if n := len(found.segments); n > 0 {
		w.open = found.segments[n-1]
		if err := eventlog.Settle(w.open.path); err != nil {
			return nil, errors.Join(fmt.Errorf("open the archive: %w", err), w.Close())
		}
	}
	if w.erased > w.open.last.StreamSequence {
		w.erased = 0 // it is of another archive
	}
	return w, nil
}

// Last gives the mark of the last webhook.
func (w *Writer) Last() Mark { return w.open.last }

// startAt has a new archive begin with another stream sequence than 1, as that of a
// stream does whose first webhooks have expired.
func (w *Writer) startAt(streamSequence uint64) {
	if w.open.path == "" && w.open.last == (Mark{}) {
		w.open.last.StreamSequence = streamSequence - 1
	}
}

// Append writes webhooks that follow the last one, as one group. When it returns
// without an error they are on disk. After an error the archive is what it was, and
// it may be tried again.
func (w *Writer) Append(entries []Entry) error {
	lines, last, err := w.group(entries)
	if err == nil {
		err = w.ready()
	}
	if err == nil {
		err = w.write(w.codec.frame(lines))
	}
	if err != nil {
		return fmt.Errorf("archive: %w", errors.Join(err, w.closeFile()))
	}
	w.open.last, w.open.text = last, w.open.text+int64(len(lines))
	return nil
}

// group gives the lines of a group, which are good until the next one, and its mark.
func (w *Writer) group(entries []Entry) (lines []byte, last Mark, err error) {
	lines, last = roomIn(w.lines), w.open.last
	for _, e := range entries {
		if e.StreamSequence != last.StreamSequence+1 {
			return nil, last, fmt.Errorf("webhook %d does not follow %d", e.StreamSequence, last.StreamSequence)
		}
		last = last.After(e)
		if lines, err = appendWebhook(lines, e); err != nil {
			return nil, last, err
		}
	}
	w.lines = appendMark(lines, last)
	return w.lines, last, nil
}

// ready has a segment to write to: the open one, or a new one in the place of one
// that is full.
func (w *Writer) ready() error {
	full := w.open.size >= cmp.Or(w.SegmentSize, defaultSegmentSize) || w.open.text >= segmentText
	if full && !w.open.sealed {
		if err := w.reopen(); err != nil {
			return err
		}
		if err := w.seal(); err != nil {
			return err
		}
	}
	if w.open.sealed || w.open.size == 0 {
		return w.begin()
	}
	return w.reopen()
}

// reopen opens the open segment where it is not, and cuts off what is not whole.
func (w *Writer) reopen() (err error) {
	if w.file != nil {
		return nil
	}
	w.file, err = os.OpenFile(w.open.path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return w.file.Truncate(w.open.size)
}

// begin makes the next segment.
func (w *Writer) begin() (err error) {
	if err := w.closeFile(); err != nil {
		return err
	}
	h := head{Version: version, Stream: w.stream.Name, CreatedAt: w.stream.CreatedAt, Before: markOf(w.open.last)}
	frame, err := w.codec.compress(line{Segment: &h})
	if err != nil {
		return err
	}
	path := pathOf(w.dir, w.open.last.StreamSequence+1)
	if w.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return err
	}
	w.open = segment{path: path, stream: w.stream, before: w.open.last, last: w.open.last}
	if err := eventlog.SyncFile(w.dir); err != nil {
		return err
	}
	return w.write(frame)
}

// seal ends the open segment with its sum, of what is on disk.
func (w *Writer) seal() error {
	data, err := os.ReadFile(w.open.path)
	if err != nil {
		return err
	}
	frame, err := w.codec.compress(line{Seal: &seal{mark: markOf(w.open.last), SHA256: sumOf(data)}})
	if err == nil {
		err = w.write(frame)
	}
	w.open.sealed = err == nil
	return err
}

// write appends a frame to the open segment and syncs it.
func (w *Writer) write(frame []byte) error {
	if _, err := w.file.WriteAt(frame, w.open.size); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	w.open.size += int64(len(frame))
	return nil
}

// Forget removes the sealed segments all of whose webhooks are before a stream
// sequence: what the stream itself has forgotten.
func (w *Writer) Forget(before uint64) error {
	paths, err := list(w.dir)
	if err != nil {
		return err
	}
	for i := range len(paths) - 1 {
		if paths[i+1] > pathOf(w.dir, before) {
			break
		}
		if err := os.Remove(paths[i]); err != nil {
			return fmt.Errorf("archive: %w", err)
		}
	}
	return nil
}

// Close closes the file. Nothing is left to be written.
func (w *Writer) Close() error {
	w.codec.close()
	return w.closeFile()
}

// closeFile has the segment opened again, and looked at, by the next group: after an
// error nobody knows what of it the file holds.
func (w *Writer) closeFile() error {
	if w.file == nil {
		return nil
	}
	file := w.file
	w.file = nil
	return file.Close()
}

func pathOf(dir string, first uint64) string { return filepath.Join(dir, segmentName(first)) }
