package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
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

// printableJSON makes JSON safe to show on a terminal: it says the same, with escapes for
// what does not print. Encoders escape no control characters beyond U+001F, of which some
// terminals take those up to U+009F for commands, and no marks of direction.
func printableJSON(text []byte) []byte {
	safe := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case unicode.IsPrint(r) && r != utf8.RuneError, r == '\n', r == '\t', r == '\r':
			safe = utf8.AppendRune(safe, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			safe = fmt.Appendf(safe, `\u%04x\u%04x`, high, low)
		default:
			safe = fmt.Appendf(safe, `\u%04x`, r)
		}
	}
	return safe
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
