package ticketrail_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/ticketrail/ticketrail"

// maxLines is where a file has to be split: one that is longer has more than
// one reason to exist.
const maxLines = 500

// mayImport says which packages of this module each package may import. The
// direction is a star: domain in the middle, adapters that do not know one
// another, and only the program sees everything.
var mayImport = map[string][]string{
	"domain":                       {},
	"domain/provider":              {"domain"},
	"domain/provider/simulate":     {"domain", "domain/provider"},
	"eventlog":                     {"domain", "eventlog/brokerfile"},
	"eventlog/brokerfile":          {},
	"eventlog/archive":             {"domain", "eventlog"},
	"eventlog/archive/s3":          {},
	"eventlog/archive/archivetest": {"domain"},
	"eventlog/orders":              {"domain", "eventlog"},
	"eventlog/recovery":            {"domain", "eventlog", "eventlog/archive", "eventlog/brokerfile"},
	"ingest":                       {"domain", "domain/provider", "eventlog"},
	"ingest/quarantine":            {"domain", "domain/provider", "eventlog", "ingest"},
	"projector":                    {"domain", "domain/provider", "eventlog"},
	"projector/sqlite":             {"domain"},
	"projector/rebuild":            {"domain", "domain/provider", "projector", "projector/sqlite"},
	"projector/lookback":           {"domain", "domain/provider", "projector", "projector/sqlite"},
	"projector/erasure":            {"domain", "domain/provider", "eventlog"},
	"projector/projectortest":      {"domain", "domain/provider", "eventlog", "projector"},
	"api":                          {"api/dashboard", "domain", "domain/provider"},
	"api/dashboard":                {},
	"api/access":                   {"api"},
	"cmd/ticketrail":               {"*"},
	"cmd/ticketrail/app":           {"*"},
	"cmd/ticketrail/config":        {"api", "api/access", "cmd/ticketrail/otlp", "domain", "domain/provider", "ingest"},
	"cmd/ticketrail/fixture":       {"domain", "domain/provider", "testdata/webhooks"},
	"cmd/ticketrail/otlp":          {},
	"cmd/ticketrail/meanwhile":     {},
	"cmd/ticketrail/sender":        {"domain/provider"},
	"cmd/bench":                    {"*"},
	"cmd/bench/contest":            {},
	"cmd/bench/plot":               {},
	"cmd/bench/load":               {"cmd/bench/contest", "domain", "domain/provider", "domain/provider/simulate"},
}

// ownedBy gives, for the import paths that stand for a technology, the one
// package that knows it; an empty one says that only tests may, and the packages
// that are made for them and whose names end in test. The benchmarks are no part of the
// program, and need each technology bare, as a yardstick.
var ownedBy = map[string]string{
	"github.com/nats-io/":                             "eventlog",
	"github.com/ThreeDotsLabs/":                       "eventlog",
	"github.com/klauspost/compress/":                  "eventlog/archive",
	"github.com/minio/highwayhash":                    "eventlog/brokerfile",
	"github.com/minio/minio-go/":                      "eventlog/archive/s3",
	"github.com/mattn/go-sqlite3":                     "projector/sqlite",
	"github.com/danielgtaylor/huma/":                  "api",
	"github.com/alecthomas/kong":                      "cmd/ticketrail",
	"github.com/goccy/go-yaml":                        "cmd/ticketrail",
	"github.com/jedib0t/go-pretty/":                   "cmd/ticketrail",
	"github.com/tmaxmax/go-sse":                       "cmd/ticketrail",
	"go.opentelemetry.io/otel/sdk":                    "cmd/ticketrail",
	"github.com/stretchr/testify":                     "",
	"github.com/chromedp/":                            "",
	"github.com/rogpeppe/go-internal":                 "",
	"pgregory.net/rapid":                              "",
	"go.uber.org/goleak":                              "",
	"github.com/hanwen/go-fuse/":                      "",
	"github.com/johannesboyne/gofakes3":               "",
	"github.com/ThreeDotsLabs/watermill/pubsub/tests": "",
}

// impure are the standard packages that domain and its providers do without: a
// fold that reads a clock, a file or a random number could not be replayed.
var impure = []string{
	"context", "crypto/rand", "database/sql", "io/fs", "log", "log/slog", "math/rand",
	"net", "net/http", "os", "os/exec", "sync", "sync/atomic", "syscall",
}

// shapeless are the package names that say nothing of what is inside.
var shapeless = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "misc", "shared", "pkg"}

// topLevel is all that the root of the repository holds.
var topLevel = []string{
	".ci", ".gitignore", ".golangci.yml",
	"ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md",
	"api", "cmd", "deploy", "docs", "documents_test.go", "domain", "eventlog", "go.mod", "go.sum",
	"house_test.go", "ingest", "projector", "testdata",
}

