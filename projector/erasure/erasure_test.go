package erasure_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/erasure"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// rail is a stream, a read model that follows it, and an Eraser.
type rail struct {
	t     *testing.T
	log   *busyLog
	model *sqlite.Model
	*erasure.Eraser
}

// busyLog is a stream on which webhooks come in the middle of an erasure.
type busyLog struct {
	*projectortest.Broker
	meanwhile []string // bodies, one before each tombstone
	fails     error    // of the erasure after these
}

func (l *busyLog) Erase(ctx context.Context, provider, source string, e *domain.Erasure) (eventlog.Receipt, error) {
	if len(l.meanwhile) > 0 {
		l.Accept(l.meanwhile[0])
		l.meanwhile = l.meanwhile[1:]
	} else if l.fails != nil {
		return eventlog.Receipt{}, l.fails
	}
	return l.Log.Erase(ctx, provider, source, e)
}

// noCopies stands for a read model of which nothing was made.
type noCopies struct{}

func (noCopies) Forget(string, string, uint64, bool) (domain.Copies, error) {
	return domain.Copies{}, nil
}

func start(t *testing.T) *rail {
	t.Helper()
	r := &rail{t: t, log: &busyLog{Broker: projectortest.StartBroker(t, t.TempDir())}}
	r.model = r.open()
	projectortest.Follow(t, projector.New(r.log, r.model, projector.Config{}))
	r.Eraser = erasure.New(erasure.Config{Log: r.log, Model: r.model, Copies: noCopies{}})
	return r
}

func (r *rail) open() *sqlite.Model {
	r.t.Helper()
	db, err := sqlite.Open(r.t.Context(), filepath.Join(r.t.TempDir(), "model.sqlite"))
	require.NoError(r.t, err)
	model := sqlite.NewModel(db)
	r.t.Cleanup(func() { require.NoError(r.t, model.Close()) })
	return model
}

// accept puts webhooks on the stream, and waits until they are applied.
func (r *rail) accept(bodies ...string) {
	r.t.Helper()
	for _, body := range bodies {
		require.NoError(r.t, r.model.WaitFor(r.t.Context(), r.log.Accept(body)))
	}
}

// rows gives the order's timeline, and what it is, by a model.
func (r *rail) rows(model *sqlite.Model) (*domain.Order, []domain.TimelineEntry) {
	r.t.Helper()
	order, err := model.Order(r.t.Context(), "shop", "s:o")
	require.NoError(r.t, err)
	entries, err := model.Timeline(r.t.Context(), "shop", "s:o", domain.TimelinePosition{}, 1000)
	require.NoError(r.t, err)
	return order, entries
}

// requireErased requires that nothing is left of the order's bodies, and that a read
// model which is made anew has the same of it.
func (r *rail) requireErased() {
	r.t.Helper()
	info, err := r.log.Info(r.t.Context())
	require.NoError(r.t, err)
	webhooks, _ := r.log.Of("shop", "s:o")
	for _, w := range webhooks {
		require.NotNil(r.t, w.Remains, "webhook %d", w.StreamSequence)
	}
	fresh := r.open()
	require.NoError(r.t, projector.New(r.log, fresh, projector.Config{}).RunUntil(r.t.Context(), info.Last))
	require.NoError(r.t, r.model.WaitFor(r.t.Context(), info.Last))
	order, entries := r.rows(r.model)
	anew, entriesAnew := r.rows(fresh)
	require.Equal(r.t, order, anew)
	require.Equal(r.t, entries, entriesAnew)
}

func refund(reason string, n int) string {
	return fmt.Sprintf(`{"eventType":"rider-refund","storeId":"s","data":{"orderId":"o","refund":{"id":"r","reason":%q,"date":"2024-01-01T00:00:0%dZ"}}}`, reason, n)
}

var because = domain.Ruling{By: "local", Reason: "asked for"}

// Webhooks of the order that come while it is being erased are erased with it, those
// before the tombstone, which are applied, and those after it, which are set aside.
func TestWhatComesMeanwhileIsErasedToo(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept(projectortest.Ordatic("order-accepted", "o"), refund("Alva was out", 1), projectortest.Ordatic("order-accepted", "other"))
	r.log.meanwhile = []string{refund("Alva was out", 2), refund("Bo was in", 3)}
	erased, err := r.Erase(t.Context(), "shop", "s:o", because, false)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 2, 4, 6}, erased.Webhooks)
	r.requireErased()
	_, err = r.log.Webhook(t.Context(), 3)
	require.NoError(t, err)
	other, _ := r.log.Of("shop", "s:other")
	require.Nil(t, other[0].Remains)
}

// An erasure that was interrupted is finished by the next, and one of an order of which
// nothing is left does nothing.
func TestErasureIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept(refund("Alva was out", 1), refund("Bo was in", 2))
	r.log.meanwhile, r.log.fails = []string{refund("Cy was late", 3)}, eventlog.ErrUnavailable
	_, err := r.Erase(t.Context(), "shop", "s:o", because, false)
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	r.log.fails = nil
	erased, err := r.Erase(t.Context(), "shop", "s:o", because, false)
	require.NoError(t, err)
	require.Equal(t, []uint64{3}, erased.Webhooks)
	r.requireErased()
	before, err := r.log.Info(t.Context())
	require.NoError(t, err)
	erased, err = r.Erase(t.Context(), "shop", "s:o", because, false)
	require.NoError(t, err)
	require.Empty(t, erased.Webhooks)
	after, err := r.log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Last, after.Last, "not even a tombstone")
}

// A plan changes nothing; and there is no erasure without a reason, or of an order that
// nobody has heard of.
func TestPlansAndRefusalsChangeNothing(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept(refund("Alva was out", 1))
	plan, err := r.Erase(t.Context(), "shop", "s:o", domain.Ruling{}, true)
	require.NoError(t, err)
	require.Equal(t, []uint64{1}, plan.Webhooks)
	_, err = r.Erase(t.Context(), "shop", "s:o", domain.Ruling{By: "local"}, false)
	require.ErrorIs(t, err, domain.ErrReason)
	_, err = r.Erase(t.Context(), "shop", "s:nobody", because, false)
	require.ErrorIs(t, err, domain.ErrNotFound)
	info, err := r.log.Info(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, info.Last)
}
