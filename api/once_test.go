package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

const rebuildPlan = `{"plan":true}`

func keyed(key string) string { return "Idempotency-Key: " + key }

// An act with a key is done once: the same request is answered as before, whatever has
// become of it since. Without a key, with another one or of another token it is done again.
func TestAnActWithAKeyIsDoneOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	work, k := newWorkshop(l), newKeyring()
	k.add("another", api.ScopeAdmin, time.Time{})
	c := l.serve(guardedBy(k), func(c *api.Config) { c.Rebuilds = work })
	admin, before := bearing("admin"), len(work.all)
	first := c.post("/v1/rebuilds", rebuildPlan, admin, keyed("a"))
	require.Equal(t, http.StatusAccepted, first.Status, first.Body)
	require.Empty(t, first.Header.Get("Idempotent-Replayed"))
	require.Equal(t, http.StatusOK, c.post(first.Header.Get("Location")+"/cancel", "", admin, keyed("cancel")).Status)
	for range 3 {
		again := c.post("/v1/rebuilds", rebuildPlan, admin, keyed("a"))
		require.Equal(t, first.Status, again.Status)
		require.Equal(t, first.Body, again.Body)
		require.Equal(t, first.Header.Get("Location"), again.Header.Get("Location"))
		require.Equal(t, first.Header.Get("Content-Type"), again.Header.Get("Content-Type"))
		require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	}
	require.Len(t, work.all, before+1)
	for _, headers := range [][]string{{admin}, {admin, keyed("b")}, {bearing("another"), keyed("a")}} {
		require.Equal(t, http.StatusAccepted, c.post("/v1/rebuilds", rebuildPlan, headers...).Status)
	}
	require.Len(t, work.all, before+4)
	for range 2 {
		require.Equal(t, http.StatusNoContent, c.ask(http.MethodDelete, "/v1/rebuilds/1", "", admin, keyed("gone")).Status)
	}
	require.Len(t, work.deleted, 1)
}

// A key is for one request: with another body or at another path it is refused, and
// nothing is done. What is no key is refused too.
func TestAKeyIsForOneRequest(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	work := newWorkshop(l)
	c := l.serve(func(c *api.Config) { c.Rebuilds = work })
	c.post("/v1/rebuilds", rebuildPlan, keyed("a"))
	before := len(work.all)
	c.post("/v1/rebuilds", `{}`, keyed("a")).refused(http.StatusUnprocessableEntity, "idempotency-key-reused")
	c.post("/v1/rebuilds/3/cancel", rebuildPlan, keyed("a")).refused(http.StatusUnprocessableEntity, "idempotency-key-reused")
	for _, key := range []string{"", "two words", "å", strings.Repeat("k", 256)} {
		c.post("/v1/rebuilds", rebuildPlan, keyed(key)).refused(http.StatusBadRequest, "invalid-parameter")
	}
	c.post("/v1/rebuilds", rebuildPlan, keyed("a"), keyed("a")).refused(http.StatusBadRequest, "invalid-parameter")
	require.Len(t, work.all, before)
}

// What failed did nothing, so its key is free for the next try, mended or not.
func TestAFailureFreesItsKey(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	work := newWorkshop(l)
	c := l.serve(func(c *api.Config) { c.Rebuilds = work })
	work.busy = api.ErrRebuildGoesOn
	c.post("/v1/rebuilds", rebuildPlan, keyed("a")).refused(http.StatusConflict, "rebuild-goes-on")
	work.busy = nil
	c.post("/v1/rebuilds", `{"plan":1}`, keyed("a")).refused(http.StatusBadRequest, "invalid-parameter")
	require.Equal(t, http.StatusRequestEntityTooLarge, c.post("/v1/rebuilds", `{"plan":true`+strings.Repeat(" ", 1<<20)+`}`, keyed("a")).Status)
	require.Equal(t, http.StatusAccepted, c.post("/v1/rebuilds", rebuildPlan, keyed("a")).Status)
}

// slowWorkshop rolls back when it is let.
type slowWorkshop struct {
	*workshop
	began, let chan struct{}
}

func (w slowWorkshop) Rollback(context.Context) error {
	w.began <- struct{}{}
	<-w.let
	return nil
}

// While an act goes on its key is in use.
func TestAnActThatGoesOnIsNotBegunAgain(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	work := slowWorkshop{newWorkshop(l), make(chan struct{}), make(chan struct{})}
	c := l.serve(func(c *api.Config) { c.Rebuilds = work })
	ended := make(chan reply, 1)
	go func() { ended <- c.post("/v1/projection/rollback", "", keyed("a")) }()
	<-work.began
	c.post("/v1/projection/rollback", "", keyed("a")).refused(http.StatusConflict, "idempotency-key-in-use")
	work.let <- struct{}{}
	first := <-ended
	require.Equal(t, http.StatusOK, first.Status)
	require.Equal(t, first.Body, c.post("/v1/projection/rollback", "", keyed("a")).Body)
}

// Keys are forgotten after a day, and the oldest when there are more than a thousand.
func TestKeysAreForgotten(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	var passed atomic.Int64
	work := newWorkshop(l)
	c := l.serve(func(c *api.Config) {
		c.Rebuilds, c.Now = work, func() time.Time { return now().Add(time.Duration(passed.Load())) }
	})
	cancels := func(key string) bool {
		answer := c.post("/v1/rebuilds/1/cancel", "", keyed(key))
		require.Equal(t, http.StatusOK, answer.Status)
		return answer.Header.Get("Idempotent-Replayed") == ""
	}
	require.True(t, cancels("a"))
	passed.Store(int64(24*time.Hour - 1))
	require.False(t, cancels("a"))
	passed.Store(int64(24 * time.Hour))
	require.True(t, cancels("a"))
	for n := range 1000 {
		require.True(t, cancels(fmt.Sprint("k-", n)))
	}
	require.False(t, cancels("k-0"))
	require.True(t, cancels("a"))
}

// eraser erases, by its own word.
type eraser struct{ l *ledger }

func (e eraser) Erase(_ context.Context, source, key string, _ domain.Ruling, _ bool) (domain.Erased, error) {
	return domain.Erased{Order: e.l.orders[source+"/"+key]}, nil
}

// An erasure forgets what others were answered, which may tell of the order, and is itself
// done once.
func TestAnErasureForgetsAnswers(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve(func(c *api.Config) { c.Rebuilds, c.Eraser = newWorkshop(l), eraser{l} })
	const order = "/v1/orders/ordatic/store-7:o-1"
	require.Equal(t, http.StatusOK, c.post("/v1/rebuilds/1/cancel", "", keyed("a")).Status)
	for _, replayed := range []string{"", "true"} {
		answer := c.post(order+"/erase", `{"reason":"asked for"}`, keyed("erase"))
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		require.Equal(t, replayed, answer.Header.Get("Idempotent-Replayed"))
	}
	require.Empty(t, c.post("/v1/rebuilds/1/cancel", "", keyed("a")).Header.Get("Idempotent-Replayed"))
}
