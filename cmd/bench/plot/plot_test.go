package plot_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/bench/plot"
)

// A picture is well-formed whatever its texts are, and each value is in it.
func TestThePictureHasEachValue(t *testing.T) {
	t.Parallel()
	var svg strings.Builder
	require.NoError(t, plot.Write(&svg, []plot.Chart{{
		Title: "rate & <size>", X: []float64{10_000, 100_000, 1_000_000}, Write: plot.Count,
		Lines: []plot.Line{{Name: "one", Y: []float64{4, 2, 0}}, {Name: "other", Y: []float64{1, 1, 1}}},
	}}))
	circles := 0
	for decoder := xml.NewDecoder(strings.NewReader(svg.String())); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "circle" {
			circles++
		}
	}
	require.Equal(t, 6, circles)
	require.Contains(t, svg.String(), `points="70.0,40.0 215.0,120.0 360.0,200.0"`)
	require.Contains(t, svg.String(), "one: 2 at 100k")
}

// One place, and lines of nothing, are drawn too.
func TestThePictureOfLittle(t *testing.T) {
	t.Parallel()
	var svg strings.Builder
	require.NoError(t, plot.Write(&svg, []plot.Chart{{X: []float64{5}, Lines: []plot.Line{{Y: []float64{0}}}, Write: plot.Count}}))
	require.NotContains(t, svg.String(), "NaN")
}

// Numbers are written in few letters.
func TestCount(t *testing.T) {
	t.Parallel()
	for n, text := range map[float64]string{0: "0", 850: "850", 12_300: "12.3k", 5e6: "5M"} {
		require.Equal(t, text, plot.Count(n))
	}
}
