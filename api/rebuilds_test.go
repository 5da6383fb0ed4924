package api_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// workshop is an api.Rebuilds and an api.Snapshots that builds nothing: it notes
// what is asked of it, and answers with what a test gives it.
type workshop struct {
	*ledger
	all       []domain.Rebuild // the oldest first
	asked     []domain.RebuildOptions
	busy      error // what Start and Rollback answer with, if not nil
	rollbacks int
	deleted   []int
}

// newWorkshop gives a workshop of two rebuilds that ended: one that found a
// difference, and a snapshot of stream sequence 3.
func newWorkshop(l *ledger) *workshop {
	return &workshop{ledger: l, all: []domain.Rebuild{
		{
			ID: 1, State: domain.RebuildDiffers, FromVersion: 1, ToVersion: 2, StreamSequence: 4, Target: 4,
			StartedAt: opening.Add(time.Hour), EndedAt: opening.Add(time.Hour + 2*time.Second),
			Difference: &domain.Difference{
				StreamSequence: 4,
				Tables:         []domain.TableDifference{{Table: "orders", InUse: 1, Rebuilt: 1, Changed: 1}},
				Orders:         domain.OrdersDifference{Changed: 1},
				Examples: []domain.OrderDifference{{Source: "ordatic", Key: "store-7:o-1", Fields: []domain.FieldDifference{
					{Pointer: "/steps/fulfillment", InUse: `"ready"`, Rebuilt: ""},
				}}},
			},
		},
		{
			ID: 2, Options: domain.RebuildOptions{Until: 3}, State: domain.RebuildKept, ToVersion: 1,
			StreamSequence: 3, Target: 3, StartedAt: opening.Add(time.Hour), EndedAt: opening.Add(time.Hour + time.Second),
		},
	}}
}

func (w *workshop) Start(o domain.RebuildOptions) (domain.Rebuild, error) {
	if w.busy != nil {
		return domain.Rebuild{}, w.busy
	}
	w.asked = append(w.asked, o)
	started := domain.Rebuild{ID: len(w.all) + 1, Options: o, State: domain.RebuildBuilding, ToVersion: 1, StartedAt: now()}
	w.all = append(w.all, started)
	return started, nil
}

func (w *workshop) Rebuild(id int) (domain.Rebuild, error) {
	if id > len(w.all) {
		return domain.Rebuild{}, domain.ErrNotFound
	}
	return w.all[id-1], nil
}

func (w *workshop) Rebuilds() []domain.Rebuild {
	newestFirst := slices.Clone(w.all)
	slices.Reverse(newestFirst)
	return newestFirst
}

func (w *workshop) Cancel(id int) error {
	rebuild, err := w.Rebuild(id)
	if err == nil && !rebuild.State.Ended() {
		w.all[id-1].State, w.all[id-1].EndedAt = domain.RebuildCanceled, now()
	}
	return err
}

func (w *workshop) Delete(id int) error {
	rebuild, err := w.Rebuild(id)
	switch {
	case err != nil:
		return err
	case !rebuild.State.Ended():
		return api.ErrRebuildGoesOn
	}
	w.deleted = append(w.deleted, id)
	return nil
}

func (w *workshop) Previous(context.Context) (domain.Checkpoint, error) {
	return domain.Checkpoint{StreamSequence: 2, Version: 1}, w.busy
}

func (w *workshop) Rollback(context.Context) error {
	if w.busy == nil {
		w.rollbacks++
	}
	return w.busy
}

// OrdersAt keeps the snapshot of stream sequence 3 alone, and gives the orders of
// today for it.
func (w *workshop) OrdersAt(ctx context.Context, streamSequence uint64, q domain.OrderQuery) ([]*domain.Order, error) {
	if streamSequence != 3 {
		return nil, domain.ErrNotFound
	}
	return w.Model.Orders(ctx, q)
}

// snapshotBytes is what the one snapshot's file holds.
const snapshotBytes = "SQLite format 3\x00 and so on"

