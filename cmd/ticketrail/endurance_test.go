package main_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// SIGTERM finishes what is in flight, commits, and ends with 0 in bounded time; a
// restart goes on where the last one stopped, twice in a row, while webhooks keep
// arriving. Nothing that was answered with 200 is lost.
func TestRestartsLoseNothing(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	load := startLoad(t, p)
	var checkpoint uint64
	for range 2 {
		load.wait(60)
		p.stop(t)
		p = start(t, data)
		load.direct(t, p)
		now := p.caughtUp(t)
		require.Greater(t, now.Checkpoint, checkpoint)
		checkpoint = now.Checkpoint
	}
	load.wait(60)
	load.end()
	requireWhole(t, p, load)
}

// kills is how often the program is killed.
const kills = 12

// kill -9 at any moment under load loses nothing that was answered with 200, and
// the read model catches up and is the one that a fresh projection makes.
func TestKillsLoseNothing(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	load := startLoad(t, p)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		load.wait(5 + random.IntN(80))
		p.kill(t)
		p = start(t, data)
		load.direct(t, p)
	}
	load.wait(20)
	load.end()
	requireWhole(t, p, load)
}

// requireWhole stops the program and looks at what it left: every answer is kept,
// the stream has no gap, and the read model equals a fresh one.
func requireWhole(t *testing.T, p *process, load *load) {
	t.Helper()
	projection := p.caughtUp(t)
	p.stop(t)
	log := openStream(t, p.data)
	info, err := log.Info(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, info.First)
	require.Equal(t, projection.Checkpoint, info.Last)
	require.Equal(t, info.Last, info.Messages, "the stream has a gap")
	require.Empty(t, load.doubts, "one stream sequence was given to two webhooks")
	for streamSequence, body := range load.stored {
		webhook, err := log.Webhook(t.Context(), streamSequence)
		require.NoError(t, err, "stream sequence %d was answered with 200", streamSequence)
		require.Equal(t, body, domain.DigestBody(webhook.Body), "stream sequence %d", streamSequence)
	}
	t.Logf("%d webhooks were answered with 200, the stream holds %d", len(load.stored), info.Last)

	fresh := filepath.Join(t.TempDir(), "fresh.sqlite")
	project(t, log, fresh, info.Last)
	require.Equal(t, content(t, fresh), content(t, inUse(t, p.data)))
}

// inUse gives the file of the read model in use of a program that has ended.
func inUse(t *testing.T, data string) string {
	t.Helper()
	path, err := app.CurrentReadModel(data)
	require.NoError(t, err)
	return path
}

// openStream opens the stream of a program that has ended.
func openStream(t *testing.T, data string) *eventlog.Log {
	t.Helper()
	folder := app.StreamFolder(data)
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: folder})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{
		Embedded: true, Dir: folder, DuplicateWindow: 2 * time.Minute,
	})
	require.NoError(t, err)
	return log
}

// project makes a read model of a whole stream.
func project(t *testing.T, log *eventlog.Log, path string, last uint64) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	model := sqlite.NewModel(db)
	defer func() { require.NoError(t, model.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- projector.New(log, model, projector.Config{}).Run(ctx) }()
	require.NoError(t, model.WaitFor(ctx, last))
	cancel()
	require.NoError(t, <-ended)
}

// content gives every row of every table of a read model, as text.
func content(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var all strings.Builder
	for _, table := range column(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
		columns := strings.Join(column(t, db, "SELECT 'quote(' || name || ')' FROM pragma_table_info('"+table+"')"), " || ' ' || ")
		rows := column(t, db, "SELECT "+columns+" AS line FROM "+table+" ORDER BY line")
		fmt.Fprintf(&all, "%s: %d rows\n%s\n", table, len(rows), strings.Join(rows, "\n"))
	}
	return all.String()
}

// column gives the texts that a query selects.
func column(t *testing.T, db *sql.DB, query string) (texts []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		texts = append(texts, text)
	}
	require.NoError(t, rows.Err())
	return texts
}
