package rebuild_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/rebuild"
)

// A rollback puts the previous read model, brought up to date, back into use; and
// another one undoes it.
func TestRollback(t *testing.T) {
	t.Parallel()
	r := start(t)
	require.ErrorIs(t, r.Rollback(t.Context()), rebuild.ErrNoPrevious)
	r.project(r.acceptOrders(3))
	first := r.model.Path()
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{}).State)
	second := r.model.Path()
	r.follow()
	last := r.log.Accept(projectortest.Ordatic("order-in-kitchen", "1"))
	require.NoError(t, r.model.WaitFor(t.Context(), last))

	for _, want := range []string{first, second} {
		require.NoError(t, r.Rollback(t.Context()))
		require.Equal(t, want, r.model.Path())
		require.Equal(t, domain.StateInKitchen, r.order("s:1").State())
		last = r.log.Accept(projectortest.Ordatic("order-accepted", "1"))
		require.NoError(t, r.model.WaitFor(t.Context(), last))
	}
	r.close()
	r.open(rules{})
	require.Equal(t, second, r.model.Path(), "after a restart too")
}

// A previous read model that is damaged does not come back: the rollback ends, and says
// why, where it cannot be brought up to date.
func TestRollbackToADamagedReadModelEnds(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(3))
	previous := r.model.Path()
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{}).State)
	r.project(r.acceptOrders(3))
	content, err := os.ReadFile(previous)
	require.NoError(t, err)
	content = bytes.ReplaceAll(content, []byte("s:1"), []byte("s:3"))
	require.NoError(t, os.WriteFile(previous, content, 0o600))
	require.ErrorIs(t, r.Rollback(t.Context()), domain.ErrDamaged)
	require.NotEqual(t, previous, r.model.Path())
}
