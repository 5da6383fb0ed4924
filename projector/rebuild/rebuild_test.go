package rebuild_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/rebuild"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// rail is a stream, the read model in use with its projector, and a rebuilder.
type rail struct {
	t      *testing.T
	dir    string
	log    *projectortest.Broker
	folder *sqlite.Folder
	model  *sqlite.Model
	live   *projector.Projector
	*rebuild.Rebuilder
	stop func() // the live projector
}

// rules are those of a version of the projection.
type rules struct {
	version   int
	providers []provider.Provider
}

func start(t *testing.T) *rail {
	t.Helper()
	r := &rail{t: t, dir: filepath.Join(t.TempDir(), "read-model"), log: projectortest.StartBroker(t, t.TempDir())}
	r.open(rules{})
	t.Cleanup(func() { r.close() })
	return r
}

// open starts everything but the stream, by the rules of a version.
func (r *rail) open(by rules) {
	r.t.Helper()
	var err error
	r.folder, err = sqlite.OpenFolder(r.dir)
	require.NoError(r.t, err)
	db, err := sqlite.Open(context.Background(), r.folder.Current())
	require.NoError(r.t, err)
	r.model = sqlite.NewModel(db)
	r.live = projector.New(r.log, r.model, projector.Config{Version: by.version, Providers: by.providers})
	r.Rebuilder, err = rebuild.New(rebuild.Config{
		Log: r.log, Folder: r.folder, Model: r.model, Live: r.live, Version: by.version, Providers: by.providers,
	})
	require.NoError(r.t, err)
	r.stop = func() {}
}

func (r *rail) follow() {
	r.t.Helper()
	r.stop = projectortest.Follow(r.t, r.live)
}

func (r *rail) close() {
	r.t.Helper()
	if r.Rebuilder == nil {
		return
	}
	require.NoError(r.t, r.Close())
	r.stop()
	require.NoError(r.t, r.model.Close())
	r.Rebuilder = nil
}

// project brings the read model in use to a stream sequence.
func (r *rail) project(until uint64) {
	r.t.Helper()
	require.NoError(r.t, r.live.RunUntil(r.t.Context(), until))
}

// rebuilt does a rebuild and tells of it.
func (r *rail) rebuilt(o domain.RebuildOptions) domain.Rebuild {
	r.t.Helper()
	begun, err := r.Start(o)
	require.NoError(r.t, err)
	ctx, cancel := context.WithTimeout(r.t.Context(), projectortest.Patience)
	defer cancel()
	done, err := r.Wait(ctx, begun.ID)
	require.NoError(r.t, err)
	require.Empty(r.t, done.Error)
	require.False(r.t, done.EndedAt.IsZero())
	return done
}

// files gives the read models in the folder.
func (r *rail) files() (names []string) {
	r.t.Helper()
	paths, err := filepath.Glob(filepath.Join(r.dir, "model-*.sqlite"))
	require.NoError(r.t, err)
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

func (r *rail) order(key string) *domain.Order {
	r.t.Helper()
	order, err := r.model.Order(r.t.Context(), "shop", key)
	require.NoError(r.t, err)
	return order
}

// damage changes the read model in use behind everybody's back.
func (r *rail) damage(statement string) {
	r.t.Helper()
	db, err := sql.Open("sqlite3", sqlite.DSN(r.model.Path()))
	require.NoError(r.t, err)
	_, err = db.ExecContext(r.t.Context(), statement)
	require.NoError(r.t, err)
	require.NoError(r.t, db.Close())
}

func (r *rail) acceptOrders(n int) (last uint64) {
	for i := range n {
		last = r.log.Accept(projectortest.Ordatic("order-accepted", fmt.Sprint(i)))
	}
	return last
}

// A rebuild of an empty stream is one like any other, and there is no stream sequence
// yet to look back at.
func TestRebuildOfAnEmptyStream(t *testing.T) {
	t.Parallel()
	r := start(t)
	plan := r.rebuilt(domain.RebuildOptions{Plan: true})
	require.Equal(t, domain.RebuildEqual, plan.State)
	require.Zero(t, plan.Difference.StreamSequence)
	require.NotEmpty(t, plan.Difference.Tables)
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{}).State)
	begun, err := r.Start(domain.RebuildOptions{Until: 1})
	require.NoError(t, err)
	beyond, err := r.Wait(t.Context(), begun.ID)
	require.NoError(t, err)
	require.Equal(t, domain.RebuildFailed, beyond.State)
	require.Contains(t, beyond.Error, "ends at stream sequence 0")
	r.project(r.acceptOrders(1))
	require.Equal(t, domain.StateAccepted, r.order("s:0").State())
}

