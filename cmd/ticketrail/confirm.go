package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// agreement is the flag of every command that asks before it does what cannot
// simply be done again.
type agreement struct {
	Yes bool `short:"y" help:"Do it without asking."`
}

// errUnchanged ends a command after a no.
var errUnchanged = errors.New("nothing was changed")

// possible tells before anything is done whether the question could be answered.
func (a agreement) possible(p *program) error {
	if a.Yes || isTerminal(p.stdin) {
		return nil
	}
	return &failure{
		err:   errors.New("this is asked about first, and there is no terminal to ask on"),
		hint:  "say yes beforehand: --yes",
		usage: true,
	}
}

// beforehand is what a hint adds to a command that would ask where nobody could be
// asked.
func (a agreement) beforehand(p *program) string {
	if a.possible(p) == nil {
		return ""
	}
	return ", and --yes"
}

// given asks, unless yes was said beforehand. Everything but a yes is a no.
func (a agreement) given(p *program, question string) bool {
	if a.Yes {
		return true
	}
	fmt.Fprintf(p.stderr, "%s [y/N] ", question)
	line, _ := bufio.NewReader(p.stdin).ReadString('\n') // where nothing can be read, nothing was agreed to
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

// isTerminal tells whether somebody sits at the other end.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}
