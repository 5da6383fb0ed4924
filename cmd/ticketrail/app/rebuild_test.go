package app_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector"
)

var large = flag.Int("large", 20_000, "how many webhooks the large rebuild reads")

// A rebuild of an empty stream is one like any other.
func TestRebuildOfAnEmptyStream(t *testing.T) {
	t.Parallel()
	p := run(t, settings(t), options())
	require.Equal(t, domain.RebuildEqual, p.ended(p.rebuild(api.RebuildRequest{Plan: true}).ID).State)
	told := p.ended(p.rebuild(api.RebuildRequest{}).ID)
	require.Equal(t, domain.RebuildSwitched, told.State)
	require.Equal(t, 1.0, told.Progress)
	require.True(t, told.Difference.Equal)
	p.ordatic("order-accepted", "1")
	require.Equal(t, domain.StateAccepted, p.state("1"))
}

// While webhooks keep coming and readers keep asking, a large read model is
// rebuilt, compared, put in place and rolled back: no webhook is refused, no read
// fails, no checkpoint goes back, and at the end it is what the stream makes of it.
func TestRebuildOfALargeStream(t *testing.T) {
	t.Parallel()
	c := settings(t)
	fill(t, c, *large)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var traffic errgroup.Group
	traffic.Go(func() error { return p.traffic(ctx) })
	for _, path := range []string{"/v1/orders?limit=5", "/v1/orders/ordatic/s:1", "/v1/stats", "/v1/orders/ordatic/s:1/timeline"} {
		traffic.Go(func() error { return p.read(ctx, path) })
	}
	traffic.Go(func() error { return p.watchCheckpoint(ctx) })

	told := p.ended(p.rebuild(api.RebuildRequest{}).ID)
	require.Equal(t, domain.RebuildSwitched, told.State)
	require.True(t, told.Difference.Equal)
	require.GreaterOrEqual(t, told.StreamSequence, uint64(*large))
	t.Logf("%d webhooks, %.0f a second", told.StreamSequence, told.RatePerSecond)
	p.change(http.MethodPost, "/v1/projection/rollback", nil, &api.Projection{})
	stop()
	require.NoError(t, traffic.Wait())

	last := p.caughtUp().Checkpoint
	told = p.ended(p.rebuild(api.RebuildRequest{Plan: true}).ID)
	require.Equal(t, domain.RebuildEqual, told.State)
	require.Equal(t, last, told.Difference.StreamSequence)
	p.stop()
	require.Len(t, readModels(t, c.Data), 2, "the one in use and the one before")
}

// read asks for a path until ctx ends, and each time requires an answer.
func (p *program) read(ctx context.Context, path string) error {
	for pace := rate.NewLimiter(perSecond, 1); pace.Wait(ctx) == nil; {
		if status, text, err := p.ask(http.MethodGet, path, nil); err != nil || status != http.StatusOK {
			return fmt.Errorf("%s: %d %s: %w", path, status, text, err)
		}
	}
	return nil
}

// watchCheckpoint requires until ctx ends that the checkpoint never goes back.
func (p *program) watchCheckpoint(ctx context.Context) error {
	var last uint64
	for pace := rate.NewLimiter(perSecond, 1); pace.Wait(ctx) == nil; {
		var now api.Projection
		p.get("/v1/projection", &now)
		if now.Checkpoint < last {
			return fmt.Errorf("the checkpoint went back from %d to %d", last, now.Checkpoint)
		}
		last = now.Checkpoint
	}
	return nil
}

func readModels(t *testing.T, data string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(app.ReadModelFolder(data), "model-*.sqlite"))
	require.NoError(t, err)
	return paths
}

// While one rebuild goes on no other one begins; canceled, it leaves the read
// model in use as it was and nothing else, and the next one comes to its end.
func TestCancelARebuild(t *testing.T) {
	t.Parallel()
	c := settings(t)
	fill(t, c, 3000)
	p := run(t, c, options())
	before := p.caughtUp()
	begun := p.rebuild(api.RebuildRequest{})
	status, text, err := p.ask(http.MethodPost, "/v1/rebuilds", api.RebuildRequest{})
	require.NoError(t, err)
	require.Equal(t, http.StatusConflict, status, string(text))
	var told api.Rebuild
	p.change(http.MethodPost, fmt.Sprint("/v1/rebuilds/", begun.ID, "/cancel"), nil, &told)
	require.Equal(t, domain.RebuildCanceled, told.State)
	require.Equal(t, before.Counts, p.caughtUp().Counts)
	require.Len(t, readModels(t, c.Data), 1)
	require.Equal(t, domain.RebuildSwitched, p.ended(p.rebuild(api.RebuildRequest{}).ID).State)
}

// A snapshot is the read model as it was, kept over a restart.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	for _, event := range []string{"order-accepted", "order-in-kitchen", "rider-delivering"} {
		p.ordatic(event, "1")
	}
	told := p.ended(p.rebuild(api.RebuildRequest{Until: 2}).ID)
	require.Equal(t, domain.RebuildKept, told.State)
	p.stop()
	p = run(t, c, options())
	var then api.OrderList
	p.get("/v1/orders?at=2", &then)
	require.Equal(t, domain.StateInKitchen, then.Orders[0].State)
	require.Equal(t, domain.StateRiderDelivering, p.state("1"))
	status, file, err := p.ask(http.MethodGet, *told.File, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.True(t, bytes.HasPrefix(file, []byte("SQLite format 3\x00")))
}