// While webhooks keep coming and readers keep reading, the rebuilt read model
// takes the place of the other: equal, without a failed read, and the projector
// goes on with it.
func TestRebuildWhileServingAndMoving(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.acceptOrders(500)
	r.follow()
	require.NoError(t, r.model.WaitFor(t.Context(), 500))
	before := r.model.Path()

	ctx, cancel := context.WithCancel(t.Context())
	var traffic errgroup.Group
	traffic.Go(func() error {
		for i := 0; ctx.Err() == nil; i++ {
			r.log.Accept(projectortest.Ordatic("order-in-kitchen", fmt.Sprint(i%700)))
		}
		return nil
	})
	traffic.Go(func() error {
		var last uint64
		for ctx.Err() == nil {
			checkpoint, err := r.model.Checkpoint(t.Context())
			if err != nil || checkpoint.StreamSequence < last {
				return fmt.Errorf("checkpoint %d after %d: %w", checkpoint.StreamSequence, last, err)
			}
			last = checkpoint.StreamSequence
			if _, err := r.model.Order(t.Context(), "shop", "s:1"); err != nil {
				return err
			}
		}
		return nil
	})
	for range 3 {
		done := r.rebuilt(domain.RebuildOptions{})
		require.Equal(t, domain.RebuildSwitched, done.State)
		require.True(t, done.Difference.None())
		require.NotEqual(t, before, r.model.Path())
		before = r.model.Path()
	}
	cancel()
	require.NoError(t, traffic.Wait())
	info, err := r.log.Info(t.Context())
	require.NoError(t, err)
	require.NoError(t, r.model.WaitFor(t.Context(), info.Last))
	require.True(t, r.rebuilt(domain.RebuildOptions{Plan: true}).Difference.None())
	require.Len(t, r.files(), 2, "the one in use and the one before")
}

// A difference is told field by field, and nothing is switched unless it was
// accepted.
func TestDifferenceIsNotSwitchedUnlessAccepted(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(3))
	r.damage(`UPDATE orders SET state = 'closed', document = json_set(document, '$.steps.outcome', 'closed') WHERE key = 's:1'`)
	inUse := r.model.Path()

	for _, o := range []domain.RebuildOptions{{Plan: true}, {}} {
		done := r.rebuilt(o)
		require.Equal(t, domain.RebuildDiffers, done.State)
		require.Equal(t, domain.OrdersDifference{Changed: 1}, done.Difference.Orders)
		require.Equal(t, []domain.OrderDifference{{Source: "shop", Key: "s:1", Fields: []domain.FieldDifference{
			{Pointer: "/steps/outcome", InUse: `"closed"`},
		}}}, done.Difference.Examples)
		require.Equal(t, inUse, r.model.Path())
		require.Len(t, r.files(), 1)
	}
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{Accept: true}).State)
	require.Equal(t, domain.StateAccepted, r.order("s:1").State())
}

// A document that is damaged beyond reading is told as a whole, and mended.
func TestDamagedDocument(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(2))
	r.damage("UPDATE orders SET document = '{' WHERE key = 's:1'")
	plan := r.rebuilt(domain.RebuildOptions{Plan: true})
	require.Equal(t, domain.RebuildDiffers, plan.State)
	require.Equal(t, "s:1", plan.Difference.Examples[0].Key)
	require.Contains(t, plan.Difference.Examples[0].Fields, domain.FieldDifference{InUse: "{"})
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{Accept: true}).State)
	require.Equal(t, domain.StateAccepted, r.order("s:1").State())
}

// What cannot even be compared is replaced where any difference is accepted.
func TestDamagedTable(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(2))
	r.damage("ALTER TABLE quarantine RENAME COLUMN cause TO effect")
	for _, o := range []domain.RebuildOptions{{}, {Plan: true}, {Plan: true, Accept: true}} {
		told := r.rebuilt(o)
		require.Equal(t, domain.RebuildDiffers, told.State)
		require.Contains(t, told.Uncompared.Reason, "quarantine")
		require.EqualValues(t, 2, told.Uncompared.InUse.StreamSequence)
		require.Equal(t, told.Uncompared.InUse, told.Uncompared.Rebuilt)
	}
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{Accept: true}).State)
	require.True(t, r.rebuilt(domain.RebuildOptions{Plan: true}).Difference.None())
}

// A comparison that did not come to its end says nothing of the two read models: the
// rebuild fails, and also where any difference is accepted nothing is switched.
func TestComparisonThatCannotBeMade(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(2))
	r.order("s:1") // by a connection that stays open
	path := r.model.Path()
	require.NoError(t, os.Rename(path, path+".away"))
	begun, err := r.Start(domain.RebuildOptions{Accept: true})
	require.NoError(t, err)
	told, err := r.Wait(t.Context(), begun.ID)
	require.NoError(t, err)
	require.Equal(t, domain.RebuildFailed, told.State)
	require.Nil(t, told.Uncompared)
	require.Equal(t, path, r.model.Path())
	require.NoError(t, os.Rename(path+".away", path))
	require.True(t, r.rebuilt(domain.RebuildOptions{Accept: true}).Difference.None())
}

