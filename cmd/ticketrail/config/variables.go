package config

import (
	"regexp"
	"slices"
	"strings"
)

// serviceLink is how Kubernetes tells every container of a service that is named
// ticketrail: nobody has set these variables, and nobody can mend them.
var serviceLink = regexp.MustCompile(`^[A-Z0-9_]+(_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?=|_PORT_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?=|_PORT=[a-z]+://)`)

// checkVariables refuses a variable that begins with Prefix and means nothing: it
// is most likely mistyped, and what it was to set would silently keep its default.
// One that the file itself refers to means something.
func checkVariables(_ *Config, d *decoder, in Inputs) error {
	known := slices.Clone(in.Variables)
	for _, key := range Keys() {
		known = append(known, Variable(key))
	}
	for _, entry := range in.Environ {
		name, value, _ := strings.Cut(entry, "=")
		unknown := strings.HasPrefix(name, Prefix) && value != "" && !slices.Contains(known, name)
		if unknown && !d.referenced[name] && !serviceLink.MatchString(entry) {
			return &Error{Origin: name, Problem: "there is no such variable", Mend: "did you mean " + nearest(name, known) + "? If not, unset it"}
		}
	}
	return nil
}

// nearest gives the name that takes the fewest changes to become another.
func nearest(name string, among []string) string {
	return slices.MinFunc(among, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance counts the letters to insert, remove or replace to make b of a, after
// Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // from the beginning of a to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
