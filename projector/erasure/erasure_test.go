package erasure_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/erasure"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// rail is a stream, an archive and a read model that follow it, and an Eraser.
type rail struct {
	t       *testing.T
	log     *busyLog
	archive string // its folder
	model   *sqlite.Model
	*erasure.Eraser
}

// busyLog is a stream on which webhooks come in the middle of an erasure, or expire.
type busyLog struct {
	*projectortest.Broker
	meanwhile []*domain.Webhook // one before each tombstone
	fails     error             // of the erasure after these
	before    func()            // what happens before the first tombstone
}

func (l *busyLog) Erase(ctx context.Context, provider, source string, e *domain.Erasure) (eventlog.Receipt, error) {
	if l.before != nil {
		l.before()
		l.before = nil
	}
	if len(l.meanwhile) > 0 {
		l.AcceptAs(l.meanwhile[0])
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
	r := &rail{t: t, log: &busyLog{Broker: projectortest.StartBroker(t, t.TempDir())}, archive: t.TempDir()}
	r.model = r.open()
	projectortest.Follow(t, projector.New(r.log, r.model, projector.Config{}))
	r.Eraser = erasure.New(erasure.Config{Log: r.log, Model: r.model, Copies: noCopies{}, Archive: r.keep()})
	return r
}

// keep has an archive follow the stream.
func (r *rail) keep() *archive.Keeper {
	r.t.Helper()
	info, err := r.log.Info(r.t.Context())
	require.NoError(r.t, err)
	w, err := archive.Open(r.archive, info.Identity)
	require.NoError(r.t, err)
	keeper := archive.NewKeeper(r.log, w, nil)
	r.log.AnswerAfter(keeper)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		keeper.Run(ctx)
	}()
	r.t.Cleanup(func() {
		cancel()
		<-done
		require.NoError(r.t, w.Close())
	})
	return keeper
}

// forget has the stream forget all that it has, as stream.max_age does, and keep what
// comes.
func (r *rail) forget() {
	r.t.Helper()
	ctx := r.t.Context()
	js, err := jetstream.New(r.log.Server().Conn())
	require.NoError(r.t, err)
	stream, err := js.Stream(ctx, eventlog.WebhooksStream)
	require.NoError(r.t, err)
	config := stream.CachedInfo().Config
	for _, age := range []time.Duration{100 * time.Millisecond, time.Hour} {
		config.MaxAge = age
		_, err := js.UpdateStream(ctx, config)
		require.NoError(r.t, err)
		require.Eventually(r.t, func() bool {
			info, err := r.log.Info(ctx)
			return err == nil && info.Messages == 0
		}, projectortest.Patience, 10*time.Millisecond)
	}
}

// inArchive gives the stream sequences of the webhooks in whose bodies a text stands, as
// the archive has them.
func (r *rail) inArchive(text string) (found []uint64) {
	r.t.Helper()
	for e, err := range archive.Read(r.archive, 0) {
		require.NoError(r.t, err)
		if bytes.Contains(e.Body, []byte(text)) {
			found = append(found, e.StreamSequence)
		}
	}
	return found
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
func (r *rail) accept(webhooks ...*domain.Webhook) {
	r.t.Helper()
	for _, w := range webhooks {
		require.NoError(r.t, r.model.WaitFor(r.t.Context(), r.log.AcceptAs(w)))
	}
}

// rows gives an order and its timeline by a model.
func (r *rail) rows(model *sqlite.Model, key string) (*domain.Order, []domain.TimelineEntry) {
	r.t.Helper()
	order, err := model.Order(r.t.Context(), "shop", key)
	require.NoError(r.t, err)
	entries, err := model.Timeline(r.t.Context(), "shop", key, domain.TimelinePosition{}, 1000)
	require.NoError(r.t, err)
	return order, entries
}

// requireErased requires that nothing is left of the order's bodies, and that a read
// model which is made anew has the same of it.
func (r *rail) requireErased(key string) {
	r.t.Helper()
	info, err := r.log.Info(r.t.Context())
	require.NoError(r.t, err)
	webhooks, _ := r.log.Of("shop", key)
	for _, w := range webhooks {
		require.NotNil(r.t, w.Remains, "webhook %d", w.StreamSequence)
	}
	fresh := r.open()
	require.NoError(r.t, projector.New(r.log, fresh, projector.Config{}).RunUntil(r.t.Context(), info.Last))
	require.NoError(r.t, r.model.WaitFor(r.t.Context(), info.Last))
	order, entries := r.rows(r.model, key)
	anew, entriesAnew := r.rows(fresh, key)
	require.Equal(r.t, order, anew)
	require.Equal(r.t, entries, entriesAnew)
}

func ordatic(body string) *domain.Webhook {
	return &domain.Webhook{Provider: "ordatic", Source: "shop", Event: "other", Body: []byte(body)}
}

func accepted(order string) *domain.Webhook {
	return ordatic(projectortest.Ordatic("order-accepted", order))
}

// refund is the n-th webhook about a refund of the order s:o.
func refund(reason string, n int) *domain.Webhook {
	return ordatic(fmt.Sprintf(`{"eventType":"rider-refund","storeId":"s","data":{"orderId":"o","refund":{"id":"r","reason":%q,"date":"2024-01-01T00:00:0%dZ"}}}`, reason, n))
}

// snapshot is the n-th webhook of Ivy about the order i, which say the same.
func snapshot(n int) *domain.Webhook {
	return &domain.Webhook{Provider: "ivy", Source: "shop", Event: "order_updated", Body: fmt.Appendf(nil,
		`{"type":"order_updated","payload":{"id":"i","status":"paid","referenceId":"Alva","updatedAt":"2024-01-01T00:00:0%dZ"}}`, n)}
}

var because = domain.Ruling{By: "local", Reason: "asked for"}

// Webhooks of the order that come while it is being erased are erased with it, those
// before the tombstone, which are applied, and those after it, which are set aside.
func TestWhatComesMeanwhileIsErasedToo(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept(accepted("o"), refund("Alva was out", 1), accepted("other"))
	r.log.meanwhile = []*domain.Webhook{refund("Alva was out", 2), refund("Bo was in", 3)}
	erased, err := r.Erase(t.Context(), "shop", "s:o", because, false)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 2, 4, 6}, erased.Webhooks)
	r.requireErased("s:o")
	_, err = r.log.Webhook(t.Context(), 3)
	require.NoError(t, err)
	other, _ := r.log.Of("shop", "s:other")
	require.Nil(t, other[0].Remains)
}