// held is a provider that has the translation of some webhooks wait.
type held struct {
	provider.Ordatic
	at      map[string]bool // keys of orders
	reached chan struct{}
	release chan struct{}
}

func (h held) Translate(w *domain.Webhook) (*domain.Event, error) {
	if event, err := h.Ordatic.Translate(w); err != nil || !h.at[event.Key] {
		return event, err
	}
	h.reached <- struct{}{}
	<-h.release
	return h.Ordatic.Translate(w)
}

// While two read models are being compared, the one in use is held for that alone:
// webhooks go on being applied, and readers see them.
func TestWebhooksAreAppliedWhileAComparisonIsHeldOpen(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.acceptOrders(3)
	r.follow()
	require.NoError(t, r.model.WaitFor(t.Context(), 3))
	slow := held{at: map[string]bool{"s:0": true, "s:compared": true}, reached: make(chan struct{}), release: make(chan struct{})}
	rebuilder, err := rebuild.New(rebuild.Config{
		Log: r.log, Folder: r.folder, Model: r.model, Live: r.live, Providers: []provider.Provider{slow},
	})
	require.NoError(t, err)
	r.Rebuilder = rebuilder
	begun, err := r.Start(domain.RebuildOptions{})
	require.NoError(t, err)
	<-slow.reached // it builds, and is to be near when it has built three webhooks
	held := r.log.Accept(projectortest.Ordatic("order-accepted", "compared"))
	require.NoError(t, r.model.WaitFor(t.Context(), held))
	slow.release <- struct{}{}

	<-slow.reached // it is brought to where the one in use is held
	told, err := r.Rebuild(begun.ID)
	require.NoError(t, err)
	require.Equal(t, domain.RebuildComparing, told.State)
	require.NoError(t, r.model.WaitFor(t.Context(), r.log.Accept(projectortest.Ordatic("order-in-kitchen", "1"))))
	require.Equal(t, domain.StateInKitchen, r.order("s:1").State())
	slow.release <- struct{}{}
	done, err := r.Wait(t.Context(), begun.ID)
	require.NoError(t, err)
	require.Equal(t, domain.RebuildSwitched, done.State, done.Error)
	require.Equal(t, held, done.Difference.StreamSequence)
	require.EqualValues(t, 3, done.BuiltTo, "what is read while comparing is no building")
	require.NotZero(t, done.BuiltAt)
	require.True(t, done.Difference.None())
	require.Equal(t, domain.StateInKitchen, r.order("s:1").State(), "it was caught up with")
}

// A canceled rebuild leaves the read model in use as it was, and nothing else;
// and only one goes on at a time.
func TestCancel(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(2000))
	inUse := r.model.Path()
	begun, err := r.Start(domain.RebuildOptions{})
	require.NoError(t, err)
	_, err = r.Start(domain.RebuildOptions{})
	require.ErrorIs(t, err, rebuild.ErrBusy)
	require.ErrorIs(t, r.Rollback(t.Context()), rebuild.ErrBusy)
	_, err = r.Previous(t.Context())
	require.ErrorIs(t, err, rebuild.ErrBusy, "a switch may be changing it")
	require.NoError(t, r.Cancel(begun.ID))
	done, err := r.Rebuild(begun.ID)
	require.NoError(t, err)
	require.Equal(t, domain.RebuildCanceled, done.State)
	require.Equal(t, inUse, r.model.Path())
	require.Equal(t, []string{filepath.Base(inUse)}, r.files())
	require.ErrorIs(t, r.Cancel(99), domain.ErrNotFound)
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{}).State)
}

// Who has seen the end of a rebuild, without waiting for it, may begin the next.
func TestTheNextRebuildAfterAnEndThatWasSeen(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(100))
	for range 10 {
		begun, err := r.Start(domain.RebuildOptions{Plan: true})
		require.NoError(t, err)
		for ended := begun; !ended.State.Ended(); {
			ended, err = r.Rebuild(begun.ID)
			require.NoError(t, err)
		}
	}
}

// kitchenFirst is a changed translation: an accepted order is in the kitchen.
type kitchenFirst struct{ provider.Ordatic }

func (k kitchenFirst) Translate(w *domain.Webhook) (*domain.Event, error) {
	changed := *w
	changed.Body = bytes.ReplaceAll(w.Body, []byte("order-accepted"), []byte("order-in-kitchen"))
	return k.Ordatic.Translate(&changed)
}

