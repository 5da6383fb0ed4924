package domain

import "slices"

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
