package projector_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/lookback"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// The read model that saw webhooks before they were erased is, row for row, the one
// that is made when they are gone; whatever the orders, wherever in the stream they
// were erased, and however the stream was cut into batches. So is one that was behind
// the tombstones when the webhooks went, once its erased orders are made anew: of those
// it knew a part by their texts and a part by their tokens. Nothing of what was personal
// is left in a file.
func TestErasedStreamMakesTheSameReadModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(*patterns) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 11))
			e := &erasures{t: t, random: random, log: projectortest.StartBroker(t, t.TempDir()), erased: map[orderName]bool{}}
			e.last = e.fill(simulate.New(seed))
			e.texts = e.personal()
			live := e.project(filepath.Join(t.TempDir(), "live.db"), e.last)
			behind := e.project(filepath.Join(t.TempDir(), "behind.db"), 1+random.Uint64N(e.last))

			e.log.Overwrite()
			require.Equal(t, contentHash(t, live), contentHash(t, e.project(filepath.Join(t.TempDir(), "erased.db"), e.last)))
			e.mend(e.project(behind, e.last))
			require.Equal(t, contentHash(t, live), contentHash(t, behind))

			e.requireNothingPersonal(live, behind)
		})
	}
}

type orderName struct{ provider, key string }

// erasures fills a stream with histories, and erases some of the orders in their midst.
// The source of an order is named like its provider.
type erasures struct {
	t      *testing.T
	random *rand.Rand
	log    *projectortest.Broker
	known  []orderName
	erased map[orderName]bool
	last   uint64          // stream sequence
	texts  map[string]bool // that are personal, of the erased orders alone
}

// fill gives the last stream sequence.
func (e *erasures) fill(simulator *simulate.Simulator) (last uint64) {
	e.t.Helper()
	began := time.Date(2026, 4, 1, 18, 0, 0, 0, time.UTC)
	var all []simulate.Webhook
	for _, p := range provider.All() {
		for n := range 6 {
			all = append(all, simulator.Order(p.Name(), n, began)...)
		}
	}
	for _, sent := range simulate.Disorder(e.random, all, simulate.Faults{Delay: time.Hour, Repeat: 0.1}) {
		w := &domain.Webhook{Provider: sent.Provider, Source: sent.Provider, Event: sent.Event, ID: sent.ID, Body: sent.Body}
		receipt, err := e.log.Append(e.t.Context(), w)
		require.NoError(e.t, err)
		w.StreamSequence, w.BodyDigest = receipt.StreamSequence, domain.DigestBody(w.Body)
		if event, err := provider.NewSet(nil).Translate(w); err == nil {
			e.known = append(e.known, orderName{w.Provider, event.Key})
		}
		if len(e.known) > 0 && e.random.IntN(12) == 0 {
			e.erase(e.known[e.random.IntN(len(e.known))])
		}
	}
	for _, o := range e.known {
		if o.provider == "ivy" && !e.erased[o] {
			e.erase(o)
		}
	}
	return e.log.Accept(projectortest.Ordatic("order-accepted", "last"))
}

// erase erases an order in one or two steps: what the first does not list, the next does.
func (e *erasures) erase(o orderName) {
	e.t.Helper()
	e.erased[o] = true
	webhooks, events := e.log.Of(o.provider, o.key)
	tokens := domain.Tokens([]byte(o.key))
	for i, w := range webhooks {
		webhooks[i] = w.Erased(events[i], tokens)
	}
	half := e.random.IntN(len(webhooks) + 1)
	e.log.Entomb(o.provider, o.provider, o.key, webhooks[:half]...)
	e.log.Entomb(o.provider, o.provider, o.key, webhooks[half:]...)
}

// project brings the read model in a file to a stream sequence, and closes it.
func (e *erasures) project(path string, until uint64) string {
	e.t.Helper()
	model, err := sqlite.Open(e.t.Context(), path)
	require.NoError(e.t, err)
	config := projector.Config{MaxBatch: 1 + e.random.IntN(80)}
	require.NoError(e.t, projector.New(e.log, model, config).RunUntil(e.t.Context(), until))
	if until == e.last {
		e.requireNothingPersonal(path, path+"-wal")
	}
	require.NoError(e.t, model.Close())
	return path
}

// mend makes the erased orders of a read model anew.
func (e *erasures) mend(path string) {
	e.t.Helper()
	db, err := sqlite.Open(e.t.Context(), path)
	require.NoError(e.t, err)
	model := sqlite.NewModel(db)
	live := projector.New(e.log, model, projector.Config{})
	for o := range e.erased {
		_, err := lookback.New(lookback.Config{Log: e.log, Model: model, Live: live}).RebuildOrder(e.t.Context(), o.provider, o.key, false)
		require.NoError(e.t, err)
	}
	require.NoError(e.t, model.Close())
}

