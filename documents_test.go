package ticketrail_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxArchitecture is what a stranger reads in one sitting, in lines.
const maxArchitecture = 200

// What the API answers is in the table of the README.
func TestTheReadmeNamesEveryPath(t *testing.T) {
	t.Parallel()
	var document struct{ Paths map[string]any }
	require.NoError(t, json.Unmarshal([]byte(read(t, "api/openapi.json")), &document))
	require.NotEmpty(t, document.Paths)
	readme := read(t, "README.md")
	for path := range document.Paths {
		requireNamed(t, readme, path+"`")
	}
}

// What stops a threat is what a test protects: each that SECURITY.md names is there,
// and every threat has one.
func TestEveryThreatHasATest(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			tests.WriteString(read(t, name))
		}
	}
	_, threats, _ := strings.Cut(read(t, "SECURITY.md"), "|---|---|---|\n")
	threats, _, _ = strings.Cut(threats, "\n\n")
	rows := 0
	for row := range strings.Lines(threats) {
		cells := strings.Split(row, " | ")
		require.Len(t, cells, 3, row)
		named := testName.FindAllString(cells[2], -1)
		require.NotEmpty(t, named, row)
		for _, name := range named {
			if script, ok := strings.CutSuffix(name, ".txtar"); ok {
				require.FileExists(t, "cmd/ticketrail/testdata/script/"+script+".txtar")
			} else {
				requireNamed(t, tests.String(), "\nfunc "+name+"(t *testing.T)")
			}
		}
		rows++
	}
	require.Greater(t, rows, 20)
}

// testName is a test or a script, as SECURITY.md names it.
var testName = regexp.MustCompile(`\bTest\w+|\b[a-z_]+\.txtar\b`)

// The architecture stays short enough to be read whole, and so to be kept true.
func TestTheArchitectureIsShort(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, strings.Count(read(t, "ARCHITECTURE.md"), "\n"), maxArchitecture)
}

// requireNamed spares the reader of a failure the whole document.
func requireNamed(t *testing.T, document, text string) {
	t.Helper()
	require.True(t, strings.Contains(document, text), "nowhere in the document: %s", text)
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}
