package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// acts is an audit log in memory, which can fail.
type acts struct {
	mu   sync.Mutex
	all  []api.Act
	fail error
}

func (a *acts) Record(act api.Act) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail == nil {
		a.all = append(a.all, act)
	}
	return a.fail
}

// Each act that changes something is recorded before it is done and with its answer
// afterwards: by whom, and to what, without a sender's text. Reading is no act.
func TestActsAreRecorded(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	log := &acts{}
	audited := func(c *api.Config) { c.Audit = log }
	guarded, open := l.serve(audited, guardedBy(newKeyring())), l.serve(audited)

	require.Equal(t, http.StatusOK, guarded.get("/v1/orders", "Authorization: Bearer admin").Status)
	guarded.ask(http.MethodPost, "/v1/rebuilds", "{}", "Authorization: Bearer raw").refused(http.StatusForbidden, "forbidden")
	require.Empty(t, log.all)

	answer := guarded.ask(http.MethodPost, "/v1/orders/ordatic/store-7:o-1/rebuild", `{"plan":true}`, "Authorization: Bearer admin")
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	open.ask(http.MethodPost, "/v1/rebuilds/7/cancel", "").refused(http.StatusNotImplemented, "projector-elsewhere")
	open.ask(http.MethodPost, "/v1/quarantine/SE4550000000058398257466/retry", "{}")

	require.Len(t, log.all, 6)
	for i, act := range log.all {
		require.Equal(t, now(), act.At)
		require.Equal(t, i%2 == 1, act.Status != 0)
	}
	first := log.all[1]
	require.Equal(t, "of-admin", first.By)
	require.Equal(t, "8c6976e5", first.Token)
	require.Equal(t, "POST /v1/orders/{source}/{key}/rebuild", first.Method+" "+first.Route)
	require.Equal(t, "ordatic", first.Parameters["source"])
	require.Equal(t, http.StatusOK, first.Status)
	require.Equal(t, "local", log.all[3].By)
	require.Empty(t, log.all[3].Token)
	require.Equal(t, map[string]string{"id": "7"}, log.all[3].Parameters)
	written, err := json.Marshal(log.all)
	require.NoError(t, err)
	require.NotContains(t, string(written), "store-7")
	require.NotContains(t, string(written), "SE45", "what is no id of ours may be anything")
}

// What cannot be recorded is not done.
func TestAnActThatCannotBeRecordedIsNotDone(t *testing.T) {
	t.Parallel()
	done := &rebuildsSeen{}
	c := newLedger(t).serve(func(c *api.Config) {
		c.Audit, c.Rebuilds = &acts{fail: errors.New("no room")}, done
	})
	answer := c.ask(http.MethodPost, "/v1/rebuilds", "{}")
	answer.refused(http.StatusServiceUnavailable, "audit-unwritable")
	require.NotContains(t, answer.Body, "no room")
	require.Zero(t, done.started)
	require.Equal(t, http.StatusOK, c.get("/v1/orders").Status)
}

// rebuildsSeen counts the rebuilds that were asked for.
type rebuildsSeen struct {
	anyRebuilds
	started int
}

type anyRebuilds interface{ api.Rebuilds }

func (r *rebuildsSeen) Start(domain.RebuildOptions) (domain.Rebuild, error) {
	r.started++
	return domain.Rebuild{}, nil
}
