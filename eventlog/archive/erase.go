package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

const (
	// erasedFile says up to which stream sequence erasures have been worked off.
	erasedFile = "erased.json"
	// temporaryFile is what takes the place of another file when it is whole.
	temporaryFile = "erasing"
)

// erasedText is the content of erasedFile.
type erasedText struct {
	StreamSequence uint64 `json:"stream_sequence"`
}

// lastErased gives the stream sequence up to which erasures have been worked off: 0
// where nobody says, and then all of them are gone through again. It removes what a
// crash has left of a file that was to take another one's place.
func lastErased(dir string) (uint64, error) {
	if err := os.Remove(filepath.Join(dir, temporaryFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Join(dir, erasedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var last erasedText
	if err != nil || json.Unmarshal(text, &last) != nil {
		return 0, err
	}
	return last.StreamSequence, nil
}

// rememberErased has it on disk that erasures have been worked off.
func (w *Writer) rememberErased(streamSequence uint64) error {
	text, err := json.Marshal(erasedText{streamSequence})
	if err == nil {
		_, err = w.replace(filepath.Join(w.dir, erasedFile), text)
	}
	if err == nil {
		w.erased = streamSequence
	}
	return err
}

// Erase takes the bodies of webhooks that were erased out of an archive that nobody writes
// to, given what is left of each. What is done already is left as it is.
func Erase(dir string, erased []*domain.Webhook) (err error) {
	found, err := Look(dir)
	if err != nil {
		return err
	}
	w, err := Continue(found, found.Stream())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	segments, err := w.segmentsOf(erased)
	for _, segment := range segments {
		err = errors.Join(err, w.erase(segment))
	}
	return err
}

// replace has a file on disk with a content, by way of the file that lastErased removes.
func (w *Writer) replace(path string, content []byte) (replaced bool, err error) {
	return eventlog.ReplaceFile(path, filepath.Join(w.dir, temporaryFile), content)
}

// erasing is what is to be erased in one segment.
type erasing struct {
	path     string
	webhooks map[uint64]*domain.Webhook // by stream sequence, what is left of each
}

// segmentsOf gives the segments that hold some webhooks, in order.
func (w *Writer) segmentsOf(webhooks []*domain.Webhook) (segments []erasing, err error) {
	paths, err := list(w.dir)
	if err != nil {
		return nil, err
	}
	held := make([]map[uint64]*domain.Webhook, len(paths))
	for _, left := range webhooks {
		at := segmentOf(paths, left.StreamSequence)
		if at < 0 {
			continue
		}
		if held[at] == nil {
			held[at] = map[uint64]*domain.Webhook{}
		}
		held[at][left.StreamSequence] = left
	}
	for i, webhooks := range held {
		if webhooks != nil {
			segments = append(segments, erasing{paths[i], webhooks})
		}
	}
	return segments, nil
}

// erase puts in the place of a segment one without the bodies of some webhooks: the
// same groups with the same marks, under a new seal. After an error, and after a crash,
// the segment is as it was, or has been replaced. One that was forgotten meanwhile has
// nothing more to erase.
func (w *Writer) erase(e erasing) error {
	open := e.path == w.open.path && !w.open.sealed
	data, err := os.ReadFile(e.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case open:
		data = data[:min(int64(len(data)), w.open.size)]
	}
	// A new seal must not be put on what is damaged.
	was, err := w.codec.examineData(e.path, data, open, passing, nil)
	if err != nil {
		return err
	}
	content, changed, err := w.codec.without(data, e.webhooks)
	if err != nil || !changed {
		return err
	}
	is, err := w.codec.examineData(e.path, content, open, passing, nil)
	if err == nil && (is.stream != was.stream || is.before != was.before || is.last != was.last || is.sealed != was.sealed || is.torn > 0) {
		err = fmt.Errorf("the segment %s without what was erased is not the same", e.path)
	}
	if err != nil {
		return err
	}
	if open {
		if err := w.closeFile(); err != nil {
			return err
		}
	}
	replaced, err := w.replace(e.path, content)
	if open && replaced {
		w.open.size, w.open.text = is.size, is.text // the next group goes behind what is there
	}
	return err
}

func passing(Entry) error { return nil }

// without gives a segment without the bodies of some webhooks, and whether it had any.
func (c *codec) without(data []byte, erased map[uint64]*domain.Webhook) (content []byte, changed bool, err error) {
	for len(data) > 0 {
		length, err := frameLength(data)
		if err != nil {
			return nil, false, err
		}
		text, err := c.decompress(data[:length])
		if err != nil {
			return nil, false, err
		}
		frame := data[:length]
		if bytes.HasPrefix(text, sealStart) {
			frame, err = c.sealAnew(text, content)
		} else if text, err = withoutBodies(text, erased); text != nil {
			frame, changed = c.frame(text), true
		}
		if err != nil {
			return nil, false, err
		}
		content, data = append(content, frame...), data[length:]
	}
	return content, changed, nil
}

// sealAnew gives the seal of a segment with another content.
func (c *codec) sealAnew(text, content []byte) ([]byte, error) {
	l, err := parseLine(firstLine(text))
	if err != nil {
		return nil, err
	}
	l.Seal.SHA256 = sumOf(content)
	return c.compress(l)
}

// withoutBodies gives the lines of a group without the bodies of some webhooks; nil
// where it has none of these. It returns an error for one that is not the webhook that
// was erased.
func withoutBodies(text []byte, erased map[uint64]*domain.Webhook) ([]byte, error) {
	var lines []byte
	changed := false
	for row := range bytes.Lines(text) {
		w, err := parseWebhook(row)
		left := (*domain.Webhook)(nil)
		if err == nil && w.Remains == nil {
			left = erased[w.StreamSequence]
		}
		if left == nil {
			lines = append(lines, row...) // the head and the mark are no webhook's
			continue
		}
		have, want := w.entry(), Entry{Webhook: left, StoredAt: left.StoredAt}
		if have.StoredAt != want.StoredAt || have.Chain(domain.Digest{}) != want.Chain(domain.Digest{}) {
			return nil, fmt.Errorf("webhook %d of the archive is not the one that was erased", w.StreamSequence)
		}
		if lines, err = appendWebhook(lines, want); err != nil {
			return nil, err
		}
		changed = true
	}
	if !changed {
		return nil, nil
	}
	return lines, nil
}
