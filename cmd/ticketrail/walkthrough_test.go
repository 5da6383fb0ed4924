package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
)

// Who types what a document says, in its order, sees what the document shows.
func TestDocumentsCanBeFollowed(t *testing.T) {
	t.Parallel()
	var pages []string
	for _, pattern := range []string{"../../docs/*.md", "../../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	followed := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		steps := stepsOf(string(text))
		if len(steps) == 0 {
			continue
		}
		followed++
		t.Run(strings.TrimPrefix(page, "../../docs/"), func(t *testing.T) {
			t.Parallel()
			newWalker(t).follow(steps)
		})
	}
	require.GreaterOrEqual(t, followed, 5)
}

// step is a command of a document with the output that is shown for it.
type step struct {
	line    int // of the document
	command string
	shown   []string
}

// stepsOf finds the commands: in indented lines, behind a dollar sign. A line of input
// goes on to the end of its here-document, and what is indented behind it is its output.
func stepsOf(document string) (steps []step) {
	var last *step // that output may belong to
	until := ""    // where a here-document ends
	for number, line := range strings.Split(document, "\n") {
		text, indented := strings.CutPrefix(line, "    ")
		command, typed := strings.CutPrefix(text, "$ ")
		switch {
		case until != "":
			last.command += "\n" + text
			if text == until {
				until = ""
			}
		case indented && typed:
			steps = append(steps, step{line: number + 1, command: command})
			last = &steps[len(steps)-1]
			if _, end, here := strings.Cut(command, "<<'"); here {
				until, _, _ = strings.Cut(end, "'")
			}
		case indented && last != nil:
			last.shown = append(last.shown, text)
		case strings.TrimSpace(line) != "":
			last = nil
		}
	}
	return steps
}

// goesOn are the commands that end when somebody ends them.
var goesOn = regexp.MustCompile(`^(ticketrail (serve|listen|orders watch)|curl -sN)\b`)

// looks are commands that only look: what they look for may be a moment behind.
var looks = regexp.MustCompile(`^(ticketrail (orders|quarantine (list|causes|show)|rebuilds|doctor)|curl -s )`)

// walker follows a document in a folder of its own.
type walker struct {
	*testing.T
	folder string
	ctx    context.Context // of all that it starts
	going  []*running
	here   *app.Addresses // of the program that serves, nil where none does
}

// running is a command that goes on, with what it has said.
type running struct {
	step
	command *exec.Cmd
	mu      sync.Mutex
	said    bytes.Buffer
}

// Write takes what the command says.
func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.Write(p)
}

func (r *running) output() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}

func newWalker(t *testing.T) *walker {
	t.Helper()
	w := &walker{T: t, folder: t.TempDir(), ctx: t.Context()}
	for _, name := range []string{"testdata", "deploy"} {
		target, err := filepath.Abs(filepath.Join("../..", name))
		require.NoError(t, err)
		require.NoError(t, os.Symlink(target, filepath.Join(w.folder, name)))
	}
	return w
}

// follow types one command after the other. What goes on is looked at when the next
// one of its kind begins, and at the end.
func (w *walker) follow(steps []step) {
	w.Helper()
	for _, s := range steps {
		if s.command == "^C" || strings.HasPrefix(s.command, "ticketrail serve") {
			w.endAll()
		}
		switch {
		case s.command == "^C":
		case goesOn.MatchString(s.command) && !fails(s):
			w.begin(s)
		default:
			w.run(s)
		}
	}
	w.endAll()
}

// fails tells whether a command is shown to fail.
func fails(s step) bool {
	return strings.Contains(strings.Join(s.shown, "\n"), "ticketrail: error:")
}

// begin starts a command that goes on, and waits until the program serves where it is that.
func (w *walker) begin(s step) {
	w.Helper()
	r := &running{step: s, command: w.shell(s.command)}
	r.command.Stdout, r.command.Stderr = r, r
	require.NoError(w, r.command.Start())
	w.going = append(w.going, r)
	w.Cleanup(func() { _ = syscall.Kill(-r.command.Process.Pid, syscall.SIGKILL) })
	if strings.HasPrefix(s.command, "ticketrail serve") {
		var err error
		w.here, err = waitForAddresses(filepath.Join(w.folder, "data"))
		require.NoError(w, err, r.output())
	}
	if len(s.shown) > 0 {
		first := s
		first.shown = s.shown[:1]
		w.await(r, first) // it is there
	}
}

// await waits until a command that goes on has said what is shown.
func (w *walker) await(r *running, s step) {
	w.Helper()
	_, err := until(func() (struct{}, error) {
		return struct{}{}, differs(s.shown, w.familiar(r.output()), true)
	})
	require.NoError(w, err, "line %d: %s\n%s", s.line, s.command, r.output())
}

