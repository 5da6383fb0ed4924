package domain

import (
	"fmt"
	"slices"
	"strings"
)

// UnknownName is the error of a parameter or a filter with a name that nothing can bear:
// it is most likely mistyped, and selecting nothing would pass for there being nothing.
type UnknownName struct {
	// Of is what it was to name, such as source or cause.
	Of string
	// Nearest is the name of Names that was most likely meant, and Names are all that
	// there are. The unknown one is not told: it is the caller's.
	Nearest string
	Names   []string
}

// Known returns an [*UnknownName] for a name that is not among those that there are of
// something. No name at all is known.
func Known(of, name string, among []string) error {
	switch {
	case name == "" || slices.Contains(among, name):
		return nil
	case len(among) == 0:
		return &UnknownName{Of: of}
	}
	return &UnknownName{Of: of, Nearest: Nearest(name, among), Names: among}
}

func (u *UnknownName) Error() string {
	if u.Nearest == "" {
		return "there is no such " + u.Of
	}
	return fmt.Sprintf("there is no such %s: did you mean %s? Use one of %s", u.Of, u.Nearest, strings.Join(u.Names, ", "))
}

// Nearest gives the name, of at least one, that takes the fewest changes to become
// another: what somebody who mistyped it most likely meant.
func Nearest(name string, among []string) string {
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