func (w *workshop) OpenSnapshot(_ context.Context, streamSequence uint64) (*os.File, error) {
	if streamSequence != 3 {
		return nil, domain.ErrNotFound
	}
	path := filepath.Join(w.t.TempDir(), "3.sqlite")
	require.NoError(w.t, os.WriteFile(path, []byte(snapshotBytes), 0o600))
	return os.Open(path)
}

// Copy gives what the ledger holds.
func (w *workshop) Copy(ctx context.Context) (*os.File, error) {
	path := filepath.Join(w.t.TempDir(), "copy.sqlite")
	require.NoError(w.t, sqlite.CopyLive(ctx, w.Model.Path(), path))
	return os.Open(path)
}

// serveWorkshop starts the API on a ledger of five webhooks, with a workshop.
func serveWorkshop(t *testing.T, configure ...func(*api.Config)) (*workshop, *client) {
	t.Helper()
	l := newLedger(t)
	l.pizza()
	l.apply("ivy", "ivy", withHistory("i-1"))
	w := newWorkshop(l)
	configure = append(configure, func(c *api.Config) { c.Rebuilds, c.Snapshots = w, w })
	return w, l.serve(configure...)
}

// A rebuild is begun with what was asked for, and is then told of at its place.
func TestStartRebuild(t *testing.T) {
	t.Parallel()
	w, c := serveWorkshop(t)
	answer := c.post("/v1/rebuilds", `{"plan":true}`)
	require.Equal(t, http.StatusAccepted, answer.Status, answer.Body)
	require.Equal(t, "/v1/rebuilds/3", answer.Header.Get("Location"))
	require.Equal(t, []domain.RebuildOptions{{Plan: true}}, w.asked)

	w.all[2].StreamSequence, w.all[2].Target, w.all[2].StartedAt = 3, 4, now().Add(-6*time.Second)
	var told api.Rebuild
	c.get("/v1/rebuilds/3").into(&told)
	require.Equal(t, api.Rebuild{
		ID: 3, State: domain.RebuildBuilding, Plan: true, ToVersion: 1, StreamSequence: 3, Target: 4, Progress: 0.75,
		RatePerSecond: 0.5, ETASeconds: new(2.0), StartedAt: domain.InstantOf(now().Add(-6 * time.Second)),
	}, told)

	var projection api.Projection
	c.get("/v1/projection").into(&projection)
	require.Equal(t, &api.UnderWay{ID: 3, State: domain.RebuildBuilding, Progress: 0.75, URL: "/v1/rebuilds/3"}, projection.Rebuild)
}

// The end of a rebuild is told with its difference, field by field.
func TestEndedRebuildTellsItsDifference(t *testing.T) {
	t.Parallel()
	_, c := serveWorkshop(t)
	var list api.RebuildList
	c.get("/v1/rebuilds").into(&list)
	require.Len(t, list.Rebuilds, 2)
	require.Equal(t, 2, list.Rebuilds[0].ID, "the newest first")
	require.Equal(t, "/v1/rebuilds/2/file", *list.Rebuilds[0].File)
	told := list.Rebuilds[1]
	require.Equal(t, 2.0, told.RatePerSecond)
	require.Nil(t, told.ETASeconds)
	require.NotNil(t, told.EndedAt)
	require.False(t, told.Difference.Equal)
	require.Equal(t, []api.FieldDifference{{Pointer: "/steps/fulfillment", InUse: new(`"ready"`)}}, told.Difference.Examples[0].Fields)

	c.get("/v1/rebuilds?limit=1").into(&list)
	require.Len(t, list.Rebuilds, 1)
	c.get("/v1/rebuilds?limit=1&cursor=" + *list.NextCursor).into(&list)
	require.Equal(t, 1, list.Rebuilds[0].ID)
	require.Nil(t, list.NextCursor)
}