// A program with newer rules serves the old read model, which its projector does
// not go on with, until the new one has taken its place; the difference that the
// new rules made is kept over a restart. To the old one only the old rules go back.
func TestChangedTranslation(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(5))
	r.close()
	newer := rules{version: projector.Version + 1, providers: []provider.Provider{kitchenFirst{}}}
	r.open(newer)
	require.ErrorIs(t, r.live.Run(t.Context()), projector.ErrOtherVersion)
	require.Equal(t, domain.StateAccepted, r.order("s:1").State(), "served as it is")

	plan := r.rebuilt(domain.RebuildOptions{Plan: true})
	require.Equal(t, domain.RebuildDiffers, plan.State)
	switched := r.Switched()
	done := r.rebuilt(domain.RebuildOptions{Accept: true})
	<-switched
	require.Equal(t, domain.RebuildSwitched, done.State)
	require.Equal(t, [2]int{projector.Version, projector.Version + 1}, [2]int{done.FromVersion, done.ToVersion})
	require.Equal(t, domain.StateInKitchen, r.order("s:1").State())
	r.project(r.log.Accept(projectortest.Ordatic("order-accepted", "new")))
	require.Equal(t, domain.StateInKitchen, r.order("s:new").State())
	require.ErrorIs(t, r.Rollback(t.Context()), rebuild.ErrOtherVersion)

	r.close()
	r.open(newer)
	kept, err := r.Rebuild(done.ID)
	require.NoError(t, err)
	require.Equal(t, domain.OrdersDifference{Changed: 5}, kept.Difference.Orders)
	require.Equal(t, done.ID, r.Rebuilds()[0].ID)
}

// Where the read model in use is not made from this stream nothing can be
// compared: a rebuild says so, and makes a new one only where that is accepted.
func TestRebuildFromAnotherStream(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(3))
	r.close()
	r.log = projectortest.StartBroker(t, t.TempDir())
	r.log.Accept(projectortest.Ordatic("order-accepted", "other"))
	r.open(rules{})
	require.ErrorIs(t, r.live.Run(t.Context()), projector.ErrOtherStream)

	here, err := r.log.Info(t.Context())
	require.NoError(t, err)
	byItself := func() (domain.Rebuild, error) { return r.Update() }
	plain := func() (domain.Rebuild, error) { return r.Start(domain.RebuildOptions{}) }
	plan := func() (domain.Rebuild, error) { return r.Start(domain.RebuildOptions{Plan: true, Accept: true}) }
	for _, begin := range []func() (domain.Rebuild, error){plain, byItself, plan} {
		begun, err := begin()
		require.NoError(t, err)
		told, err := r.Wait(t.Context(), begun.ID)
		require.NoError(t, err)
		require.Equal(t, domain.RebuildDiffers, told.State)
		require.Contains(t, told.Uncompared.Reason, projector.ErrOtherStream.Error())
		require.NotEqual(t, here.Identity, told.Uncompared.InUse.Stream)
		require.EqualValues(t, 3, told.Uncompared.InUse.StreamSequence)
		require.Contains(t, told.Uncompared.InUse.Tables, domain.TableSize{Table: "orders", Rows: 3})
		require.Equal(t, here.Identity, told.Uncompared.Rebuilt.Stream)
		require.EqualValues(t, 1, told.Uncompared.Rebuilt.StreamSequence)
		require.Contains(t, told.Uncompared.Rebuilt.Tables, domain.TableSize{Table: "orders", Rows: 1})
		require.Equal(t, "model-000001.sqlite", filepath.Base(r.model.Path()), "it stays in use")
	}

	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{Accept: true}).State)
	require.Equal(t, domain.StateAccepted, r.order("s:other").State())
	require.ErrorIs(t, r.Rollback(t.Context()), rebuild.ErrNoPrevious, "the one before is of another stream")
	r.follow()
	require.NoError(t, r.model.WaitFor(t.Context(), r.log.Accept(projectortest.Ordatic("order-accepted", "next"))))
}

// A read model in use that cannot be read at all is told as well, and replaced where
// that is accepted.
func TestRebuildOfAReadModelThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(3))
	r.damage("UPDATE projection SET chain = x'00'")
	r.close()
	r.open(rules{})
	_, err := r.model.Checkpoint(t.Context())
	require.ErrorIs(t, err, domain.ErrDamaged)
	plan := r.rebuilt(domain.RebuildOptions{Plan: true})
	require.Equal(t, domain.RebuildDiffers, plan.State)
	require.Zero(t, plan.Uncompared.InUse)
	require.EqualValues(t, 3, plan.Uncompared.Rebuilt.StreamSequence)
	require.Equal(t, domain.RebuildSwitched, r.rebuilt(domain.RebuildOptions{Accept: true}).State)
	require.Equal(t, domain.StateAccepted, r.order("s:1").State())
}
