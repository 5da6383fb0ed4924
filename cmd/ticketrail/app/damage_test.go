package app_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// spoil flips a bit in every page of the read model in use that holds a text, or
// in the very first one.
func spoil(t *testing.T, c *config.Config, text string) {
	t.Helper()
	const page = 4096
	path, err := app.CurrentReadModel(c.Data)
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	spoilt := 0
	for start := 0; start < len(content); start += page {
		if bytes.Contains(content[start:start+page], []byte(text)) || text == "" && start == 0 {
			content[start+page/2] ^= 1
			spoilt++
		}
	}
	require.NotZero(t, spoilt)
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

// change changes the read model in use behind everybody's back.
func change(t *testing.T, c *config.Config, statement string) {
	t.Helper()
	path, err := app.CurrentReadModel(c.Data)
	require.NoError(t, err)
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, errors.Join(err, db.Close()))
}

// A start with a read model that cannot be opened, with a pointer that cannot be
// believed, or with a read model of an older program, takes webhooks as ever, and makes
// the read model anew. What was there is kept aside, and a record of it tells why.
func TestUnusableReadModelIsMadeAnewAtTheStart(t *testing.T) {
	t.Parallel()
	for name, unusable := range map[string]struct {
		make       func(*testing.T, *config.Config)
		aside, why string
	}{
		"the file is damaged": {func(t *testing.T, c *config.Config) { spoil(t, c, "") }, sqlite.Damaged, "the read model is damaged"},
		"the pointer is damaged": {func(t *testing.T, c *config.Config) {
			require.NoError(t, os.Truncate(filepath.Join(app.ReadModelFolder(c.Data), "CURRENT"), 20))
		}, sqlite.Damaged, "the read model is damaged"},
		"the schema is older": {func(t *testing.T, c *config.Config) {
			change(t, c, "PRAGMA user_version = 1")
		}, sqlite.Outdated, "an older program made it: it has number 1, this one "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := settings(t)
			p := run(t, c, options())
			p.ordatic("order-accepted", "1")
			p.caughtUp()
			require.Equal(t, domain.RebuildEqual, p.ended(p.rebuild(api.RebuildRequest{Plan: true}).ID).State)
			p.stop()
			unusable.make(t, c)

			p = run(t, c, options())
			require.EqualValues(t, 1, p.caughtUp().Counts.Applied)
			var all api.RebuildList
			p.get("/v1/rebuilds", &all)
			require.Len(t, all.Rebuilds, 2)
			require.Contains(t, *all.Rebuilds[0].StartedOver, unusable.why)
			require.EqualValues(t, 1, all.Rebuilds[0].Target)
			require.Nil(t, all.Rebuilds[1].StartedOver)
			require.Equal(t, domain.StateAccepted, p.state("1"))
			require.FileExists(t, filepath.Join(app.ReadModelFolder(c.Data), unusable.aside+"model-000001.sqlite"))
		})
	}
}

// A start with tallies that are not those of the orders counts the orders again, and says
// so; a start after that has nothing to say.
func TestWrongTalliesAreMendedAtTheStart(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	p.stop()
	change(t, c, "UPDATE order_tallies SET orders = 7")

	for _, said := range []bool{true, false} {
		var log bytes.Buffer // complete once the program has stopped
		o := options()
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		p = run(t, c, o)
		var stats api.Stats
		p.get("/v1/stats", &stats)
		require.Equal(t, []api.OrderCount{{Source: "ordatic", State: domain.StateAccepted, Orders: 1}}, stats.Orders)
		p.stop()
		require.Equal(t, said, strings.Contains(log.String(), "tallies were not those of its orders"), log.String())
	}
}

// waiting is a translation that waits until it is let go.
type waiting struct {
	provider.Ordatic
	gate chan struct{}
}

func (w waiting) Translate(webhook *domain.Webhook) (*domain.Event, error) {
	<-w.gate
	return w.Ordatic.Translate(webhook)
}

// A read model that is made from the beginning of the stream denies no order that
// there is: until it has come to where the stream was, no read of it is answered, and
// the program is not ready.
func TestIncompleteReadModelIsNotServed(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	p.stop()
	require.NoError(t, os.RemoveAll(app.ReadModelFolder(c.Data)))

	p, gate := runWaiting(t, c)
	for path, code := range map[string]string{
		"/v1/orders": "read-model-incomplete", "/v1/orders/ordatic/s:1": "read-model-incomplete",
		"/v1/stats": "read-model-incomplete", "/readyz": "",
	} {
		status, text, err := p.ask(http.MethodGet, path, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, status, path)
		require.Contains(t, string(text), code)
	}
	var projection api.Projection
	p.get("/v1/projection", &projection)
	require.Zero(t, projection.Checkpoint)
	close(gate)
	require.EqualValues(t, 1, p.caughtUp().Counts.Applied)
	require.Equal(t, domain.StateAccepted, p.state("1"))
}