// A time stands for the last webhook that the stream had taken by then.
func TestUntilTime(t *testing.T) {
	t.Parallel()
	w, c := serveWorkshop(t) // webhooks 1 to 5 came at minutes 0 to 4
	for _, test := range []struct {
		time string
		last uint64
	}{
		{"2026-03-01T12:00:00Z", 1}, {"2026-03-01T12:00:59Z", 1}, {"2026-03-01T12:01:00Z", 2},
		{"2026-03-01T13:03:30+01:00", 4}, {"2026-03-01T12:04:00Z", 5}, {"2030-01-01T00:00:00Z", 5},
	} {
		require.Equal(t, http.StatusAccepted, c.post("/v1/rebuilds", fmt.Sprintf(`{"until_time":%q}`, test.time)).Status)
		require.Equal(t, domain.RebuildOptions{Until: test.last}, w.asked[len(w.asked)-1], test.time)
	}
	problem := c.post("/v1/rebuilds", `{"until_time":"2026-03-01T11:59:59Z"}`).refused(http.StatusBadRequest, "invalid-parameter")
	require.Contains(t, problem.Errors[0].Message, "no webhook")
}

// What contradicts itself, or lies beyond the stream, begins nothing.
func TestRebuildsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	w, c := serveWorkshop(t)
	for _, body := range []string{
		`{"plan":true,"accept":true}`, `{"until":3,"plan":true}`, `{"until":3,"accept":true}`,
		`{"until":3,"until_time":"2026-03-01T12:00:00Z"}`, `{"until":6}`, `{"until":0}`, `{"until":-1}`,
		`{"until_time":"yesterday"}`, `{"plan":"yes"}`, `{"pln":true}`, `[]`, `{`, ``,
	} {
		c.post("/v1/rebuilds", body).refused(http.StatusBadRequest, "invalid-parameter")
	}
	require.Empty(t, w.asked)
}

// While a rebuild goes on no other one begins, and where there is nothing to go
// back to nothing goes back.
func TestRebuildConflicts(t *testing.T) {
	t.Parallel()
	w, c := serveWorkshop(t)
	w.busy = fmt.Errorf("start: %w", api.ErrRebuildGoesOn)
	c.post("/v1/rebuilds", `{}`).refused(http.StatusConflict, "rebuild-goes-on")
	c.post("/v1/projection/rollback", "").refused(http.StatusConflict, "rebuild-goes-on")
	w.busy = api.ErrNoPrevious
	c.post("/v1/projection/rollback", "").refused(http.StatusConflict, "no-previous")
	c.get("/v1/projection/previous").refused(http.StatusConflict, "no-previous")
	w.busy = api.ErrPreviousVersion
	c.post("/v1/projection/rollback", "").refused(http.StatusConflict, "previous-version")
	w.busy = nil
	var previous api.Previous
	c.get("/v1/projection/previous").into(&previous)
	require.Equal(t, api.Previous{Checkpoint: 2, ProjectionVersion: 1}, previous)
	c.post("/v1/projection/rollback", "").into(&api.Projection{})
	require.Equal(t, 1, w.rollbacks)
}

// A rebuild that goes on can be canceled, one that has ended stays as it is.
func TestCancelRebuild(t *testing.T) {
	t.Parallel()
	w, c := serveWorkshop(t)
	_, err := w.Start(domain.RebuildOptions{})
	require.NoError(t, err)
	var told api.Rebuild
	const asJSON = "Content-Type: application/json"
	c.do(http.MethodDelete, "/v1/rebuilds/3", asJSON).refused(http.StatusConflict, "rebuild-goes-on")
	c.post("/v1/rebuilds/3/cancel", "").into(&told)
	require.Equal(t, domain.RebuildCanceled, told.State)
	c.post("/v1/rebuilds/2/cancel", "").into(&told)
	require.Equal(t, domain.RebuildKept, told.State)
	c.post("/v1/rebuilds/4/cancel", "").refused(http.StatusNotFound, "rebuild-not-found")
	c.do(http.MethodDelete, "/v1/rebuilds/4", asJSON).refused(http.StatusNotFound, "rebuild-not-found")
	require.Equal(t, http.StatusNoContent, c.do(http.MethodDelete, "/v1/rebuilds/3", asJSON).Status)
	require.Equal(t, []int{3}, w.deleted)
	c.get("/v1/rebuilds/4").refused(http.StatusNotFound, "rebuild-not-found")
}

