package app_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/archive/archivetest"
)

// small makes a stream that has room for some dozen webhooks, and trims it behind small
// segments in a store.
func small(t *testing.T) (*config.Config, app.Options) {
	t.Helper()
	c, o := settings(t), options()
	c.Stream.MaxBytes, c.Stream.Keep = 120_000, 1
	c.Archive.Store, o.SegmentSize = filepath.Join(t.TempDir(), "store"), 4<<10
	return c, o
}

// outgrow sends webhooks of simulated orders until the stream has been trimmed some times:
// what it has no room for is sent again, as senders do.
func (p *program) outgrow(orders int) {
	p.t.Helper()
	simulator := simulate.New(3)
	for n := range orders {
		for _, adapter := range provider.All() {
			for _, w := range simulator.Order(adapter.Name(), n, time.Unix(1_700_000_000, 0)) {
				require.Eventually(p.t, func() bool {
					answer, err := p.sender(adapter.Name()).Send(p.t.Context(), w.ID, w.Body)
					return err == nil && answer.OK()
				}, patience, 20*time.Millisecond)
			}
		}
	}
}

// metric gives the value of a metric.
func (p *program) metric(name string) float64 {
	families, err := p.Metrics().Gather()
	require.NoError(p.t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	require.Fail(p.t, "no metric "+name)
	return 0
}

// More webhooks than the stream, and so its disk, has room for: the read model that is made
// of the store and the stream is the one that was made of every webhook as it came. Single
// webhooks and lookbacks read on both sides of the seam, and so does who begins anew.
func TestAStreamOutgrowsItsDisk(t *testing.T) {
	t.Parallel()
	c, o := small(t)
	p := run(t, c, o)
	p.outgrow(30)
	whole := p.caughtUp()
	require.EqualValues(t, 1, whole.Stream.First)
	trimmed := uint64(p.metric("ticketrail_stream_trimmed_sequence"))
	require.Greater(t, trimmed, whole.Stream.Last/2, "%d webhooks", whole.Stream.Last)
	require.GreaterOrEqual(t, uint64(p.metric("ticketrail_archive_store_last_sequence")), trimmed)
	require.Zero(t, p.metric("ticketrail_archive_store_failing"))

	told := p.ended(p.rebuild(api.RebuildRequest{}).ID)
	require.Equal(t, domain.RebuildSwitched, told.State)
	require.True(t, told.Difference.Equal)
	for _, sequence := range []uint64{1, trimmed, trimmed + 1, whole.Stream.Last} {
		status, _, err := p.ask(http.MethodGet, fmt.Sprint("/v1/webhooks/", sequence), nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	}
	var first struct {
		Orders []api.Order `json:"orders"`
	}
	p.get("/v1/orders?limit=50", &first)
	for _, order := range first.Orders {
		status, text, err := p.ask(http.MethodGet, api.PathOfOrder(order.Source, order.Key)+"/explanation", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, "%s", text)
	}
	p.stop()

	require.NoError(t, os.RemoveAll(app.ReadModelFolder(c.Data)))
	p = run(t, c, o)
	again := p.caughtUp()
	require.Equal(t, whole.Counts, again.Counts)
}

// An order is erased out of the store as well, and a rebuild of both ends in the same
// erased order.
func TestAnErasureReachesTheStore(t *testing.T) {
	t.Parallel()
	c, o := small(t)
	p := run(t, c, o)
	p.send("ivy", ivyOrder("gone", 1, "processing", person))
	last := p.send("ivy", ivyOrder("gone", 2, "accepted", person))
	p.outgrow(12)
	require.Eventually(t, func() bool { return uint64(p.metric("ticketrail_stream_trimmed_sequence")) >= last }, patience, 10*time.Millisecond)
	require.Contains(t, archivetest.Text(t, c.Archive.Store), person)
	p.caughtUp()
	erased := p.erase("ivy", "gone", api.ErasureRequest{Reason: "asked for"})
	require.Len(t, erased.Webhooks, 2)
	require.NotContains(t, archivetest.Text(t, c.Archive.Store), person)
	require.Empty(t, filesWith(t, c.Data, person))
	require.True(t, p.ended(p.rebuild(api.RebuildRequest{Plan: true}).ID).Difference.Equal)
}

// The store may be a bucket, by its own name and keys alone.
func TestTheStoreMayBeABucket(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("archive"))
	served := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(served.Close)
	c, o := small(t)
	c.Archive.Store = "s3://archive/a/prefix"
	c.Archive.S3 = config.S3{Endpoint: served.URL, Region: "here", AccessKey: "key", SecretKey: "secret"}
	p := run(t, c, o)
	p.outgrow(12)
	p.caughtUp()
	require.Positive(t, p.metric("ticketrail_stream_trimmed_sequence"))
	require.True(t, p.ended(p.rebuild(api.RebuildRequest{Plan: true}).ID).Difference.Equal)
	found, err := backend.ListBucket("archive", &gofakes3.Prefix{HasPrefix: true, Prefix: "a/prefix/"}, gofakes3.ListBucketPage{})
	require.NoError(t, err)
	require.NotEmpty(t, found.Contents)
}

// As long as the store cannot be used, webhooks are taken until the stream is full.
func TestAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	c, o := small(t)
	store := c.Archive.Store
	c.Archive.Store = filepath.Join(store, "not", "there")
	p := run(t, c, o)
	p.outgrow(1)
	require.Eventually(t, func() bool { return p.metric("ticketrail_archive_store_failing") == 1 }, patience, 10*time.Millisecond)
	require.NoError(t, os.MkdirAll(filepath.Dir(c.Archive.Store), 0o700))
	require.Eventually(t, func() bool { return p.metric("ticketrail_archive_store_failing") == 0 }, patience, 10*time.Millisecond)
	p.outgrow(3)
}

// An archive that has a store is not opened without it: what is erased would stay there.
func TestAStoreIsNotForgotten(t *testing.T) {
	t.Parallel()
	c, o := small(t)
	p := run(t, c, o)
	p.outgrow(12)
	require.Eventually(t, func() bool { return p.metric("ticketrail_stream_trimmed_sequence") > 0 }, patience, 10*time.Millisecond)
	p.stop()
	without := *c
	without.Archive.Store, without.Stream.Keep = "", 0
	_, err := app.Start(t.Context(), &without, o)
	gone, is := errors.AsType[*app.StoreGoneError](err)
	require.True(t, is, "%v", err)
	require.Positive(t, gone.Trimmed)
	require.NotContains(t, gone.Hint(), archive.LedgerFile)
	run(t, c, o)
}
