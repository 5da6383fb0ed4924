package main_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	main "github.com/ticketrail/ticketrail/cmd/bench"
)

// An answer with 200 is believed only where the stream has the webhook, once, in the
// place that was told, and nothing beside.
func TestAnswersAreComparedWithTheStream(t *testing.T) {
	t.Parallel()
	stored, err := main.Store(t.TempDir(), 10)
	require.NoError(t, err)
	require.NoError(t, stored.Check(t.Context()))

	all := stored.Answered
	stored.Answered = all[1:]
	require.ErrorContains(t, stored.Check(t.Context()), "webhooks were answered with 200, and the stream has")
	stored.Answered = append(all[:len(all):len(all)], all[0])
	require.ErrorContains(t, stored.Check(t.Context()), "webhooks were answered with 200, and the stream has")
	stored.Answered = append(all[1:len(all):len(all)], all[1])
	require.ErrorContains(t, stored.Check(t.Context()), "stream sequence 1 has another webhook")
	stored.Answered = all
	stored.Lie()
	require.ErrorContains(t, stored.Check(t.Context()), "stream sequence 2 has another webhook")
	stored.Answered = all
	stored.Dir = filepath.Join(t.TempDir(), "empty")
	require.ErrorContains(t, stored.Check(t.Context()), "and the stream has 0")
}
