package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/api"
)

// maxAudit is the size in bytes at which the audit log is put aside: some 40,000
// acts.
const maxAudit = 8 << 20

// Audit is the audit log of a data folder. It is safe for concurrent use, by
// several processes too.
type Audit struct {
	path, former string
}

// NewAudit gives the audit log of a data folder.
func NewAudit(data string) *Audit {
	return &Audit{path: filepath.Join(data, "audit.jsonl"), former: filepath.Join(data, "audit.1.jsonl")}
}

// Record implements [api.Audit]. When it returns the act is on disk. Acts are rare,
// so the file is opened for each of them.
func (a *Audit) Record(act api.Act) error {
	line, err := json.Marshal(act)
	if err != nil {
		return err
	}
	err = locked(a.path, func() error {
		if err := a.putAside(); err != nil {
			return err
		}
		return a.append(append(line, '\n'))
	})
	if err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

func (a *Audit) append(line []byte) error {
	_, err := os.Stat(a.path)
	isNew := errors.Is(err, fs.ErrNotExist)
	log, err := os.OpenFile(a.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(err, log.Close())
	}
	if _, err = log.Write(line); err != nil {
		err = errors.Join(err, log.Truncate(before)) // half a line would spoil the next
	}
	if err = errors.Join(err, log.Sync(), log.Close()); err == nil && isNew {
		err = syncFolder(filepath.Dir(a.path))
	}
	return err
}

// putAside makes room where the log is full.
func (a *Audit) putAside() error {
	info, err := os.Stat(a.path)
	if err != nil || info.Size() < maxAudit {
		return nil // to append tells what is amiss
	}
	return os.Rename(a.path, a.former)
}
