package app_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

// part is a part of the program that stops, and what is told of it then.
type part struct {
	name string
	// begin gives a program whose parts are all well, stop makes the part stop while
	// webhooks wait, and mend what is to be done about it.
	begin func(*testing.T) (p *program, stop, mend func())

	api, ingest  int // status of /readyz
	runs, moves  bool
	lag          string // of the metrics, in webhooks
	reason, hint string // regular expressions
}

// parts are the parts that stop, first those that it takes longest to tell of.
var parts = []part{
	{
		name:  "the broker is silent",
		begin: brokerSilent, api: 200, ingest: 503, runs: true, moves: true, lag: "NaN",
		reason: `^check checkpoint: ask for the stream: the stream does not answer: `, hint: "^$",
	},
	{
		name:  "the read model is locked",
		begin: modelLocked, api: 503, ingest: 200, runs: true, lag: "1",
		reason: `^commit up to stream sequence 2: database is locked`, hint: "end the program",
	},
	{
		name:  "the read model's disk is full",
		begin: diskFull, api: 503, ingest: 200, runs: true, lag: "1",
		reason: `^commit up to stream sequence 2: database or disk is full`, hint: "free space",
	},
	{
		name:  "a translation hangs",
		begin: translationHangs, api: 503, ingest: 200, runs: true, lag: "1",
		reason: `^it has been working on stream sequence 2 since `, hint: "report",
	},
	{
		name:  "the broker is gone",
		begin: brokerGone, api: 200, ingest: 503, runs: true, moves: true, lag: "NaN",
		reason: `^check checkpoint: ask for the stream: the stream does not answer: the connection to its server is down$`, hint: "^$",
	},
	{
		name:  "the stream is deleted",
		begin: streamDeleted, api: 503, ingest: 503, moves: true, lag: "NaN",
		reason: `^projector stopped at stream sequence 1: the stream is gone: `, hint: "restore the stream",
	},
	{
		name:  "the stream is replaced",
		begin: streamReplaced, api: 503, ingest: 200, lag: "NaN",
		reason: `^projector stopped at stream sequence 1: the stream is another one: `, hint: "ticketrail rebuild --accept",
	},
	{
		name:  "the stream is an older one",
		begin: streamOlder, api: 503, ingest: 200, lag: "NaN",
		reason: `^projector stopped at stream sequence 2: the stream ends before the checkpoint: the stream ends at stream sequence 1$`,
		hint:   "restore the stream",
	},
	{
		name:  "the stream has changed",
		begin: streamChanged, api: 503, ingest: 200, lag: "1",
		reason: `^projector stopped at stream sequence 2: the webhook at the checkpoint has changed: `, hint: "ticketrail rebuild --accept",
	},
	{
		name:  "the stream has a gap",
		begin: streamGap, api: 503, ingest: 200, lag: "3",
		reason: `^projector stopped at stream sequence 2: the stream has a gap: `, hint: "restore the stream",
	},
}

// Whatever part of the program stops while webhooks wait, the program says so within
// seconds, wherever it can be asked, with the reason and, where somebody must act,
// with what to do; and when that is done all is well again, without a restart.
func TestEachPartThatStopsIsToldOf(t *testing.T) {
	t.Parallel()
	type stopped struct {
		part
		program *program
		mend    func()
	}
	var all []stopped
	for _, part := range parts { // all at once: each takes some seconds to be found out
		if p, stop, mend := part.begin(t); p != nil {
			stop()
			all = append(all, stopped{part, p, mend})
		}
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) { s.program.requireTold(t, s.part) })
	}
	for _, s := range all {
		s.mend()
	}
	for _, s := range all {
		t.Run(s.name+" no more", func(t *testing.T) { s.program.requireWell(t) })
	}
}

// atOnce is seconds on a machine that does nothing else.
const atOnce = time.Minute

// requireTold waits until a program tells of a part that has stopped.
func (p *program) requireTold(t *testing.T, want part) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		told := p.told(c)
		assert.Equal(c, want.api, told.api, "/readyz of the API: %s", told.ready)
		assert.Equal(c, want.ingest, told.ingest, "/readyz of ingest")
		assert.Equal(c, want.runs, *told.Running)
		assert.Equal(c, want.moves, *told.Moving)
		assert.Regexp(c, want.reason, text(told.Reason))
		assert.Regexp(c, want.hint, text(told.Hint))
		if want.api != http.StatusOK {
			assert.Contains(c, told.ready.Detail, text(told.Reason))
			assert.Equal(c, text(told.Hint), told.ready.Hint)
		}
		assert.Contains(c, told.metrics, "\nticketrail_read_model_lag_webhooks "+want.lag+"\n")
		assert.Contains(c, told.metrics, fmt.Sprintf("\nticketrail_read_model_moving %d\n", number(want.moves)))
		assert.Contains(c, told.metrics, fmt.Sprintf("\nticketrail_projector_running %d\n", number(want.runs)))
	}, atOnce, 100*time.Millisecond)
}