// requireNothingPersonal looks into files, open ones too.
func (e *erasures) requireNothingPersonal(paths ...string) {
	e.t.Helper()
	for _, path := range paths {
		content := string(readFile(e.t, path))
		for text := range e.texts {
			require.False(e.t, strings.Contains(content, text), "%s holds %q", path, text)
		}
	}
}

// personal gives the personal texts of the orders that were erased, and of no other.
func (e *erasures) personal() map[string]bool {
	e.t.Helper()
	texts, kept := map[string]bool{}, map[string]bool{}
	for _, o := range e.known {
		_, events := e.log.Of(o.provider, o.key)
		for _, event := range events {
			event.Redact(func(text string) string {
				if e.erased[o] {
					texts[text] = true
				} else {
					kept[text] = true
				}
				return text
			})
		}
	}
	for text := range kept {
		delete(texts, text)
	}
	require.NotEmpty(e.t, texts)
	return texts
}

// What comes of an order after its tombstone is set aside with its cause, a duplicate of
// what was applied too, until another tombstone erases it with the rest. A tombstone that
// is none, and one of an order that nobody heard of, are set aside as well.
func TestErasedOrderTakesNothing(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	paid := &domain.Webhook{Provider: "runa", Source: "cards", Event: "order-completion", ID: "msg_1",
		Body: []byte(`{"id":"O-1","status":"COMPLETED","currency":"EUR","total_price":"10"}`)}
	log.AcceptAs(paid)
	log.Erase("cards", "O-1")
	log.AcceptAgain(paid)
	other := *paid
	other.ID = "msg_2"
	log.AcceptAs(&other)
	log.AcceptAs(&domain.Webhook{Provider: "runa", Source: "cards", Event: domain.EventErased, Body: []byte(`{"key":"O-1","webhooks":[{}]}`)})
	log.Entomb("runa", "cards", "nobody")
	log.Entomb("runa", "elsewhere", "O-1")
	log.AcceptAs(&domain.Webhook{Provider: "runa", Source: "cards", Event: "order-completion", ID: "msg_3", Body: []byte(`{"id":"O-2","status":"FAILED"}`)})
	last := log.Erase("cards", "O-1")

	for range 2 { // before the webhooks are gone, and after
		model := openModel(t, filepath.Join(t.TempDir(), "model.db"))
		run(t, log, model, last, projector.Config{})
		checkpoint, err := model.Checkpoint(t.Context())
		require.NoError(t, err)
		require.Equal(t, domain.Counts{Applied: 4, Quarantined: 5}, checkpoint.Counts)
		set, err := model.Quarantined(t.Context(), 0, 10)
		require.NoError(t, err)
		causes := map[uint64]string{}
		for _, q := range set {
			causes[q.StreamSequence] = q.Cause
		}
		require.Equal(t, map[uint64]string{
			3: domain.CauseOrderErased, 4: domain.CauseOrderErased, 5: domain.CauseErasure, 6: domain.CauseErasure, 7: domain.CauseErasure,
		}, causes)
		order, err := model.Order(t.Context(), "cards", "O-1")
		require.NoError(t, err)
		require.EqualValues(t, 3, order.Version, "one webhook and two tombstones")
		require.Equal(t, last, order.StreamSequence)
		require.Equal(t, domain.StateCompleted, order.State())
		require.Equal(t, order.LastSeenAt, order.ErasedAt)
		entries, err := model.Timeline(t.Context(), "cards", "O-1", domain.TimelinePosition{}, 10)
		require.NoError(t, err)
		require.Len(t, entries, 3)
		require.Equal(t, []any{domain.EventErased, domain.EffectErased, domain.StateCompleted, ""},
			[]any{entries[2].Event, entries[2].Effect, entries[2].State, entries[2].Note})
		log.Overwrite()
	}
}

// The bytes of an erased order's proofs are gone, those of another order stay.
func TestErasedProofs(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	const proof = `{"eventType":"rider-proof-delivery","storeId":"s","data":{"orderId":%q,"proofDelivery":"iVBORw0KGgpBbHZh"}}`
	log.Accept(fmt.Sprintf(proof, "o"))
	log.Accept(fmt.Sprintf(proof, "p"))
	last := log.Erase("shop", "s:o")
	for range 2 { // before the webhooks are gone, and after
		model := openModel(t, filepath.Join(t.TempDir(), "model.db"))
		run(t, log, model, last, projector.Config{})
		for key, size := range map[string]int{"s:o": 0, "s:p": 12} {
			order, err := model.Order(t.Context(), "shop", key)
			require.NoError(t, err)
			require.Equal(t, 12, order.Proofs[0].Size, "that there was one is no secret")
			found, err := model.Proof(t.Context(), "shop", key, order.Proofs[0].ID)
			require.NoError(t, err)
			require.Len(t, found.Content, size)
		}
		log.Overwrite()
	}
}
