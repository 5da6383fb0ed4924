package provider_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// To read a body takes no more than a few times its size, also where it looks as though it
// held millions of values. It is not parallel, since it counts what all of the program takes.
func TestCommasTakeNoMemory(t *testing.T) {
	const size = 4 << 20
	p, _ := provider.Named("ivy")
	for _, body := range []string{
		`{"type":"test","payload":{"note":"` + strings.Repeat(",", size) + `"}}`,
		strings.Repeat(",", size),
	} {
		w := webhook(p, body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := p.Translate(w)
		runtime.ReadMemStats(&after)
		require.Error(t, err)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*size))
	}
}