// requireWell waits until a program tells that nothing is wrong with it.
func (p *program) requireWell(t *testing.T) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		told := p.told(c)
		assert.Equal(c, http.StatusOK, told.api, "/readyz of the API: %s", told.ready)
		assert.Equal(c, http.StatusOK, told.ingest, "/readyz of ingest")
		assert.True(c, *told.Running)
		assert.True(c, *told.Moving)
		assert.Equal(c, &api.Lag{}, told.Lag)
		assert.Empty(c, text(told.Reason))
		assert.Empty(c, text(told.Hint))
		for _, line := range []string{
			"read_model_lag_webhooks 0", "read_model_lag_seconds 0", "read_model_moving 1", "projector_running 1", "stream_reachable 1",
		} {
			assert.Contains(c, told.metrics, "\nticketrail_"+line+"\n")
		}
		if assert.NotNil(c, told.Stream) {
			assert.Equal(c, told.Stream.Last, told.Checkpoint)
			assert.Contains(c, told.metrics, fmt.Sprintf("\nticketrail_projector_stream_last_sequence %d\n", told.Stream.Last))
		}
	}, atOnce, 100*time.Millisecond)
}

// told is what a program says of itself, in all the places where it does.
type told struct {
	api.Projection
	api, ingest int                           // status of /readyz
	ready       struct{ Detail, Hint string } // of the API's answer, where that is a problem
	metrics     string
}

func (p *program) told(t require.TestingT) (all told) {
	ask := func(url string) (int, []byte) {
		response, err := p.http.Get(url)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, errors.Join(err, response.Body.Close()))
		return response.StatusCode, body
	}
	_, body := ask(p.Addresses().API + "/v1/projection")
	require.NoError(t, json.Unmarshal(body, &all.Projection))
	all.api, body = ask(p.Addresses().API + "/readyz")
	require.NoError(t, json.Unmarshal(body, &all.ready))
	all.ingest, _ = ask(p.Addresses().Ingest + "/readyz")
	_, body = ask(p.Addresses().API + "/metrics")
	all.metrics = string(body)
	return all
}

// text is empty for null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(b bool) int { return map[bool]int{true: 1}[b] }

func brokerSilent(t *testing.T) (p *program, stop, mend func()) {
	b := startBroker(t)
	p = run(t, b.settings(), options())
	p.ordatic("order-accepted", "1")
	return p, func() { b.signal(syscall.SIGSTOP) }, func() { b.signal(syscall.SIGCONT) }
}

func brokerGone(t *testing.T) (p *program, stop, mend func()) {
	b := startBroker(t)
	p = run(t, b.settings(), options())
	p.ordatic("order-accepted", "1")
	return p, b.kill, b.start
}

func streamDeleted(t *testing.T) (p *program, stop, mend func()) {
	b := startBroker(t)
	p = run(t, b.settings(), options())
	p.ordatic("order-accepted", "1")
	backup := b.backUp()
	return p, func() {
		b.administer(func(js jetstream.JetStream) error { return js.DeleteStream(t.Context(), eventlog.WebhooksStream) })
	}, func() { b.restore(backup) }
}

func streamReplaced(t *testing.T) (p *program, stop, mend func()) {
	b := startBroker(t)
	p = run(t, b.settings(), options())
	p.ordatic("order-accepted", "1")
	return p, func() { b.replaceStream(2) }, func() { p.ended(p.rebuild(api.RebuildRequest{Accept: true}).ID) }
}

