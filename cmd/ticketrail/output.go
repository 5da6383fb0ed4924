package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/meanwhile"
)

// output remembers that it could not be written, which tables do not tell.
type output struct {
	io.Writer
	once sync.Once
	err  error
}

func (o *output) Write(text []byte) (int, error) {
	n, err := o.Writer.Write(text)
	if err != nil {
		o.once.Do(func() { o.err = err })
	}
	return n, err
}

// printJSON prints one value as indented JSON.
func printJSON(w io.Writer, value any) error { return encodeJSON(w, value, "  ") }

// printJSONLine prints one value as JSON on a line of its own.
func printJSONLine(w io.Writer, value any) error { return encodeJSON(w, value, "") }

func encodeJSON(w io.Writer, value any, indent string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(printableJSON(text.Bytes()))
	return err
}

// newTable gives a plain table: columns, a line under the head, and no frame, so
// that it reads as well in a mail as on a terminal. Its cells must be printable.
func newTable(w io.Writer, head ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatUpper
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "   "
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	if len(head) > 0 {
		t.AppendHeader(head)
	}
	return t
}

// counted gives a number with what it is of: 1 segment, 2 segments.
func counted[N int | uint64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// during does what may take a while, and tells on stderr what it is at if it does.
func (p *program) during(what string, do func() error) error {
	defer meanwhile.Tell(p.stderr, isTerminal(p.stderr), what)()
	return do()
}