// What changes something must be JSON by its content type, with a body or without:
// a web page cannot have a browser send that here. With a token it needs that too.
func TestChangesMustBeJSON(t *testing.T) {
	t.Parallel()
	w, c := serveWorkshop(t)
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"} {
		for method, path := range map[string]string{
			http.MethodPost: "/v1/rebuilds", http.MethodDelete: "/v1/rebuilds/1",
		} {
			c.send(method, path, `{}`, "Content-Type: "+contentType).refused(http.StatusUnsupportedMediaType, "not-json")
		}
		c.send(http.MethodPost, "/v1/projection/rollback", "", "Content-Type: "+contentType).refused(http.StatusUnsupportedMediaType, "not-json")
	}
	require.Equal(t, http.StatusAccepted, c.send(http.MethodPost, "/v1/rebuilds", `{}`, "Content-Type: application/json; charset=utf-8").Status)
	require.Len(t, w.asked, 1)

	_, guarded := serveWorkshop(t, func(c *api.Config) { c.Token = token })
	guarded.post("/v1/rebuilds", `{}`).refused(http.StatusUnauthorized, "unauthorized")
	guarded.post("/v1/projection/rollback", "").refused(http.StatusUnauthorized, "unauthorized")
	require.Equal(t, http.StatusAccepted, guarded.send(http.MethodPost, "/v1/rebuilds", `{}`,
		"Content-Type: application/json", "Authorization: Bearer "+token).Status)
}

// Where the projector is another process, nothing is rebuilt here.
func TestNoRebuildsElsewhere(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve()
	c.post("/v1/rebuilds", `{}`).refused(http.StatusNotImplemented, "projector-elsewhere")
	c.get("/v1/rebuilds/1").refused(http.StatusNotImplemented, "projector-elsewhere")
	c.post("/v1/projection/rollback", "").refused(http.StatusNotImplemented, "projector-elsewhere")
	var list api.RebuildList
	c.get("/v1/rebuilds").into(&list)
	require.Empty(t, list.Rebuilds)
}

// A snapshot is downloaded as it is, whole or from where a download broke off.
func TestDownloadSnapshot(t *testing.T) {
	t.Parallel()
	_, c := serveWorkshop(t)
	answer := c.get("/v1/rebuilds/2/file")
	require.Equal(t, http.StatusOK, answer.Status)
	require.Equal(t, snapshotBytes, answer.Body)
	require.Equal(t, "application/vnd.sqlite3", answer.Header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="orders-at-3.sqlite"`, answer.Header.Get("Content-Disposition"))
	answer = c.get("/v1/rebuilds/2/file", "Range: bytes=7-12")
	require.Equal(t, http.StatusPartialContent, answer.Status)
	require.Equal(t, "format", answer.Body)
	c.get("/v1/rebuilds/1/file").refused(http.StatusNotFound, "no-snapshot")
	c.get("/v1/rebuilds/9/file").refused(http.StatusNotFound, "rebuild-not-found")
}

// The orders as they were come from a snapshot; without one the problem says how
// to make it. A cursor of then is none of now.
func TestOrdersAt(t *testing.T) {
	t.Parallel()
	_, c := serveWorkshop(t)
	var then, now api.OrderList
	c.get("/v1/orders?at=3&limit=1").into(&then)
	require.Len(t, then.Orders, 1)
	c.get("/v1/orders?at=2026-03-01T12:02:30Z&limit=1&cursor=" + *then.NextCursor).into(&then)
	require.Len(t, then.Orders, 1)
	c.get("/v1/orders?limit=1").into(&now)
	c.get("/v1/orders?at=3&limit=1&cursor="+*now.NextCursor).refused(http.StatusBadRequest, "invalid-cursor")

	problem := c.get("/v1/orders?at=2").refused(http.StatusNotFound, "no-snapshot")
	require.Contains(t, problem.Detail, `POST /v1/rebuilds with {"until":2}`)
	c.get("/v1/orders?at=2020-01-01T00:00:00Z").into(&then)
	require.Empty(t, then.Orders, "there was none yet")
	for _, at := range []string{"0", "-1", "6", "yesterday", "2026-03-01"} {
		c.get("/v1/orders?at="+at).refused(http.StatusBadRequest, "invalid-parameter")
	}
}
