package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// listing is the flag of every command that prints a list.
type listing struct {
	Output string `short:"o" help:"Form of the list: ${enum}. --json is json." enum:"table,json,ndjson,csv" default:"table"`
}

// sheet is a list as a head and rows of values.
type sheet struct {
	head []any
	rows [][]any
	// wide is the number of runes that a table shows of the last column; cellWidth where it is 0.
	wide int
	// note is said after a table, and elsewhere to who watches; empty for nothing.
	note string
}

func newSheet(head ...any) *sheet { return &sheet{head: head, wide: cellWidth} }

func (s *sheet) add(values ...any) { s.rows = append(s.rows, values) }

// print prints a list, given as JSON too, in the form that is asked for.
func (l listing) print(p *program, asJSON bool, text []byte, s *sheet) error {
	form := l.Output
	if asJSON && form != "table" && form != "json" {
		return usagef("leave out one of them", "--json and --output %s cannot both be meant", form)
	}
	if asJSON {
		form = "json"
	}
	var err error
	switch form {
	case "json":
		_, err = p.stdout.Write(printableJSON(text))
		return err
	case "ndjson":
		err = printElements(p.stdout, text)
	case "csv":
		err = s.csv(p.stdout)
	default:
		s.table(p.stdout)
		if s.note != "" {
			fmt.Fprintf(p.stdout, "\n%s\n", printable(s.note))
		}
		return nil
	}
	if s.note != "" {
		fmt.Fprintln(p.stderr, printable(s.note))
	}
	return err
}

func (s *sheet) table(w io.Writer) {
	table := newTable(w, s.head...)
	for _, row := range s.rows {
		shownRow := cells(row...)
		last := len(row) - 1
		shownRow[last] = clip(shown(row[last]), s.wide)
		table.AppendRow(shownRow)
	}
	table.Render()
}

// csv prints all of each value, but nothing that a terminal would act on, nor a spreadsheet.
func (s *sheet) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	for _, row := range append([][]any{s.head}, s.rows...) {
		texts := make([]string, len(row))
		for i, value := range row {
			texts[i] = inert(printable(shown(value)))
		}
		if err := out.Write(texts); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// inert makes of a text what no spreadsheet takes for a formula, which may send the others
// anywhere (OWASP, "CSV Injection"): keys and reasons are what senders wrote. A number stays one.
func inert(text string) string {
	_, err := strconv.ParseFloat(text, 64)
	if err != nil && text != "" && strings.ContainsRune("=+-@", rune(text[0])) {
		return "'" + text
	}
	return text
}

// printElements prints the elements of the one list that a JSON object holds, a line each.
func printElements(w io.Writer, text []byte) error {
	var object map[string]json.RawMessage
	if err := understand(text, &object); err != nil {
		return err
	}
	for _, value := range object {
		var elements []json.RawMessage
		if !bytes.HasPrefix(value, []byte("[")) {
			continue
		}
		if err := understand(value, &elements); err != nil {
			return err
		}
		for _, element := range elements {
			if err := printJSONLine(w, element); err != nil {
				return err
			}
		}
	}
	return nil
}

// printList prints a list of this program's own; value is it as JSON.
func (l listing) printList(p *program, asJSON bool, value any, s *sheet) error {
	var text bytes.Buffer
	if err := printJSON(&text, value); err != nil {
		return err
	}
	return l.print(p, asJSON, text.Bytes(), s)
}
