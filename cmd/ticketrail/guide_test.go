package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// guideBlock is a block of a guide: a file by its name, or commands with what they print.
var guideBlock = regexp.MustCompile("(?s)(?:<!-- file: ([a-z.]+) -->\n)?```(yaml|console)\n(.*?)```\n")

// The guide to mappings can be followed: its files are taken, and its commands print what
// it shows.
func TestTheGuideToMappingsCanBeFollowed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/providers/mapped.md")
	require.NoError(t, err)
	folder, commands := t.TempDir(), 0
	for _, block := range guideBlock.FindAllStringSubmatch(string(text), -1) {
		if name := block[1]; name != "" {
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(block[3]), 0o600))
		}
		if block[2] == "console" {
			for _, step := range strings.Split(block[3], "$ ")[1:] {
				follow(t, folder, step)
				commands++
			}
		}
	}
	require.Equal(t, 5, commands)
}

// follow runs one command of a guide and compares what it prints. One that ends with &
// goes on until the test ends.
func follow(t *testing.T, folder, step string) {
	t.Helper()
	command, want, _ := strings.Cut(step, "\n")
	command, beside := strings.CutSuffix(command, " &")
	run := exec.CommandContext(t.Context(), "sh", "-c", "exec "+command)
	run.Dir = folder
	run.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"),
		"TICKETRAIL_INGEST_LISTEN=127.0.0.1:0", "TICKETRAIL_API_LISTEN=127.0.0.1:0")
	if beside {
		require.NoError(t, run.Start())
		t.Cleanup(func() { _ = run.Wait() }) // which the end of the test's context ends
		_, err := waitForAddresses(filepath.Join(folder, "data"))
		require.NoError(t, err)
		return
	}
	printed, err := run.CombinedOutput()
	require.NoError(t, err, "%s: %s", command, printed)
	require.Equal(t, want, string(printed), command)
}
