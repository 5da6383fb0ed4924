package domain_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

var update = flag.Bool("update", false, "rewrite the diagram in ARCHITECTURE.md")

const (
	architecture = "../ARCHITECTURE.md"
	diagramBegin = "<!-- diagram:begin -->\n"
	diagramEnd   = "<!-- diagram:end -->"
)

// The diagram in ARCHITECTURE.md is the machine that the code is. With -update
// the test draws it anew.
func TestDiagramIsTheOneInTheDocument(t *testing.T) {
	document, err := os.ReadFile(architecture)
	require.NoError(t, err)
	before, rest, begins := strings.Cut(string(document), diagramBegin)
	drawn, after, ends := strings.Cut(rest, diagramEnd)
	require.True(t, begins && ends, "the diagram's markers are missing")

	diagram := "\n```mermaid\n" + domain.Diagram() + "```\n\n"
	if *update {
		document := before + diagramBegin + diagram + diagramEnd + after
		require.NoError(t, os.WriteFile(architecture, []byte(document), 0o644))
		return
	}
	require.Equal(t, diagram, drawn, "draw it anew: go test ./domain -run Diagram -update")
}

// The diagram is the same whenever it is drawn, names every headline, and is
// small enough to read.
func TestDiagramIsStableAndWhole(t *testing.T) {
	t.Parallel()
	diagram := domain.Diagram()
	for range 20 {
		require.Equal(t, diagram, domain.Diagram())
	}
	for _, state := range domain.States() {
		require.Contains(t, diagram, state.String())
	}
	require.LessOrEqual(t, strings.Count(diagram, "\n"), 30)
}