// runWaiting runs a program whose projector waits at its first webhook until the gate is
// closed.
func runWaiting(t *testing.T, c *config.Config) (p *program, gate chan struct{}) {
	o, gate := options(), make(chan struct{})
	o.Projection.Providers = []provider.Provider{waiting{gate: gate}}
	return run(t, c, o), gate
}

// Nor is it served where the program was killed half way: the next start knows how far
// the read model had to come.
func TestIncompleteReadModelIsNotServedAfterAnotherStart(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	p.stop()
	path, err := app.CurrentReadModel(c.Data)
	require.NoError(t, err)
	halfWay, err := os.ReadFile(path)
	require.NoError(t, err)
	p = run(t, c, options())
	p.ordatic("order-accepted", "2")
	p.stop()

	require.NoError(t, os.RemoveAll(app.ReadModelFolder(c.Data)))
	p = run(t, c, options())
	p.caughtUp()
	p.stop()
	require.NoError(t, os.WriteFile(path, halfWay, 0o600))
	p, gate := runWaiting(t, c)
	status, text, err := p.ask(http.MethodGet, "/v1/orders/ordatic/s:2", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, string(text), "read-model-incomplete")
	close(gate)
	p.caughtUp()
	require.Equal(t, domain.StateAccepted, p.state("2"))
}

// A damaged page that only a read comes upon is never served: the API says what it
// is, the projector stops before it, and a rebuild that accepts a difference mends it.
func TestDamagedPageIsNeverServed(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	p.stop()
	spoil(t, c, "s:1")

	p = run(t, c, options())
	status, text, err := p.ask(http.MethodGet, "/v1/orders/ordatic/s:1", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, status)
	var problem api.Problem
	require.NoError(t, json.Unmarshal(text, &problem))
	require.Equal(t, "read-model-damaged", problem.Code)

	answer, err := p.sender("ordatic").Send(t.Context(), "", []byte(`{"eventType":"order-in-kitchen","storeId":"s","data":{"orderId":"1"}}`))
	require.NoError(t, err)
	require.True(t, answer.OK(), "webhooks are taken all the same")
	var projection api.Projection
	require.Eventually(t, func() bool {
		p.get("/v1/projection", &projection)
		return projection.Running != nil && !*projection.Running && projection.Hint != nil
	}, patience, 5*time.Millisecond)
	require.Contains(t, *projection.Reason, domain.ErrDamaged.Error())
	require.Contains(t, *projection.Hint, "ticketrail rebuild --accept")

	require.Equal(t, domain.RebuildSwitched, p.ended(p.rebuild(api.RebuildRequest{Accept: true}).ID).State)
	p.reached(answer.StreamSequence)
	require.Equal(t, domain.StateInKitchen, p.state("1"))
}

// A snapshot of which any page is damaged is not given away, and a list of its orders
// that comes upon the page says what it is.
func TestDamagedSnapshotIsNotGivenAway(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	told := p.ended(p.rebuild(api.RebuildRequest{Until: 1}).ID)
	path := filepath.Join(app.ReadModelFolder(c.Data), "snapshots", "1.sqlite")
	sound, err := os.ReadFile(path)
	require.NoError(t, err)
	const page = 4096
	var listed int
	for start := 0; start < len(sound); start += page {
		spoilt := bytes.Clone(sound)
		spoilt[start+page/2] ^= 1
		require.NoError(t, os.WriteFile(path, spoilt, 0o600))
		for _, url := range []string{*told.File, "/v1/orders?at=1"} {
			status, text, err := p.ask(http.MethodGet, url, nil)
			require.NoError(t, err)
			if status == http.StatusOK && url != *told.File {
				listed++
				continue
			}
			require.Equal(t, http.StatusServiceUnavailable, status, "page %d", 1+start/page)
			require.Contains(t, string(text), "snapshot-damaged")
		}
	}
	require.Less(t, listed, len(sound)/page-2, "the pages of the orders and of the checkpoint are read")
}
