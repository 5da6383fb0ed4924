package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // of the command line or of the configuration
)

// program is what a command has of the world outside.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	variables      []string // of flags that are not the configuration's
	flags          []config.Flag
	commands       []string // that there are
	about          []string // the flags of this command that say which folder it is about
}

// settings are the flags of every command that reads the configuration.
type settings struct {
	Config string `help:"Read the configuration from this file; ticketrail.yaml is read if it exists." placeholder:"FILE" env:"TICKETRAIL_CONFIG"`
	Data   string `help:"Folder of the embedded stream and the read models." placeholder:"DIR" setting:"data"`
}

// load reads the configuration as the command's flags say.
func (p *program) load(s settings) (*config.Config, error) {
	return config.Load(p.inputs(s))
}

// loadToRead is load for a command that only asks: it has no use for the secrets
// of sources, and the terminal it runs in may lack the variables that hold them.
func (p *program) loadToRead(s settings) (*config.Config, error) {
	inputs := p.inputs(s)
	inputs.SecretsUnread = true
	return config.Load(inputs)
}

func (p *program) inputs(s settings) config.Inputs {
	return config.Inputs{File: s.Config, Environ: p.environ, Variables: p.variables, Flags: p.flags}
}

// flagVariables gives the environment variables of all flags of all commands.
func flagVariables(node *kong.Node) (names []string) {
	for _, flag := range node.Flags {
		names = append(names, flag.Envs...)
	}
	for _, child := range node.Children {
		names = append(names, flagVariables(child)...)
	}
	return names
}

// settingFlags gives the flags on the command line that stand for a key of the
// configuration. A flag says so by its tag "setting".
func settingFlags(parsed *kong.Context) []config.Flag {
	var flags []config.Flag
	for _, step := range parsed.Path {
		if step.Flag == nil {
			continue
		}
		if key := step.Flag.Tag.Get("setting"); key != "" {
			flags = append(flags, config.Flag{Key: key, Name: "--" + step.Flag.Name, Text: step.Flag.Target.String()})
		}
	}
	return flags
}

// checkEmpty refuses a flag or an argument that was given with nothing. It would count as
// not given, and a command do more than was meant: most likely a variable of a shell was
// not set.
func checkEmpty(parsed *kong.Context) error {
	for _, step := range parsed.Path {
		switch {
		case step.Flag != nil && holdsEmpty(step.Flag.Target):
			return usagef("give it a value, or leave it out", "--%s is empty", step.Flag.Name)
		case step.Positional != nil && holdsEmpty(step.Positional.Target):
			return usagef("give it a value", "<%s> is empty", step.Positional.Name)
		}
	}
	return nil
}

// holdsEmpty tells whether a value is an empty text, or a list with one.
func holdsEmpty(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.String:
		return value.String() == ""
	case reflect.Slice:
		for i := range value.Len() {
			if holdsEmpty(value.Index(i)) {
				return true
			}
		}
	}
	return false
}

// describe gives the help of a flag, with the environment variable that stands
// for it.
func describe(value *kong.Value) string {
	if key := value.Tag.Get("setting"); key != "" {
		value.Tag.Envs = []string{config.Variable(key)}
		defer func() { value.Tag.Envs = nil }()
	}
	return kong.DefaultHelpValueFormatter(value)
}

// failure is an error with what the user can do about it.
type failure struct {
	err   error
	hint  string
	usage bool // the command line is at fault
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Hint gives the mend.
func (f *failure) Hint() string { return f.hint }

func failf(hint, format string, args ...any) error {
	return &failure{err: fmt.Errorf(format, args...), hint: hint}
}

// usagef is failf for a command line that cannot be meant.
func usagef(hint, format string, args ...any) error {
	return &failure{err: fmt.Errorf(format, args...), hint: hint, usage: true}
}

// hinter is an error that knows its mend.
type hinter interface {
	error
	Hint() string
}

// report says what went wrong and how to mend it, and gives the exit code.
func (p *program) report(err error) int {
	if printed, ok := p.stdout.(*output); ok && errors.Is(printed.err, syscall.EPIPE) {
		return exitFailed // who read has gone, and knows
	}
	message := strings.ReplaceAll(inPlainWords(err), "\n", "; ") // between errors that were joined
	fmt.Fprintf(p.stderr, "ticketrail: error: %s\n", printable(message))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(p.stderr, "hint: %s\n", printable(p.alike(hint)))
	}
	_, badUsage := errors.AsType[*kong.ParseError](err)
	_, badConfig := errors.AsType[*config.Error](err)
	failed, ok := errors.AsType[*failure](err)
	if badUsage || badConfig || ok && failed.usage {
		return exitUsage
	}
	return exitFailed
}

// alike adds to a hint that names a command what else it takes: the flags without
// which it would look at another folder than the command that gives the hint.
func (p *program) alike(hint string) string {
	names := func(command string) bool { return strings.Contains(hint, "ticketrail "+command) }
	if len(p.about) == 0 || !slices.ContainsFunc(p.commands, names) {
		return hint
	}
	return strings.TrimSuffix(hint, ".") + " (with the same " + strings.Join(p.about, " and ") + ")"
}

// aboutFlags gives the flags on the command line that say which folder it is about.
func aboutFlags(parsed *kong.Context) (names []string) {
	for _, step := range parsed.Path {
		if step.Flag != nil && (step.Flag.Name == "config" || step.Flag.Name == "data") {
			names = append(names, "--"+step.Flag.Name)
		}
	}
	return names
}

const (
	hintOwner  = "give it to the user that runs ticketrail: chown"
	hintFolder = "choose a folder with --data"
)

// hintOf finds the mend that belongs to an error.
func hintOf(err error) string {
	if mendable, ok := errors.AsType[hinter](err); ok {
		return mendable.Hint()
	}
	if setting, ok := errors.AsType[*eventlog.SettingError](err); ok {
		return setting.Hint
	}
	if stop, ok := errors.AsType[*projector.StopError](err); ok {
		return stop.Hint
	}
	switch {
	case errors.Is(err, eventlog.ErrFolderLocked):
		return "stop the ticketrail that runs there, or choose another folder with --data"
	case errors.Is(err, eventlog.ErrNoStreams):
		return "project makes the streams, and so does serve: start one of them before the other parts"
	case errors.Is(err, domain.ErrDamaged):
		return "the stream has all that was in it: the next start makes it anew, ticketrail serve; where a program runs: ticketrail rebuild --accept"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on the disk"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return hintOwner + ", or choose another place"
	case errors.Is(err, syscall.ENOTDIR):
		return hintFolder
	case errors.Is(err, eventlog.ErrUnavailable):
		return "see whether the broker runs: ticketrail doctor"
	}
	if usage, ok := errors.AsType[*kong.ParseError](err); ok {
		return "see " + usage.Context.Model.Name + commandOf(usage.Context) + " --help"
	}
	return ""
}

func commandOf(parsed *kong.Context) string {
	if selected := parsed.Selected(); selected != nil {
		return " " + selected.Path()
	}
	return ""
}
