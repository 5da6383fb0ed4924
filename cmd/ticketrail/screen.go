package main

import (
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// What a terminal is told: to show another screen without a cursor, to go back, to begin
// above, to clear the rest of a line or of the screen, and to write what is bold.
const (
	otherScreen = "\x1b[?1049h\x1b[?25l"
	firstScreen = "\x1b[?25h\x1b[?1049l"
	toTheTop    = "\x1b[H"
	restOfLine  = "\x1b[K"
	restBelow   = "\x1b[J"
	bold, plain = "\x1b[1m", "\x1b[0m"
)

// terminalOf gives the terminal that is written to, nil where it is none.
func terminalOf(w io.Writer) *os.File {
	if printed, ok := w.(*output); ok {
		w = printed.Writer
	}
	if file, ok := w.(*os.File); ok && isTerminal(file) {
		return file
	}
	return nil
}

// screenSize gives the columns and lines of a terminal, which may change at any time.
func screenSize(terminal *os.File) (width, height int) {
	size, err := unix.IoctlGetWinsize(int(terminal.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 || size.Row == 0 {
		return 80, 24
	}
	return int(size.Col), int(size.Row)
}

// colored tells whether text may be marked: NO_COLOR, with anything in it, says no.
func (p *program) colored() bool {
	return !slices.ContainsFunc(p.environ, func(entry string) bool {
		return strings.HasPrefix(entry, "NO_COLOR=") && entry != "NO_COLOR="
	})
}

// head begins a line that is the head of a part.
const head = "\x00"

// resizes tells when a terminal has got another size, until it is stopped.
func resizes() (resized <-chan os.Signal, stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGWINCH)
	return signals, func() { signal.Stop(signals) }
}

// frame gives what draws lines over what was there, as many and as much of each as fits.
func frame(lines []string, terminal *os.File, marked bool) string {
	width, height := screenSize(terminal)
	var drawn strings.Builder
	drawn.WriteString(toTheTop)
	for i, line := range lines[:min(len(lines), height-1)] {
		if i > 0 {
			drawn.WriteString("\r\n")
		}
		text, isHead := strings.CutPrefix(line, head)
		if runes := []rune(text); len(runes) > width {
			text = string(runes[:width-1]) + "…"
		}
		if isHead && marked {
			text = bold + text + plain
		}
		drawn.WriteString(text + restOfLine)
	}
	return drawn.String() + restBelow
}
