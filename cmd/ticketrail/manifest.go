package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

const (
	manifestVersion = 1
	manifestFile    = "manifest.json"
	backupModel     = "read-model.sqlite"
)

// backupArchive is the folder of the archive in a backup.
func backupArchive(dir string) string { return filepath.Join(dir, "archive") }

// manifest says what a backup holds.
type manifest struct {
	Version int            `json:"version"`
	MadeAt  domain.Instant `json:"made_at"`
	Stream  backedUpStream `json:"stream"`
	// Last is the stream sequence that the archive ends with.
	Last uint64 `json:"last"`
	// ReadModel is null where there was none.
	ReadModel *backedUpModel `json:"read_model"`
	Files     []backedUpFile `json:"files"`
	// Without says what of the data folder the backup leaves out, and why.
	Without []leftOut `json:"without"`
}

// leftOut is a part of a data folder that no backup holds.
type leftOut struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// leftOuts are all of them. None is needed to make every order again.
var leftOuts = []leftOut{
	{"rejected requests (the stream REJECTED)", "nobody verified them and they are kept for a week; a backup would bring back what was erased of them since"},
	{"decisions about the quarantine (the stream DECISIONS)", "they are about rejected requests: without them it is not told who released a webhook, and what was discarded is listed again"},
	{"published changes (the stream ORDERS)", "it is made of the read model, and begins anew with what comes"},
	{"secrets and access tokens", "a copy of them is a risk of its own, and would bring back tokens that were revoked since: keep the configuration or sources.yaml yourself, and make new tokens"},
	{"the audit log", "it is the record of one folder: copy audit.jsonl yourself"},
	{"snapshots, records of rebuilds and the read model of before", "each can be made again from the archive"},
}

// backedUpStream is the stream that the archive of a backup is of.
type backedUpStream struct {
	Name      string         `json:"name"`
	CreatedAt domain.Instant `json:"created_at"`
}

// backedUpModel is the read model of a backup.
type backedUpModel struct {
	File       string `json:"file"`
	Checkpoint uint64 `json:"checkpoint"`
}

// backedUpFile is a file of a backup, with its path in it.
type backedUpFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// write sums up the files of a backup, and writes the manifest, which makes it whole.
func (m *manifest) write(dir string) error {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		file, err := sumFile(dir, name)
		m.Files = append(m.Files, file)
		return err
	})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, manifestFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(printJSON(file, m), file.Sync(), file.Close())
}

func sumFile(dir, name string) (f backedUpFile, err error) {
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return f, err
	}
	defer file.Close()
	sum := sha256.New()
	length, err := io.Copy(sum, file)
	return backedUpFile{Name: filepath.ToSlash(name), Bytes: length, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// readBackup reads the manifest of a backup, and compares every file with it.
func readBackup(dir string) (*manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failf("name the folder that ticketrail backup made", "%s is no backup", dir)
	}
	if err != nil {
		return nil, err
	}
	m := &manifest{}
	if err := json.Unmarshal(text, m); err != nil || m.Version != manifestVersion {
		return nil, failf("use the ticketrail that made it", "the manifest of %s is none of this program's", dir)
	}
	for _, want := range m.Files {
		have, err := sumFile(dir, filepath.FromSlash(want.Name))
		if err == nil && have != want {
			err = errors.New("its sum is another one")
		}
		if err != nil {
			return nil, failf("take another backup", "%s is not what was backed up: %w", filepath.Join(dir, want.Name), err)
		}
	}
	return m, nil
}

// copyReadModel puts the read model of a backup into a new folder of read models.
func (m *manifest) copyReadModel(from, folder string) error {
	opened, err := sqlite.OpenFolder(folder)
	if err != nil {
		return err
	}
	return eventlog.CopyFile(filepath.Join(from, m.ReadModel.File), opened.Current())
}