// replaceStream puts another stream of the same name in the place of the webhooks'.
func (b *broker) replaceStream(webhooks int) {
	b.administer(func(js jetstream.JetStream) error {
		ctx := b.t.Context()
		stream, err := js.Stream(ctx, eventlog.WebhooksStream)
		if err != nil {
			return err
		}
		config := stream.CachedInfo().Config
		config.DenyDelete = false
		if err = js.DeleteStream(ctx, config.Name); err != nil {
			return err
		}
		if _, err = js.CreateStream(ctx, config); err != nil {
			return err
		}
		for n := range webhooks {
			body := fmt.Appendf(nil, `{"eventType":"order-accepted","storeId":"s","data":{"orderId":"other-%d"}}`, n)
			if _, err = js.Publish(ctx, "webhooks.ordatic.ordatic.order-accepted", body); err != nil {
				return err
			}
		}
		return nil
	})
}

func streamOlder(t *testing.T) (p *program, stop, mend func()) {
	b := startBroker(t)
	p = run(t, b.settings(), options())
	p.ordatic("order-accepted", "1")
	older := b.backUp()
	p.ordatic("order-accepted", "2")
	newest := b.backUp()
	return p, func() { b.restore(older) }, func() { b.restore(newest) }
}

func streamChanged(t *testing.T) (p *program, stop, mend func()) {
	p, older, _ := streamOlder(t)
	return p, func() {
		older()
		require.Eventually(t, func() bool { return p.told(t).Stream != nil }, atOnce, 100*time.Millisecond)
		p.accepted("order-accepted", "3")
		p.accepted("order-accepted", "4")
	}, func() { p.ended(p.rebuild(api.RebuildRequest{Accept: true}).ID) }
}

func streamGap(t *testing.T) (p *program, stop, mend func()) {
	b := startBroker(t)
	run(t, b.settings(), options()).stop()
	b.replaceStream(3)
	backup := b.backUp()
	b.administer(func(js jetstream.JetStream) error {
		if _, err := js.Publish(t.Context(), "webhooks.ordatic.ordatic.order-accepted", []byte("{}")); err != nil {
			return err
		}
		stream, err := js.Stream(t.Context(), eventlog.WebhooksStream)
		if err != nil {
			return err
		}
		return stream.DeleteMsg(t.Context(), 2)
	})
	p = run(t, b.settings(), options())
	return p, func() {}, func() { b.restore(backup) }
}

func modelLocked(t *testing.T) (p *program, stop, mend func()) {
	c := settings(t)
	p = run(t, c, options())
	p.ordatic("order-accepted", "1")
	path, err := app.CurrentReadModel(c.Data)
	require.NoError(t, err)
	db, err := sql.Open("sqlite3", "file:"+path+"?_txlock=immediate")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	var tx *sql.Tx
	return p, func() {
		tx, err = db.Begin()
		require.NoError(t, err)
		p.accepted("order-accepted", "2")
	}, func() { require.NoError(t, tx.Rollback()) }
}

func diskFull(t *testing.T) (p *program, stop, mend func()) {
	c := settings(t)
	folder := app.ReadModelFolder(c.Data)
	require.NoError(t, os.MkdirAll(folder, 0o700))
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=4m"); err != nil {
		t.Log("no disk can be mounted here, so none is filled:", err)
		return nil, nil, nil
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(folder, syscall.MNT_DETACH)) })
	p = run(t, c, options())
	p.ordatic("order-accepted", "1")
	filler := filepath.Join(folder, "filler")
	return p, func() {
		file, err := os.Create(filler)
		require.NoError(t, err)
		for size := 1 << 20; size > 0; size /= 2 {
			for err = nil; err == nil; {
				_, err = file.Write(make([]byte, size))
			}
			require.ErrorIs(t, err, syscall.ENOSPC)
		}
		require.NoError(t, file.Close())
		p.accepted("order-accepted", "2")
	}, func() { require.NoError(t, os.Remove(filler)) }
}

// stubborn is Ordatic's provider with two bugs.
type stubborn struct {
	provider.Ordatic
	released chan struct{}
}

func (s stubborn) Translate(w *domain.Webhook) (*domain.Event, error) {
	switch {
	case bytes.Contains(w.Body, []byte("panic")):
		panic("a bug")
	case bytes.Contains(w.Body, []byte("block")):
		<-s.released
	}
	return s.Ordatic.Translate(w)
}

func translationHangs(t *testing.T) (p *program, stop, mend func()) {
	released := make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	o := options()
	o.Projection.Providers = []provider.Provider{stubborn{released: released}}
	p = run(t, settings(t), o)
	t.Cleanup(release) // before the stop, which waits for it
	p.ordatic("order-accepted", "panic")
	return p, func() { p.accepted("order-accepted", "block") }, release
}
