package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// folder has the programs, built once by TestMain.
var folder string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "ticketrail-bench-"); err != nil {
		return complain(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	arguments := append([]string{"build", "-o", folder + "/"}, buildFlags()...)
	if output, err := exec.Command("go", append(arguments, ".", "../ticketrail")...).CombinedOutput(); err != nil {
		return complain(fmt.Errorf("go build: %w\n%s", err, output))
	}
	return m.Run()
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// buildFlags gives the flags that this test was built with, so that the programs are
// made of the packages that are compiled already.
func buildFlags() (flags []string) {
	info, _ := debug.ReadBuildInfo()
	for _, setting := range info.Settings {
		if slices.Contains([]string{"-tags", "-race", "-trimpath"}, setting.Key) {
			flags = append(flags, setting.Key+"="+setting.Value)
		}
	}
	return flags
}

// bench measures a little of everything, or of what the arguments say.
func bench(t *testing.T, arguments ...string) (table string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(folder, "bench"), append([]string{
		"-program", filepath.Join(folder, "ticketrail"), "-dir", t.TempDir(), "-rounds", "1", "-for", "100ms",
		"-webhooks", "300", "-orders", "60", "-single", "20", "-read-orders", "60",
		"-connections", "1,4", "-rates", "100",
	}, arguments...)...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	printed, err := command.Output()
	t.Logf("%s%s", printed, &complaints)
	return string(printed), err
}

// Every measurement goes on measuring whatever becomes of the program: each has a line
// with a ratio, and all that came out was right.
func TestEverythingCanBeMeasured(t *testing.T) {
	t.Parallel()
	table, err := bench(t)
	require.NoError(t, err)
	require.NotContains(t, table, "NOT RIGHT")
	require.NotContains(t, table, "none was right")
	for _, line := range []string{
		"| webhook to 200, 1 connections", "| webhook to 200, 4 connections", "| stream to read model, 60 orders",
		"| publish, 64 at once, not synced", "| live", "| reads, 60 orders", "| projecting, 60 orders",
	} {
		require.Contains(t, table, line)
	}
	for _, what := range []string{
		"one publish each, synced", "ingest", "ingest, no archive", "ticketrail serve", "Log.Batches", "Watermill Subscriber",
		"rebuild", "Watermill Publisher", "order after a 200, 100/s", "GET one order, once, idle", "GET one order, once, projecting",
		"GET one order, again, idle", "GET one order, again, projecting",
		"list page of 50, idle", "list page of 50, projecting", "list page of 50, a source, idle", "counts per state, idle", "counts per state, projecting",
	} {
		require.Regexp(t, `\| `+what+` +\| [a-zA-Z. ,]+ +\| [0-9]`, table)
	}
}

// A program that does not do its work has no figure: here it is one that does not even
// start, since it is told two things at once.
func TestAProgramThatIsNotRightHasNoFigure(t *testing.T) {
	t.Parallel()
	table, err := bench(t, "-only", "webhooks", "-connections", "2", "-settings", "ingest: {max_in_flight: 1}")
	require.Error(t, err)
	require.Contains(t, table, "NOT RIGHT")
	require.Regexp(t, `ticketrail serve +\| null handler +\| none was right`, table)
	require.Regexp(t, `\| ingest +\| null handler +\| [0-9]`, table)
	require.Equal(t, 1, strings.Count(table, "NOT RIGHT"))
}

// The program can be looked at as it grows, and drawn.
func TestGrowthIsDrawn(t *testing.T) {
	t.Parallel()
	picture := filepath.Join(t.TempDir(), "growth.svg")
	table, err := bench(t, "-growth", "40,80", "-picture", picture)
	require.NoError(t, err)
	require.Contains(t, table, "\n| 40 |")
	require.Contains(t, table, "\n| 80 |")
	drawn, err := os.ReadFile(picture)
	require.NoError(t, err)
	require.Contains(t, string(drawn), "rebuild: ")
}