// Dependencies point inward only, so that every part can be read, tested and
// replaced with no more than what it names here.
func TestPackagesImportOnlyWhatTheirPlaceAllows(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		allowed, known := mayImport[p.place()]
		require.True(t, known, "%s has no place yet: give it one in mayImport", p.ImportPath)
		for _, imported := range p.Imports {
			place, ours := strings.CutPrefix(imported, module+"/")
			if ours && !slices.Contains(allowed, "*") {
				require.Contains(t, allowed, place, "%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

// A technology can be exchanged because one package alone knows it.
func TestEachTechnologyHasOneOwner(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			owner, owned := ownerOf(imported)
			forTests := owner == "" && strings.HasSuffix(p.ImportPath, "test")
			if owned && !forTests && p.place() != "cmd/bench" {
				require.True(t, within(p.place(), owner), "%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

// What an order becomes depends on its webhooks alone.
func TestDomainIsPure(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if p.place() != "domain" && p.place() != "domain/provider" {
			continue
		}
		for _, imported := range p.Imports {
			require.NotContains(t, impure, imported, "%s imports %s", p.ImportPath, imported)
		}
		for _, name := range p.GoFiles {
			require.Empty(t, calls(t, filepath.Join(p.Dir, name), "time", "Now", "Since", "Until", "Sleep"))
		}
	}
}

// A stranger learns from the first line of each package what it is for.
func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		require.NotEmpty(t, p.Doc, "%s has no package comment", p.ImportPath)
		require.NotContains(t, shapeless, p.Name, "%s: name it after what it does", p.ImportPath)
		require.NotContains(t, shapeless, path.Base(p.ImportPath), "%s: name it after what it does", p.ImportPath)
	}
}

// A file has one reason to exist, and nothing in it waits to be written.
func TestFilesAreShortAndFinished(t *testing.T) {
	t.Parallel()
	unfinished := []string{"TO" + "DO", "FIX" + "ME", "XX" + "X:"}
	for _, name := range goFiles(t) {
		content := read(t, name)
		require.LessOrEqual(t, strings.Count(content, "\n"), maxLines, "%s is too long: split it", name)
		for _, word := range unfinished {
			require.NotContains(t, content, word, name)
		}
	}
}

// A test waits for the thing itself: one that sleeps is slow on a good day and
// wrong on a bad one.
func TestNoTestSleeps(t *testing.T) {
	t.Parallel()
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			require.Empty(t, calls(t, name, "time", "Sleep"))
		}
	}
}

// The root stays a page that can be taken in at a glance.
func TestTheRootHoldsOnlyWhatBelongsThere(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(".git"); err != nil {
		t.Skip("not a git checkout")
	}
	listed, err := exec.CommandContext(t.Context(), "git", "ls-files").Output()
	require.NoError(t, err)
	for name := range strings.Lines(string(listed)) {
		first, _, _ := strings.Cut(strings.TrimSpace(name), "/")
		require.Contains(t, topLevel, first)
	}
}

// Whoever receives the source receives its terms.
func TestTheLicenceIsApache(t *testing.T) {
	t.Parallel()
	require.Contains(t, read(t, "LICENSE"), "Apache License\n                           Version 2.0, January 2004")
}

// goPackage is what go list says of a package.
type goPackage struct {
	Dir, ImportPath, Name, Doc string
	GoFiles, Imports           []string
}

// place is the package's path inside the module.
func (p goPackage) place() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// packages lists the module's packages that have code besides tests.
func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=Dir,ImportPath,Name,Doc,GoFiles,Imports", "./...")
	cmd.Stderr = os.Stderr
	listed, err := cmd.Output()
	require.NoError(t, err)
	var found []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(listed)); decoder.More(); {
		var p goPackage
		require.NoError(t, decoder.Decode(&p))
		if len(p.GoFiles) > 0 {
			found = append(found, p)
		}
	}
	require.NotEmpty(t, found)
	return found
}

// ownerOf gives the place of the package that owns an import, by the longest
// path that matches.
func ownerOf(imported string) (owner string, owned bool) {
	longest := ""
	for prefix, place := range ownedBy {
		if strings.HasPrefix(imported, prefix) && len(prefix) > len(longest) {
			longest, owner, owned = prefix, place, true
		}
	}
	return owner, owned
}

// within tells whether a place is that of the owner or below it. Nothing is
// within the empty owner, which stands for the tests.
func within(place, owner string) bool {
	return owner != "" && strings.HasPrefix(place+"/", owner+"/")
}

// goFiles gives the Go files of the module, tests included.
func goFiles(t *testing.T) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && slices.Contains([]string{".git", "bin", "data"}, name) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") {
			names = append(names, name)
		}
		return err
	}))
	return names
}

// calls gives where a file uses one of the names of a standard package.
func calls(t *testing.T, file, pkg string, names ...string) []string {
	t.Helper()
	positions := token.NewFileSet()
	parsed, err := parser.ParseFile(positions, file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var found []string
	ast.Inspect(parsed, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok || !slices.Contains(names, selector.Sel.Name) {
			return true
		}
		if name, ok := selector.X.(*ast.Ident); ok && name.Name == pkg {
			found = append(found, positions.Position(selector.Pos()).String())
		}
		return true
	})
	return found
}
