package projector_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

// A projector that was held goes on as if it had not been: on an empty read model,
// which does not say yet what it is made from, on one that has webhooks, and
// although whoever held it is gone.
func TestHeldProjectorGoesOn(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	p := projector.New(log, model, projector.Config{})
	projectortest.Follow(t, p)
	require.Eventually(t, func() bool { return p.Status().Running }, projectortest.Patience, time.Millisecond)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	gone, leave := context.WithCancel(t.Context())
	leave()
	for n := range uint64(3) {
		require.NoError(t, p.Hold(gone, func() error { return nil }))
		require.ErrorIs(t, p.Hold(t.Context(), func() error { return context.Canceled }), context.Canceled)
		log.Accept(projectortest.Ordatic("order-accepted", "o-1"))
		require.Eventually(t, func() bool { return p.Status().Checkpoint == n+1 }, projectortest.Patience, time.Millisecond)
		checkpoint, err := model.Checkpoint(t.Context())
		require.NoError(t, err)
		require.Equal(t, info.Identity, checkpoint.Stream)
		require.Equal(t, projector.Version, checkpoint.Version)
		require.Equal(t, domain.Counts{Applied: n + 1}, checkpoint.Counts)
	}
}
