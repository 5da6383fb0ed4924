package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	// named is the program's name in a text, with what may be its arguments.
	named = regexp.MustCompile(`\bticketrail((?: (?:--)?[\w-]+)+)`)
	// verbs are those of fmt, which stand for a number or a name.
	verbs = regexp.MustCompile(`%(\[\d+\])?[a-z]`)
	// listed is a command in the help.
	listed = regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)?)  `)
)

// prose are what follows the program's name where no command does: flags of a shell, and 1 in
// the place of a version.
var prose = []string{"-e", "-n", "1", "answers", "by", "does", "has", "itself", "knows", "that", "write"}

// A command that a hint or a message tells somebody to type is one that the program
// takes, with all that it must be given.
func TestCommandsInTextsCanBeTyped(t *testing.T) {
	t.Parallel()
	help, err := exec.CommandContext(t.Context(), binary, "--help").Output()
	require.NoError(t, err)
	var commands []string
	for _, command := range listed.FindAllStringSubmatch(string(help), -1) {
		commands = append(commands, command[1])
	}
	tried := map[string]bool{}
	for _, text := range texts(t) {
		for _, match := range named.FindAllStringSubmatch(verbs.ReplaceAllString(text, "1"), -1) {
			words := strings.Fields(match[1])
			if slices.Contains(prose, words[0]) {
				continue
			}
			typed := strings.Join(command(commands, words), " ")
			if !tried[typed] {
				tried[typed] = true
				requireTaken(t, typed, text)
			}
		}
	}
	require.Greater(t, len(tried), 4)
}

// command gives the words that are the command, its arguments and flags, without the
// text that goes on behind it. A command that there is not is left as it is.
func command(commands, words []string) (typed []string) {
	known := 1
	if len(words) > 1 && slices.ContainsFunc(commands, func(name string) bool { return strings.HasPrefix(name, words[0]+" ") }) {
		known = 2
	}
	typed = words[:known:known]
	for _, word := range words[known:] {
		if _, err := strconv.Atoi(word); err != nil && !strings.HasPrefix(word, "--") {
			break
		}
		typed = append(typed, word)
	}
	return typed
}

// requireTaken requires that the program's parser takes a command: it gets as far as
// to read a configuration that is not there, or needs none.
func requireTaken(t *testing.T, typed, text string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, strings.Fields(typed)...)
	command.Env = append(command.Environ(), "TICKETRAIL_CONFIG="+filepath.Join(t.TempDir(), "none.yaml"))
	output, err := command.CombinedOutput()
	if err == nil || strings.Contains(string(output), `expected "<`) {
		return // a text may name a command without what it is given
	}
	require.NotContains(t, string(output), "--help", "%s: %q", typed, text)
}

// texts gives the string literals of the program, its tests left out.
func texts(t *testing.T) (all []string) {
	t.Helper()
	root := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				all = append(all, text)
			}
			return true
		})
		return nil
	}))
	return all
}
