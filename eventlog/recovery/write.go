package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// blockSize is where a block ends and the next one begins, in bytes: the server's own
// for a stream of any size worth mentioning.
const blockSize = 8 << 20

// cut cuts off what is not sound at the end of the newest block.
func (s *stream) cut(b *block) error {
	if err := s.forgetIndex(); err != nil {
		return err
	}
	if err := os.Truncate(b.path, b.sound); err != nil {
		return err
	}
	b.size = b.sound
	return eventlog.SyncFile(b.path)
}

// overwrite erases webhooks in a block. After a crash the block is as it was, or new.
func (s *stream) overwrite(b *block, sequences []uint64) error {
	data, err := os.ReadFile(b.path)
	if err != nil {
		return err
	}
	h := brokerfile.NewHash(s.name, b.number)
	for at := 0; at < len(data); {
		r, length, ok := brokerfile.ReadRecord(h, data[at:])
		if !ok {
			break
		}
		if r.IsMessage() && slices.Contains(sequences, r.Sequence) {
			brokerfile.EraseRecord(h, data[at:at+length])
		}
		at += length
	}
	if err := s.forgetIndex(); err != nil {
		return err
	}
	_, err = eventlog.ReplaceFile(b.path, b.path+".tmp", data) // as the server names it
	return err
}

// settle has on disk, as it is read now, what the server wrote to each stream after its
// mark, and its newest block in any case: a sync of it may have failed.
func settle(server string) error {
	for _, name := range []string{eventlog.WebhooksStream, eventlog.RejectedStream, eventlog.DecisionsStream} {
		if err := settleStream(&stream{name: name, dir: brokerfile.StreamDir(server, name)}); err != nil {
			return fmt.Errorf("the stream %s: %w", name, err)
		}
	}
	return nil
}

func settleStream(s *stream) error {
	synced, known, err := eventlog.SyncedTo(s.dir)
	if err != nil {
		return err
	}
	numbers, err := brokerfile.Blocks(s.blocksDir())
	if err != nil {
		return err
	}
	for _, number := range slices.Backward(numbers) {
		b := &block{path: brokerfile.BlockPath(s.blocksDir(), number), number: number}
		if err := eventlog.Settle(b.path); err != nil {
			return err
		}
		first := uint64(0)
		if err := s.records(b, func(r *brokerfile.Record) bool {
			first = r.Sequence
			return false
		}); err != nil {
			return err
		}
		if !known || first > 0 && first <= synced+1 {
			break
		}
	}
	return nil
}

// forgetIndex removes the server's index, which it makes anew from the blocks: one
// that knows more than they hold would have it skip stream sequences.
func (s *stream) forgetIndex() error {
	err := os.Remove(brokerfile.IndexPath(s.blocksDir()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return eventlog.SyncFile(s.blocksDir())
}

// goOnAfter has a stream without webhooks go on after a stream sequence. When the last one
// expires the server notes it, and removes its file; a power cut may take only the note.
func (s *stream) goOnAfter(sequence uint64) error {
	w, err := s.appending()
	if err != nil {
		return err
	}
	note := brokerfile.Record{Sequence: sequence | brokerfile.DeletedFlag, StoredAt: time.Now().UnixNano()}
	w.buffer = brokerfile.AppendRecord(w.buffer, w.hash, &note)
	return w.flush()
}

// blockWriter writes the blocks of the stream of webhooks. Nothing is on disk before
// flush has returned.
type blockWriter struct {
	dir    string // of the blocks
	number int    // of the block that is being written
	hash   *brokerfile.Hash
	at     int64 // where in it the buffer goes
	buffer []byte
}

// appending gives a writer that goes on where the stream ends.
func (s *stream) appending() (*blockWriter, error) {
	w := &blockWriter{dir: s.blocksDir(), number: 1}
	if b := s.newest(); b != nil {
		w.number, w.at = b.number, b.size
	}
	w.hash = brokerfile.NewHash(s.name, w.number)
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return nil, err
	}
	return w, s.forgetIndex()
}

// add writes a webhook. One that was erased leaves a gap, as in any stream.
func (w *blockWriter) add(e archive.Entry) error {
	if e.Remains != nil {
		return nil
	}
	r, err := eventlog.RecordOf(e.Webhook, e.StoredAt)
	if err != nil {
		return fmt.Errorf("write webhook %d: %w", e.StreamSequence, err)
	}
	if w.at+int64(len(w.buffer)) >= blockSize {
		if err := w.flush(); err != nil {
			return err
		}
		w.number, w.at = w.number+1, 0
		w.hash = brokerfile.NewHash(eventlog.WebhooksStream, w.number)
	}
	w.buffer = brokerfile.AppendRecord(w.buffer, w.hash, r)
	return nil
}

// flush has what was added on disk.
func (w *blockWriter) flush() error {
	file, err := os.OpenFile(brokerfile.BlockPath(w.dir, w.number), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(w.buffer, w.at)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	w.at, w.buffer = w.at+int64(len(w.buffer)), w.buffer[:0]
	return eventlog.SyncFile(w.dir)
}
