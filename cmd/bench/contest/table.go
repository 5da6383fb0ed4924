package contest

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// columns are the heads of the table.
var columns = []string{"path", "what", "yardstick", "ratio", "spread", "a second", "p50", "p99", "CPU each"}

// WriteTable writes the results as one Markdown table, which reads as well in a
// terminal, and after it what there is to say of single runs.
func WriteTable(w io.Writer, results []*Result) {
	rows := [][]string{columns}
	for _, r := range results {
		rows = append(rows, r.rows()...)
	}
	widths := make([]int, len(columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	writeRow(w, widths, rows[0])
	for _, width := range widths {
		fmt.Fprint(w, "|", strings.Repeat("-", width+2))
	}
	fmt.Fprintln(w, "|")
	for _, row := range rows[1:] {
		writeRow(w, widths, row)
	}
	writeNotes(w, results)
}

func writeRow(w io.Writer, widths []int, row []string) {
	for i, cell := range row {
		fmt.Fprint(w, "| ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+1))
	}
	fmt.Fprintln(w, "|")
}

// writeNotes tells each note once, and loudly what was not right: such a line's figures
// are of the rounds that were.
func writeNotes(w io.Writer, results []*Result) {
	for _, r := range results {
		for _, c := range r.Contestants {
			for _, note := range r.notes(c.Name) {
				fmt.Fprintf(w, "\nNote: %s: %s: %s\n", r.Path, c.Name, note)
			}
		}
	}
	for _, r := range results {
		for _, err := range r.Wrong {
			fmt.Fprintf(w, "\nNOT RIGHT: %v\n", err)
		}
	}
}

// rows gives a line for each comparison.
func (r *Result) rows() (rows [][]string) {
	for _, c := range r.Comparisons {
		ratio := SpreadOf(r.ratios(c))
		row := []string{r.Path, c.What, c.Against, "none was right", "", "", "", "", ""}
		if ratio.Median > 0 {
			row[3], row[4] = figure(ratio.Median), figure(ratio.Least)+" to "+figure(ratio.Most)
		}
		row[5] = count(Median(r.figures(c.What, Rate)))
		row[6] = span(Median(r.figures(c.What, P50)))
		row[7] = span(Median(r.figures(c.What, func(s Sample) float64 { return s.P99.Seconds() })))
		row[8] = span(Median(r.figures(c.What, func(s Sample) float64 { return s.CPU.Seconds() })))
		rows = append(rows, row)
	}
	return rows
}

// figure writes a ratio with the digits that mean something.
func figure(ratio float64) string {
	switch {
	case ratio >= 100:
		return fmt.Sprintf("%.0f", ratio)
	case ratio >= 10:
		return fmt.Sprintf("%.1f", ratio)
	case ratio >= 0.1:
		return fmt.Sprintf("%.2f", ratio)
	}
	return fmt.Sprintf("%.2g", ratio)
}

// count writes a rate, with a comma at each thousand; nothing for none.
func count(rate float64) string {
	if rate == 0 {
		return ""
	}
	digits := fmt.Sprintf("%.0f", rate)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// span writes a time given in seconds, in three digits; nothing for none.
func span(seconds float64) string {
	took := time.Duration(seconds * float64(time.Second))
	switch {
	case took <= 0:
		return ""
	case took < 10*time.Microsecond:
		return took.Round(10 * time.Nanosecond).String()
	case took < time.Millisecond:
		return took.Round(time.Microsecond).String()
	case took < time.Second:
		return took.Round(10 * time.Microsecond).String()
	}
	return took.Round(10 * time.Millisecond).String()
}
