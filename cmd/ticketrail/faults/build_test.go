package faults_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

const (
	// root is the module's folder, as seen from this one.
	root = "../../.."
	// faultPackage is a package that only the seeded program has.
	faultPackage = "github.com/ticketrail/ticketrail/domain/fault"
	// The variables by which the seeded program is told what to do.
	bugVariable   = "FAULT_BUG"   // the name of a bug
	placeVariable = "FAULT_PLACE" // the name of a place to be killed at
	passVariable  = "FAULT_PASS"  // at the how manieth passing, from 1
)

// faultSource is the one file of that package.
const faultSource = `package fault

import (
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

var passes atomic.Int64

// On tells whether a bug is the chosen one.
func On(bug string) bool { return os.Getenv("` + bugVariable + `") == bug }

// At kills the process, as kill -9 does, where this place is the chosen one and
// was passed often enough.
func At(place string) {
	if os.Getenv("` + placeVariable + `") != place {
		return
	}
	pass, _ := strconv.ParseInt(os.Getenv("` + passVariable + `"), 10, 64)
	if passes.Add(1) == pass {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// Then is At after something whose error it hands on.
func Then(place string, err error) error {
	At(place)
	return err
}

// Linger takes its time where a bug is the chosen one.
func Linger(bug string) {
	if On(bug) {
		<-time.After(50 * time.Millisecond)
	}
}

// Unless does something but where a bug is the chosen one.
func Unless(bug string, do func(string) error, with string) error {
	if On(bug) {
		return nil
	}
	return do(with)
}
`

// patch changes a source file of the program: the old text, which must be in the
// file exactly once, becomes the new one.
type patch struct{ file, old, new string }

// build builds the program as it is, or with the patches of every bug and every
// place in it. They do nothing unless a variable says so, so that one build has
// them all and is its own control. The repository's files are not touched.
func build(folder string, patches []patch) (binary string, err error) {
	arguments := append([]string{"build", "-ldflags=-s -w"}, buildFlags()...)
	binary = filepath.Join(folder, "ticketrail")
	if len(patches) > 0 {
		binary = filepath.Join(folder, "ticketrail-seeded")
		overlay, err := writeOverlay(folder, patches)
		if err != nil {
			return "", err
		}
		arguments = append(arguments, "-overlay="+overlay)
	}
	if err := touch(filepath.Join(root, "cmd/ticketrail")); err != nil {
		return "", err
	}
	command := exec.Command("go", append(arguments, "-o", binary, "./cmd/ticketrail")...)
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return binary, nil
}

// buildNATS builds the NATS server of the version that the program has inside.
func buildNATS(folder string) (binary string, err error) {
	binary = filepath.Join(folder, "nats-server")
	command := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "github.com/nats-io/nats-server/v2")
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return binary, nil
}

// touch looks at the Go files of a folder, so that go test knows what this one
// depends on: it sees what a test imports and opens, and a program is neither.
func touch(folder string) error {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	for _, name := range names {
		if _, err := os.Stat(name); err != nil {
			return err
		}
	}
	return err
}

// buildFlags gives the flags that this test was built with, so that the programs
// are made of packages that are compiled already.
func buildFlags() (flags []string) {
	info, _ := debug.ReadBuildInfo()
	for _, setting := range info.Settings {
		if slices.Contains([]string{"-tags", "-race", "-trimpath"}, setting.Key) {
			flags = append(flags, setting.Key+"="+setting.Value)
		}
	}
	return flags
}

func writeOverlay(folder string, patches []patch) (string, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	sources := map[string]string{filepath.Join(absolute, "domain/fault/fault.go"): faultSource}
	for _, p := range patches {
		if err := p.apply(absolute, sources); err != nil {
			return "", err
		}
	}
	replaced := map[string]string{}
	for name, text := range sources {
		copied := filepath.Join(folder, fmt.Sprintf("%d-%s", len(replaced), filepath.Base(name)))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			return "", err
		}
		replaced[name] = copied
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	name := filepath.Join(folder, "overlay.json")
	return name, os.WriteFile(name, overlay, 0o600)
}

func (p patch) apply(root string, sources map[string]string) error {
	name := filepath.Join(root, p.file)
	text, begun := sources[name]
	if !begun {
		content, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("a fault has lost its file: %w", err)
		}
		before, after, ok := strings.Cut(string(content), "\nimport (\n")
		if !ok {
			return fmt.Errorf("a fault in %s needs its imports in brackets", p.file)
		}
		text = before + "\nimport (\n\t\"" + faultPackage + "\"\n" + after
	}
	if n := strings.Count(text, p.old); n != 1 {
		return fmt.Errorf("a fault no longer fits: this text is %d times in %s, and must be there once:\n%s", n, p.file, p.old)
	}
	sources[name] = strings.Replace(text, p.old, p.new, 1)
	return nil
}
