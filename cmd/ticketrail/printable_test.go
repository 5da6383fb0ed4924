package main

import (
	"encoding/json"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// JSON for a terminal says what it said, and nothing in it steers the terminal.
func TestPrintableJSONSaysTheSame(t *testing.T) {
	t.Parallel()
	odd := rapid.SampledFrom([]rune{0x1b, 0x7f, 0x80, 0x9b, 0x9f, 0xa0, 0xad, 0x202e, 0x2028, 0xfeff, 0xfffd, 0xe0001, 0x1f600, '"', '\\', 'a', 'ä'})
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.OneOf(odd, rapid.Rune())).Draw(t, "text"))
		encoded, err := json.MarshalIndent(map[string]string{"text": text}, "", "\t")
		require.NoError(t, err)
		safe := printableJSON(encoded)
		for _, r := range string(safe) {
			require.True(t, unicode.IsPrint(r) || r == '\n' || r == '\t', "%U", r)
		}
		var was, is map[string]string
		require.NoError(t, json.Unmarshal(encoded, &was))
		require.NoError(t, json.Unmarshal(safe, &is))
		require.Equal(t, was, is)
	})
}
