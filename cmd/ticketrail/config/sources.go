package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// sourcesHead begins the file of generated sources.
const sourcesHead = `# Made by the first "ticketrail serve" that found no sources configured.
# Move the sources to ticketrail.yaml to make them your own.
sources:
`

// SourcesFile is the path of the generated sources in a data folder.
func SourcesFile(data string) string { return filepath.Join(data, "sources.yaml") }

// KeptSources reads the sources that an earlier start generated. Where there are
// none the error wraps fs.ErrNotExist.
func KeptSources(data string) ([]Source, error) {
	path := SourcesFile(data)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	kept, err := Load(Inputs{File: path})
	if err != nil {
		return nil, err
	}
	if len(kept.Sources) == 0 {
		return nil, &Error{Origin: path, Key: "sources", Problem: "it is empty", Mend: "remove the file to have new sources made"}
	}
	return kept.Sources, nil
}

// MakeSources gives one source for each provider, named after it, with secrets
// made from random.
func MakeSources(random io.Reader) (sources []Source, err error) {
	for _, p := range provider.All() {
		var seed [24]byte
		if _, err := io.ReadFull(random, seed[:]); err != nil {
			return nil, fmt.Errorf("make the secret of %s: %w", p.Name(), err)
		}
		secret := Secret(p.NewSecret(seed))
		sources = append(sources, Source{Name: p.Name(), Provider: p.Name(), Secrets: []Secret{secret}})
	}
	return sources, nil
}

// KeepSources keeps generated sources in the data folder, which must exist, in a
// file that its owner alone can read. The file is written whole or not at all: a
// start that is cut off must not leave half a list of secrets.
func KeepSources(data string, sources []Source) (err error) {
	path := SourcesFile(data)
	var text strings.Builder
	text.WriteString(sourcesHead)
	for _, s := range sources {
		fmt.Fprintf(&text, "  - { name: %s, provider: %s, secrets: [%q] }\n", s.Name, s.Provider, s.Secrets[0].Reveal())
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".sources-*")
	if err != nil {
		return fmt.Errorf("keep the generated sources: %w", err)
	}
	defer func() { err = errors.Join(err, removeDraft(draft.Name())) }()
	_, err = draft.WriteString(text.String())
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return fmt.Errorf("keep the generated sources: %w", err)
	}
	return os.Rename(draft.Name(), path)
}

// removeDraft removes what a failed write left; after a rename nothing is left.
func removeDraft(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
