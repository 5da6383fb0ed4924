package lookback_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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

// rail is a stream, a read model of it with its projector, and a Lookback.
type rail struct {
	t     *testing.T
	path  string
	log   *projectortest.Broker
	model *sqlite.Model
	live  *projector.Projector
	*lookback.Lookback
}

func start(t *testing.T) *rail {
	t.Helper()
	r := &rail{t: t, path: filepath.Join(t.TempDir(), "1.db"), log: projectortest.StartBroker(t, t.TempDir())}
	db, err := sqlite.Open(t.Context(), r.path)
	require.NoError(t, err)
	r.model = sqlite.NewModel(db)
	t.Cleanup(func() { require.NoError(t, r.model.Close()) })
	r.live = projector.New(r.log, r.model, projector.Config{})
	r.Lookback = lookback.New(r.config())
	return r
}

func (r *rail) config() lookback.Config {
	return lookback.Config{Log: r.log, Model: r.model, Live: r.live}
}

// project brings the read model to a stream sequence.
func (r *rail) project(until uint64) {
	r.t.Helper()
	require.NoError(r.t, r.live.RunUntil(r.t.Context(), until))
}

// accept puts webhooks of the order s:o on the stream, and projects them.
func (r *rail) accept(events ...string) {
	r.t.Helper()
	for _, event := range events {
		r.project(r.log.Accept(projectortest.Ordatic(event, "o")))
	}
}

// acceptHistories puts the orders of every provider on the stream, interleaved and
// out of order, and again some of their webhooks, with the ids they had; and gives
// the last stream sequence.
func (r *rail) acceptHistories(ordersEach int) (last uint64) {
	r.t.Helper()
	var sent []simulate.Webhook
	simulator, began := simulate.New(17), time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, p := range provider.All() {
		for n := range ordersEach {
			sent = append(sent, simulator.Order(p.Name(), n, began)...)
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	arrived := simulate.Disorder(rng, sent, simulate.Faults{Delay: 10 * time.Minute})
	half := len(arrived) / 2
	var repeatable []simulate.Webhook
	for _, w := range arrived[:half] {
		r.log.AcceptAs(stored(w))
		if w.ID != "" {
			repeatable = append(repeatable, w)
		}
	}
	for i, w := range arrived[half:] {
		if i%4 == 0 {
			r.log.AcceptAgain(stored(repeatable[rng.IntN(len(repeatable))]))
		}
		last = r.log.AcceptAs(stored(w))
	}
	return last
}

func stored(w simulate.Webhook) *domain.Webhook {
	return &domain.Webhook{Provider: w.Provider, Source: w.Provider, Event: w.Event, ID: w.ID, Body: w.Body}
}

// query asks the file for single values, behind everybody's back.
func (r *rail) query(statement string, args ...any) []string {
	r.t.Helper()
	return query(r.t, r.path, statement, args...)
}

func query(t *testing.T, path, statement string, args ...any) (values []string) {
	t.Helper()
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), statement, args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var value string
		require.NoError(t, rows.Scan(&value))
		values = append(values, value)
	}
	require.NoError(t, rows.Err())
	return values
}

// damage changes the file behind everybody's back.
func (r *rail) damage(statement string) {
	r.t.Helper()
	require.Empty(r.t, r.query(statement))
}

// contentHash gives the SHA-256 of the read model's content, without the traces
// that its history of writes left in the file.
func (r *rail) contentHash() [sha256.Size]byte {
	r.t.Helper()
	copied := filepath.Join(r.t.TempDir(), "content.db")
	require.Empty(r.t, r.query("VACUUM INTO ?", copied))
	content, err := os.ReadFile(copied)
	require.NoError(r.t, err)
	return sha256.Sum256(content)
}

// explained gives all that is explained of an order.
func (r *rail) explained(source, key string) (all []*domain.ExplainedWebhook) {
	r.t.Helper()
	for webhook, err := range r.Explain(r.t.Context(), source, key) {
		require.NoError(r.t, err)
		all = append(all, webhook)
	}
	return all
}

// forgetful is a stream that no longer holds some webhooks.
type forgetful struct {
	lookback.Log
	forgotten []uint64
}

func (f forgetful) Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error) {
	if slices.Contains(f.forgotten, streamSequence) {
		return nil, domain.ErrNotFound
	}
	return f.Log.Webhook(ctx, streamSequence)
}
