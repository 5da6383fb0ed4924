package rebuild_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

// A snapshot is the read model as it was: what a projector had that stopped there.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.acceptOrders(10)
	r.project(r.log.Accept(projectortest.Ordatic("order-in-kitchen", "1")))
	_, err := r.Snapshot(t.Context(), 5)
	require.ErrorIs(t, err, domain.ErrNotFound)
	require.Equal(t, domain.RebuildKept, r.rebuilt(domain.RebuildOptions{Until: 5}).State)

	snapshot, err := r.Snapshot(t.Context(), 5)
	require.NoError(t, err)
	orders, err := snapshot.Orders(t.Context(), domain.OrderQuery{Limit: 100})
	require.NoError(t, err)
	require.Len(t, orders, 5)
	checkpoint, err := snapshot.Checkpoint(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 5, checkpoint.StreamSequence)
	require.NoError(t, snapshot.Close())
	require.Len(t, r.files(), 1)

	begun, err := r.Start(domain.RebuildOptions{Until: 1000})
	require.NoError(t, err)
	beyond, err := r.Wait(t.Context(), begun.ID)
	require.NoError(t, err)
	require.Equal(t, domain.RebuildFailed, beyond.State)
	require.Contains(t, beyond.Error, "ends at stream sequence 11")
}

// A snapshot is served by the stream and the version of the projection that made
// it alone: for another of either there is none, until it is made anew.
func TestSnapshotOfAnotherStreamOrVersion(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.acceptOrders(3)
	r.rebuilt(domain.RebuildOptions{Until: 2})
	r.close()

	r.open(rules{version: projector.Version + 1})
	_, err := r.Snapshot(t.Context(), 2)
	require.ErrorIs(t, err, domain.ErrNotFound)
	r.close()

	first := r.log
	r.log = projectortest.StartBroker(t, t.TempDir())
	r.acceptOrders(3)
	r.open(rules{})
	_, err = r.Snapshot(t.Context(), 2)
	require.ErrorIs(t, err, domain.ErrNotFound)
	r.rebuilt(domain.RebuildOptions{Until: 2})
	snapshot, err := r.Snapshot(t.Context(), 2)
	require.NoError(t, err)
	require.NoError(t, snapshot.Close())

	r.log.Stop()
	_, err = r.Snapshot(t.Context(), 2)
	require.ErrorIs(t, err, domain.ErrNoStream)
	r.close()
	r.log = first
	r.open(rules{})
	_, err = r.Snapshot(t.Context(), 2)
	require.ErrorIs(t, err, domain.ErrNotFound)
}

// Two snapshots of the same stream sequence share a file, which is there for as long
// as one of them is.
func TestTwoSnapshotsShareAFile(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.acceptOrders(3)
	first := r.rebuilt(domain.RebuildOptions{Until: 2})
	second := r.rebuilt(domain.RebuildOptions{Until: 2})
	require.NoError(t, r.Delete(first.ID))
	require.FileExists(t, r.SnapshotPath(2))
	require.NoError(t, r.Delete(second.ID))
	require.NoFileExists(t, r.SnapshotPath(2))
}
