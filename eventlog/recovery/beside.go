package recovery

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/eventlog"
)

// hintBeside says what damage beside the webhooks means, by the name of the stream.
var hintBeside = map[string]string{
	eventlog.RejectedStream: "no webhook that was taken is lost, but requests that were refused may be: see what is left with ticketrail quarantine list; " +
		"remove the copy when it is of no use",
	eventlog.DecisionsStream: "no webhook is lost, but decisions about what was set aside may be: see what is open again with ticketrail quarantine list; " +
		"remove the copy when it is of no use",
}

const hintTorn = "after a crash nothing is lost; else the last decision, or request, is: see ticketrail quarantine list"

// checkBeside looks at a stream that no answer of 200 rests on: damage there must not
// keep webhooks out. It is told, and the files are kept before the server cuts them.
func (c *check) checkBeside(name string) error {
	s, err := look(c.Server, name, nil)
	switch {
	case errors.Is(err, errMeta):
		aside, moving := SetAside(s.dir, c.Aside)
		if moving == nil {
			c.logger.Error("a stream beside that of the webhooks was damaged and begins anew",
				"stream", name, "error", err, "kept_in", aside, "hint", hintBeside[name])
		}
		return moving
	case err != nil || s == nil:
		return err
	}
	if err := s.forgetWhatIsLost(); err != nil {
		return err
	}
	for i, b := range s.blocks {
		if b.sound == b.size {
			continue
		}
		if i == len(s.blocks)-1 && !anySound(name, b) {
			// After a clean stop the server would go on believing in what it cannot read.
			c.logger.Warn("the end of a stream beside that of the webhooks was torn; it is cut off",
				"stream", name, "file", b.path, "bytes", b.size-b.sound, "hint", hintTorn)
			return s.cut(b)
		}
		aside, err := s.copyAside(b, c.Aside)
		if err != nil {
			return fmt.Errorf("keep a copy: %w", err)
		}
		c.logger.Error("a stream beside that of the webhooks is damaged and loses what follows in the same file",
			"stream", name, "file", b.path, "byte", b.sound, "copied_to", aside, "hint", hintBeside[name])
		return nil
	}
	return nil
}

// copyAside copies a stream because of a damaged block, once: the server may leave the
// damage where it is, and each start would find it again. The copy bears the sum of
// that block in its name, so that what was written since is copied too.
func (s *stream) copyAside(damaged *block, aside string) (string, error) {
	data, err := os.ReadFile(damaged.path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	to := filepath.Join(aside, s.name+"-"+hex.EncodeToString(sum[:8]))
	if exists(to) {
		return to, nil
	}
	part := to + ".part"
	err = errors.Join(os.MkdirAll(aside, 0o700), os.RemoveAll(part))
	if err == nil {
		err = os.CopyFS(part, os.DirFS(s.dir))
	}
	if err == nil {
		err = eventlog.SyncTree(part)
	}
	if err == nil {
		err = os.Rename(part, to)
	}
	if err != nil {
		return "", err
	}
	return to, eventlog.SyncFile(aside)
}
