package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes text that others wrote safe to show on a terminal: whatever
// does not print (control characters and so ANSI escapes, marks that turn the
// direction of writing, bytes that are no UTF-8) is shown as its escape.
func printable(text string) string {
	var safe strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&safe, `\x%02x`, text[0])
		case unicode.IsPrint(r):
			safe.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&safe, `\x%02x`, r)
		default:
			fmt.Fprintf(&safe, `\u%04x`, r)
		}
		text = text[size:]
	}
	return safe.String()
}

// clip makes text printable and cuts it to a number of runes, so that one cell
// cannot fill the screen.
func clip(text string, most int) string {
	safe := []rune(printable(text))
	if len(safe) <= most {
		return string(safe)
	}
	return string(safe[:most-1]) + "…"
}
