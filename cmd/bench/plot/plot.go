// Package plot draws small line charts beside each other, as one SVG that needs nothing
// else to be looked at.
package plot

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
)

// Chart is lines over the same places.
type Chart struct {
	Title string
	// X are the places, which are drawn on a logarithmic scale: each above 0.
	X     []float64
	Lines []Line
	// Write writes a value of the lines for people.
	Write func(float64) string
}

// Line is a value at each place. The scale begins at 0, so that flat looks flat.
type Line struct {
	Name string
	Y    []float64
}

// The measures of the picture, in pixels.
const (
	width, height         = 380, 260 // of a chart
	left, right           = 70, 20   // margins
	top, bottom           = 40, 60
	perRow                = 2
	plotWidth, plotHeight = width - left - right, height - top - bottom
)

// colours tell the lines apart, also for those who see few of them.
var colours = []string{"#0072b2", "#d55e00", "#009e73"}

// Write draws the charts, two in a row.
func Write(w io.Writer, charts []Chart) error {
	var s strings.Builder
	rows := (len(charts) + perRow - 1) / perRow
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n",
		perRow*width, rows*height)
	s.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	for i, c := range charts {
		fmt.Fprintf(&s, `<g transform="translate(%d %d)">`+"\n", i%perRow*width, i/perRow*height)
		c.draw(&s)
		s.WriteString("</g>\n")
	}
	s.WriteString("</svg>\n")
	_, err := io.WriteString(w, s.String())
	return err
}

func (c Chart) draw(s *strings.Builder) {
	most := c.most()
	fmt.Fprintf(s, `<text x="%d" y="22" font-size="13" font-weight="bold">%s</text>`+"\n", left, html.EscapeString(c.Title))
	for _, share := range []float64{0, 0.5, 1} {
		y := c.y(share*most, most)
		fmt.Fprintf(s, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			left, y, left+plotWidth, left-6, y+4, html.EscapeString(c.Write(share*most)))
	}
	for _, x := range c.X {
		fmt.Fprintf(s, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", c.x(x), top+plotHeight+16, Count(x))
	}
	for i, line := range c.Lines {
		c.drawLine(s, line, i, most)
	}
}

func (c Chart) drawLine(s *strings.Builder, line Line, i int, most float64) {
	colour := colours[i%len(colours)]
	var points []string
	for at, y := range line.Y {
		points = append(points, fmt.Sprintf("%.1f,%.1f", c.x(c.X[at]), c.y(y, most)))
		fmt.Fprintf(s, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s: %s at %s</title></circle>`+"\n",
			c.x(c.X[at]), c.y(y, most), colour, html.EscapeString(line.Name), html.EscapeString(c.Write(y)), Count(c.X[at]))
	}
	fmt.Fprintf(s, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colour)
	fmt.Fprintf(s, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n",
		left+i*plotWidth/len(colours), top+plotHeight+40, colour, html.EscapeString(line.Name))
}

// most is the greatest value of all lines.
func (c Chart) most() float64 {
	most := 0.0
	for _, line := range c.Lines {
		if len(line.Y) > 0 {
			most = max(most, slices.Max(line.Y))
		}
	}
	return most
}

func (c Chart) x(place float64) float64 {
	least, most := math.Log(slices.Min(c.X)), math.Log(slices.Max(c.X))
	if most == least {
		return left + plotWidth/2
	}
	return left + plotWidth*(math.Log(place)-least)/(most-least)
}

func (c Chart) y(value, most float64) float64 {
	if most == 0 {
		return top + plotHeight
	}
	return top + plotHeight*(1-value/most)
}

// Count writes a number in few letters: 850, 12k, 1.5M.
func Count(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.3gM", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.3gk", n/1e3)
	}
	return fmt.Sprintf("%.3g", n)
}