// What says the same before and in the middle of an erasure goes on saying the same.
func TestTheSameTextStaysTheSame(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept(snapshot(1))
	r.log.meanwhile = []*domain.Webhook{snapshot(2)}
	erased, err := r.Erase(t.Context(), "shop", "i", because, false)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 2}, erased.Webhooks)
	_, entries := r.rows(r.model, "i")
	require.Equal(t, domain.EffectNoChange, entries[1].Effect)
	r.requireErased("i")
}

// An erasure that was interrupted is finished by the next, and one of an order of which
// nothing is left does nothing.
func TestErasureIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept(refund("Alva was out", 1), refund("Bo was in", 2))
	r.log.meanwhile, r.log.fails = []*domain.Webhook{refund("Cy was late", 3)}, eventlog.ErrUnavailable
	_, err := r.Erase(t.Context(), "shop", "s:o", because, false)
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	r.log.fails = nil
	erased, err := r.Erase(t.Context(), "shop", "s:o", because, false)
	require.NoError(t, err)
	require.Equal(t, []uint64{3}, erased.Webhooks)
	r.requireErased("s:o")
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

// What the stream has forgotten and the archive still keeps is erased too: what had
// expired before, applied or set aside, and what expires between the look for it and its
// tombstone. A plan tells of it.
func TestForgottenWebhooksAreErased(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.accept(refund("Alva was out", 1), accepted("other"))
	r.forget()
	r.accept(refund("Alva was in", 2), accepted("o"))
	plan, err := r.Erase(t.Context(), "shop", "s:o", domain.Ruling{}, true)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 3, 4}, plan.Webhooks)
	require.Equal(t, []uint64{1, 3}, r.inArchive("Alva"))

	r.log.before = r.forget
	erased, err := r.Erase(t.Context(), "shop", "s:o", because, false)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 3, 4}, erased.Webhooks)
	require.Empty(t, r.inArchive("Alva"))
	require.Equal(t, []uint64{2}, r.inArchive(`"orderId":"other"`))

	r.accept(refund("Alva was late", 3))
	r.forget()
	require.Equal(t, []uint64{6}, r.inArchive("Alva"))
	erased, err = r.Erase(t.Context(), "shop", "s:o", because, false)
	require.NoError(t, err)
	require.Equal(t, []uint64{6}, erased.Webhooks)
	require.Empty(t, r.inArchive("Alva"))
	info, err := r.log.Info(t.Context())
	require.NoError(t, err)
	erased, err = r.Erase(t.Context(), "shop", "s:o", because, false)
	require.NoError(t, err)
	require.Empty(t, erased.Webhooks)
	again, err := r.log.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, info.Last, again.Last, "nothing is left to do")
}
