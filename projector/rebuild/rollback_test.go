package rebuild_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/rebuild"
	"github.com/ticketrail/ticketrail/projector/sqlite"
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

// A previous read model that is damaged anywhere does not come back: the rollback ends,
// and says why.
func TestRollbackToADamagedReadModelEnds(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(3))
	previous := r.model.Path()
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{}).State)
	inUse := r.model.Path()
	sound, err := os.ReadFile(previous)
	require.NoError(t, err)
	for page := 0; page < len(sound); page += pageSize {
		flip(t, previous, page)
		require.ErrorIs(t, r.Rollback(t.Context()), domain.ErrDamaged, "page %d", 1+page/pageSize)
		require.Equal(t, inUse, r.model.Path())
		require.NoError(t, os.WriteFile(previous, sound, 0o600))
	}
	require.NoError(t, r.Rollback(t.Context()))
	require.Equal(t, previous, r.model.Path())
}

// A read model in use that is damaged is what a rollback can be wanted for: it is not
// asked how far it is.
func TestRollbackFromADamagedReadModel(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(3))
	previous := r.model.Path()
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{}).State)
	r.close()
	folder, err := sqlite.OpenFolder(r.dir)
	require.NoError(t, err)
	content, err := os.ReadFile(folder.Current())
	require.NoError(t, err)
	for page := pageSize; page < len(content); page += pageSize {
		flip(t, folder.Current(), page)
		r.open(rules{})
		if _, err := r.model.Checkpoint(t.Context()); err != nil {
			break
		}
		r.close()
		require.NoError(t, os.WriteFile(folder.Current(), content, 0o600))
	}
	_, err = r.model.Checkpoint(t.Context())
	require.ErrorIs(t, err, domain.ErrDamaged)
	require.NoError(t, r.Rollback(t.Context()))
	require.Equal(t, previous, r.model.Path())
	require.Equal(t, domain.StateAccepted, r.order("s:1").State())
}

// pageSize is that of SQLite's pages, in bytes.
const pageSize = 4096

// flip flips a bit in the middle of a page.
func flip(t *testing.T, path string, page int) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	content[page+pageSize/2] ^= 1
	require.NoError(t, os.WriteFile(path, content, 0o600))
}
