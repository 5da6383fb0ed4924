package app

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// What was started last is stopped first, all of it whatever fails, and the error
// names what failed.
func TestStepsGoBackwardsAndNameTheFailures(t *testing.T) {
	t.Parallel()
	var order []string
	var s steps
	for _, name := range []string{"first", "second", "third"} {
		s.push(name, time.Second, func(context.Context) error {
			order = append(order, name)
			if name == "second" {
				return errors.New("it broke")
			}
			return nil
		})
	}
	require.EqualError(t, s.stop(), "second: it broke")
	require.Equal(t, []string{"third", "second", "first"}, order)
	require.NoError(t, s.stop(), "there is nothing left to stop")
	require.Len(t, order, 3)
}

// A step that hangs is left behind at its limit, and the ones after it are taken.
func TestAStepThatHangsIsLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		stopped := false
		var s steps
		s.push("after", time.Second, closing(func() error { stopped = true; return nil }))
		s.push("hangs", 3*time.Second, closing(func() error { <-release; return nil }))
		began := time.Now()
		require.EqualError(t, s.stop(), "hangs: not done after 3s")
		require.Equal(t, 3*time.Second, time.Since(began))
		require.True(t, stopped)
	})
}
