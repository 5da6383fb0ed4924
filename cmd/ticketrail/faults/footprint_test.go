package faults_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// memoryLimit is what a program may ever take of the machine's memory, in bytes, as
// it is shipped; the race detector needs several times that for itself.
const memoryLimit = 256 << 20

// footprint is how much a program holds.
type footprint struct {
	goroutines, files int
	resident, highest int64 // bytes of memory, now and ever
}

// measure asks the system and the program itself.
func (p *program) measure(t testing.TB) footprint {
	t.Helper()
	uses, err := p.uses()
	require.NoError(t, err)
	status := fmt.Sprintf("/proc/%d/status", p.command.Process.Pid)
	return footprint{
		goroutines: int(uses[held[0]]), files: int(uses[held[1]]),
		resident: kilobytes(t, status, "VmRSS:"), highest: kilobytes(t, status, "VmHWM:"),
	}
}

// kilobytes reads a line of /proc, and gives bytes.
func kilobytes(t testing.TB, file, name string) int64 {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), name)
	require.True(t, found, name)
	n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	require.NoError(t, err)
	return n << 10
}

// require requires that a program came back to this footprint, but for what idles,
// and never took more memory than it may.
func (before footprint) require(t *testing.T, p *program) {
	t.Helper()
	var now footprint
	back := await(patience, func() bool {
		now = p.measure(t)
		return now.goroutines <= before.goroutines+spare && now.files <= before.files+spare
	})
	require.True(t, back, "before it was %+v, and after it is %+v", before, now)
	limit := int64(memoryLimit)
	if slices.Contains(buildFlags(), "-race=true") {
		limit *= 8
	}
	require.Less(t, now.highest, limit)
	t.Logf("before %+v, after %+v", before, now)
}
