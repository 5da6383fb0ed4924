package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

// binary is the path of the program under test, built once by TestMain.
var binary string

// TestMain builds the real program, with the tags of the tests and under the race
// detector where the tests are.
func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "ticketrail-test-")
	if err != nil {
		return complain(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary = filepath.Join(folder, "ticketrail")
	arguments := append([]string{"build", "-o", binary}, buildFlags()...)
	if output, err := exec.Command("go", append(arguments, ".")...).CombinedOutput(); err != nil {
		return complain(fmt.Errorf("go build: %w\n%s", err, output))
	}
	return m.Run()
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// buildFlags gives the flags that this test was built with, so that the program
// is made of the packages that are compiled already.
func buildFlags() (flags []string) {
	info, _ := debug.ReadBuildInfo()
	for _, setting := range info.Settings {
		if slices.Contains([]string{"-tags", "-race", "-trimpath"}, setting.Key) {
			flags = append(flags, setting.Key+"="+setting.Value)
		}
	}
	return flags
}
