package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A webhook that was refused or not answered may be in the stream all the same,
// and one that was answered with 200 is in it.
func TestTallyExplainsTheEndOfTheStream(t *testing.T) {
	t.Parallel()
	for name, counts := range map[string]struct {
		stored, known, refused, unanswered uint64
		least, most                        uint64
	}{
		"all answered":     {stored: 7, known: 2, least: 7, most: 7},
		"some refused":     {stored: 7, refused: 2, least: 7, most: 9},
		"some unanswered":  {stored: 7, unanswered: 1, least: 7, most: 8},
		"both, and copies": {stored: 7, known: 3, refused: 2, unanswered: 1, least: 7, most: 10},
	} {
		var sent tally
		sent.stored.Store(counts.stored)
		sent.known.Store(counts.known)
		sent.refused.Store(counts.refused)
		sent.unanswered.Store(counts.unanswered)
		for last := range uint64(12) {
			require.Equal(t, counts.least <= last && last <= counts.most, sent.explains(last), "%s: %d", name, last)
		}
	}
}