// kitchenFirst is a changed translation: an accepted order is in the kitchen. Its
// gate keeps it waiting until it is opened.
type kitchenFirst struct {
	provider.Ordatic
	gate chan struct{}
}

func (k kitchenFirst) Translate(w *domain.Webhook) (*domain.Event, error) {
	<-k.gate
	changed := *w
	changed.Body = bytes.ReplaceAll(w.Body, []byte("order-accepted"), []byte("order-in-kitchen"))
	return k.Ordatic.Translate(&changed)
}

// newer are the options of a program whose rules have changed.
func newer() (o app.Options, gate chan struct{}) {
	gate = make(chan struct{})
	o = options()
	o.Projection = app.Projection{Version: projector.Version + 1, Providers: []provider.Provider{kitchenFirst{gate: gate}}}
	return o, gate
}

// A program with newer rules serves the old read model as it is, and says so,
// while it builds the new one by itself; then it puts that one in place and goes
// on with it. The difference that the new rules made is kept over a restart. A
// program with the older rules serves the newer read model, and says that it
// cannot go on with it.
func TestChangedTranslation(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	p.stop()

	changed, gate := newer()
	p = run(t, c, changed)
	require.Equal(t, domain.StateAccepted, p.state("1"), "served as it is")
	requireStopped := func() {
		require.Eventually(t, func() bool {
			var projection api.Projection
			p.get("/v1/projection", &projection)
			return !*projection.Running && projection.Reason != nil
		}, patience, 5*time.Millisecond)
		status, text, err := p.ask(http.MethodGet, "/readyz", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Contains(t, string(text), "another version")
	}
	requireStopped()
	var projection api.Projection
	p.get("/v1/projection", &projection)
	require.Equal(t, projector.Version, projection.ProjectionVersion)
	require.NotNil(t, projection.Rebuild)

	close(gate)
	told := p.ended(projection.Rebuild.ID)
	require.Equal(t, domain.RebuildSwitched, told.State)
	require.Equal(t, domain.StateInKitchen, p.state("1"))
	p.ordatic("order-accepted", "2")
	require.Equal(t, domain.StateInKitchen, p.state("2"), "the projector goes on with the new rules")
	status, text, err := p.ask(http.MethodPost, "/v1/projection/rollback", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusConflict, status, string(text))
	p.stop()

	p = run(t, c, changed)
	var list api.RebuildList
	p.get("/v1/rebuilds", &list)
	require.Len(t, list.Rebuilds, 1, "nothing is left to rebuild")
	require.Equal(t, [2]int{projector.Version, projector.Version + 1}, [2]int{list.Rebuilds[0].FromVersion, list.Rebuilds[0].ToVersion})
	require.Equal(t, api.OrdersDifference{Changed: 1}, list.Rebuilds[0].Difference.Orders)
	require.Contains(t, list.Rebuilds[0].Difference.Examples[0].Fields, api.FieldDifference{
		Pointer: "/steps/fulfillment", InUse: new(`"accepted"`), Rebuilt: new(`"in-kitchen"`),
	})
	p.stop()

	p = run(t, c, options())
	requireStopped()
	require.Equal(t, domain.StateInKitchen, p.state("1"))
	require.Equal(t, domain.RebuildSwitched, p.ended(p.rebuild(api.RebuildRequest{Accept: true}).ID).State)
	require.Equal(t, domain.StateAccepted, p.state("1"))
	p.ordatic("order-in-kitchen", "1")
	require.Equal(t, domain.StateInKitchen, p.state("1"), "the projector goes on with the read model that was rebuilt")
}

// An update whose read model cannot be compared with the one in use leaves that one
// in use, and the log says why.
func TestUpdateThatCannotCompareSaysWhy(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	p.stop()
	require.NoError(t, errors.Join(os.RemoveAll(app.StreamFolder(c.Data)), os.RemoveAll(app.ArchiveFolder(c))))

	changed, gate := newer()
	close(gate)
	log := &said{}
	changed.Logger = slog.New(slog.NewTextHandler(log, nil))
	p = run(t, c, changed)
	require.Eventually(t, func() bool {
		return strings.Contains(log.String(), "the read model of older rules stays in use")
	}, patience, 5*time.Millisecond)
	require.Regexp(t, `stays in use" rebuild=2 state=differs reason="the two could not be compared, .*: the stream is another one`, log.String())
	require.Equal(t, domain.StateAccepted, p.state("1"), "served as it is")
}

// A program that is told to stop in the middle of a rebuild stops, and the next
// one has the read model of before.
func TestStopInTheMiddleOfARebuild(t *testing.T) {
	t.Parallel()
	c := settings(t)
	fill(t, c, 3000)
	p := run(t, c, options())
	before := p.caughtUp()
	begun := p.rebuild(api.RebuildRequest{})
	p.stop()
	p = run(t, c, options())
	require.Equal(t, before.Counts, p.caughtUp().Counts)
	require.Equal(t, domain.RebuildCanceled, p.ended(begun.ID).State)
	require.Len(t, readModels(t, c.Data), 1)
}