// endAll ends what goes on, the newest first, each once it has said what is shown.
func (w *walker) endAll() {
	w.Helper()
	for _, r := range w.going {
		w.await(r, r.step)
	}
	for i := len(w.going) - 1; i >= 0; i-- {
		r := w.going[i]
		require.NoError(w, syscall.Kill(-r.command.Process.Pid, syscall.SIGINT))
		_ = r.command.Wait() // a signal is no success to a shell
	}
	w.going, w.here = nil, nil
}

// run types a command and compares what it says.
func (w *walker) run(s step) {
	w.Helper()
	try := func() (struct{}, error) {
		output, err := w.shell(s.command).CombinedOutput()
		if _, exit := err.(*exec.ExitError); exit && fails(s) { //nolint:errorlint // it is not wrapped
			err = nil
		}
		if err == nil {
			err = differs(s.shown, w.familiar(string(output)), false)
		} else {
			err = fmt.Errorf("%w\n%s", err, output)
		}
		return struct{}{}, err
	}
	var err error
	if looks.MatchString(s.command) {
		_, err = until(try)
	} else {
		_, err = try()
	}
	require.NoError(w, err, "line %d: %s", s.line, s.command)
}

// shell has bash take a command, in a group of its own, that signals reach as a whole.
func (w *walker) shell(command string) *exec.Cmd {
	if w.here != nil {
		command = strings.NewReplacer(
			"127.0.0.1:8080", host(w.here.Ingest), "localhost:8080", host(w.here.Ingest),
			"127.0.0.1:8081", host(w.here.API), "localhost:8081", host(w.here.API),
		).Replace(command)
	}
	c := exec.CommandContext(w.ctx, "bash", "-o", "pipefail", "-c", command)
	c.Dir = w.folder
	c.Env = append(os.Environ(), "HOME="+w.folder, "TZ=UTC",
		"PATH="+filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"),
		"TICKETRAIL_INGEST_LISTEN=127.0.0.1:0", "TICKETRAIL_API_LISTEN=127.0.0.1:0")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// familiar puts the addresses that documents name where the real ones are.
func (w *walker) familiar(output string) string {
	if w.here == nil {
		return output
	}
	return strings.NewReplacer(host(w.here.Ingest), "127.0.0.1:8080", host(w.here.API), "127.0.0.1:8081").Replace(output)
}

func host(address string) string {
	_, host, _ := strings.Cut(address, "://")
	return host
}

var (
	dates     = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`)
	times     = regexp.MustCompile(`\b\d\d:\d\d:\d\d(\.\d+)?\b`)
	durations = regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|ms|s)\b`)
	room      = regexp.MustCompile(`[ \t]+`)
)

func plain(line string) string {
	line = dates.ReplaceAllString(line, "DATE")
	line = times.ReplaceAllString(line, "TIME")
	line = durations.ReplaceAllString(line, "DURATION")
	return strings.TrimSpace(room.ReplaceAllString(line, " "))
}

// differs compares output with what a document shows of it, in which … stands for
// anything, on a line of its own for any lines. Where more may follow the output may go on.
func differs(shown []string, output string, more bool) error {
	var pattern strings.Builder
	pattern.WriteString("^")
	for _, line := range shown {
		switch line = plain(line); line {
		case "":
		case "…":
			pattern.WriteString(`(?:.*\n)*?`)
		default:
			pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + `\n`)
		}
	}
	if !more && pattern.Len() > len("^") { // where nothing is shown anything may be said
		pattern.WriteString("$")
	}
	var said strings.Builder
	for line := range strings.Lines(output) {
		if line = plain(line); line != "" {
			said.WriteString(line + "\n")
		}
	}
	if !regexp.MustCompile(pattern.String()).MatchString(said.String()) {
		return fmt.Errorf("it shows\n%s\nand says\n%s", strings.Join(shown, "\n"), output)
	}
	return nil
}

// A document that shows what the program does not say is found out.
func TestADocumentThatLiesIsFoundOut(t *testing.T) {
	t.Parallel()
	said := "order a at 2026-01-02T03:04:05.6Z\n\norder b   in 3.5ms\n"
	for shown, same := range map[string]bool{
		"order a at 2020-01-01T00:00:00Z\norder b in 1s": true,
		"…\norder b in 1s":                               true,
		"order a …\n…":                                   true,
		"":                                               true,
		"order a at …":                                   false, // and no more
		"order a …\norder c in 1s":                       false,
		"order b in 1s":                                  false,
	} {
		err := differs(strings.Split(shown, "\n"), said, false)
		require.Equal(t, same, err == nil, "%q: %v", shown, err)
	}
	require.NoError(t, differs([]string{"order a …"}, said, true))
	require.Equal(t, []step{
		{line: 3, command: "cat >f <<'END'\n$ x\nEND"}, {line: 6, command: "ls", shown: []string{"f"}},
	}, stepsOf("Text\n\n    $ cat >f <<'END'\n    $ x\n    END\n    $ ls\n    f\n\nText\n\n    no output\n"))
}
