package app_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
)

// What one process erases, no other one keeps in what it has made of its own read model: not in
// a snapshot that has the order, nor in the previous read model. One that is older than the order stays.
func TestReplicasForgetWhatIsErased(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	p := run(t, b.settings(), options())
	p.ordatic("order-accepted", "before")
	p.ordatic("order-accepted", "erased")
	o := options()
	o.Parts = app.Reads
	replica := run(t, b.replicaOf(p), o)
	replica.reached(2)
	replica.ended(replica.rebuild(api.RebuildRequest{Until: 1}).ID)
	replica.ended(replica.rebuild(api.RebuildRequest{Until: 2}).ID)
	replica.ended(replica.rebuild(api.RebuildRequest{}).ID)
	replica.get("/v1/projection/previous", &api.Previous{})

	p.erase("ordatic", "s:erased", api.ErasureRequest{Reason: "asked for"})
	status := func(path string) int {
		status, _, err := replica.ask(http.MethodGet, path, nil)
		require.NoError(t, err)
		return status
	}
	require.Eventually(t, func() bool { return status("/v1/orders?at=2") == http.StatusNotFound }, patience, 20*time.Millisecond)
	require.Equal(t, http.StatusConflict, status("/v1/projection/previous"))
	require.Equal(t, http.StatusOK, status("/v1/orders?at=1"))
}
