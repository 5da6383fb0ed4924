package meanwhile_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/meanwhile"
)

// Who waits for less than two seconds is told nothing; and who waits longer is told again
// and again, until the end and not after it.
func TestWhoWaitsIsTold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		terminal bool
		waits    time.Duration
		said     string
	}{
		{"soon done", false, 1900 * time.Millisecond, ""},
		{"soon done on a terminal", true, 1900 * time.Millisecond, ""},
		{"in a log", false, 12500 * time.Millisecond, "reading … 2s\nreading … 7s\nreading … 12s\n"},
		{"on a terminal", true, 3500 * time.Millisecond, "\rreading … 2s\x1b[K\rreading … 3s\x1b[K\r\x1b[K"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var said strings.Builder
				end := meanwhile.Tell(&said, test.terminal, "reading")
				<-time.After(test.waits) // in the bubble at once
				end()
				require.Equal(t, test.said, said.String())
			})
		})
	}
}
