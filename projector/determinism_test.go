package projector_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/rebuild"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

var patterns = flag.Int("patterns", 3, "random patterns of stops and kills by which a stream is projected")

// contentHash gives the SHA-256 of a read model's content, without the traces
// that its history of writes left in the file.
func contentHash(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	copied := filepath.Join(t.TempDir(), "content.db")
	_, err = db.ExecContext(t.Context(), "VACUUM INTO ?", copied)
	require.NoError(t, err)
	content, err := os.ReadFile(copied)
	require.NoError(t, err)
	return sha256.Sum256(content)
}

// The same stream gives the same read model, byte for byte, however it was cut
// into batches, on however many threads, whoever read meanwhile, however often the
// projector was stopped or the program killed in the middle of a commit, and whether
// it was projected live, rebuilt, or rebuilt into a snapshot.
func TestReadModelDependsOnTheStreamAlone(t *testing.T) {
	t.Parallel()
	log := projectortest.StartBroker(t, t.TempDir())
	last := fillWithHistories(t, log)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0)) // it is so for the whole process until this test ends
	live, rebuilt, snapshot := rebuiltBeside(t, log, last)
	want := contentHash(t, live)
	requireOddities(t, live)
	require.Equal(t, want, contentHash(t, rebuilt), "rebuilt")
	require.Equal(t, want, sha256.Sum256(readFile(t, snapshot)), "snapshot")

	for i, maxBatch := range []int{1, 2, 7, 500, 4096} {
		for _, memory := range []int{1, 100_000, sqlite.LoadMemory} {
			runtime.GOMAXPROCS(1 + i%4)
			path := load(t, log, last, maxBatch, memory)
			require.Equal(t, want, contentHash(t, path), "loaded, %d at a time, with %d bytes of memory", maxBatch, memory)
		}
	}
	kills := 0
	for seed := range *patterns {
		runtime.GOMAXPROCS(1 + seed%4)
		p := &pattern{t: t, log: log, random: rand.New(rand.NewPCG(uint64(seed), 3)), dir: t.TempDir()}
		require.Equal(t, want, contentHash(t, p.project(last)), "pattern %d", seed)
		kills += p.kills
	}
	require.True(t, *patterns == 0 || kills > 0, "no commit was cut short, so this test cannot tell")
}

// load makes the read model anew.
func load(t *testing.T, log projector.Log, last uint64, maxBatch, memory int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "model.sqlite")
	loader, err := sqlite.NewLoader(t.Context(), path, memory)
	require.NoError(t, err)
	require.NoError(t, projector.New(log, loader, projector.Config{MaxBatch: maxBatch}).RunUntil(t.Context(), last))
	checkpoint, err := loader.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, checkpoint.StreamSequence, checkpoint.Counts.Sum())
	require.NotZero(t, min(checkpoint.Counts.Duplicate, checkpoint.Counts.Quarantined, checkpoint.Counts.NotAboutOrder), "%+v", checkpoint.Counts)
	require.NoError(t, loader.Finish(t.Context()))
	return path
}

// requireOddities requires that an id came again with another body, and that a proof was
// erased, without which the test would say less than it seems to.
func requireOddities(t *testing.T, path string) {
	t.Helper()
	db := openModel(t, path)
	orders, err := db.Orders(t.Context(), domain.OrderQuery{Limit: 1000})
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(orders, func(o *domain.Order) bool {
		return slices.ContainsFunc(o.Anomalies, func(a domain.Anomaly) bool { return a.Code == domain.AnomalyWebhookIDReused })
	}))
	require.True(t, slices.ContainsFunc(orders, func(o *domain.Order) bool { return !o.ErasedAt.IsZero() && len(o.Proofs) > 0 }))
}

// rebuiltBeside projects a stream live, and then rebuilds the read model and makes
// a snapshot of it.
func rebuiltBeside(t *testing.T, log projector.Log, last uint64) (live, rebuilt, snapshot string) {
	t.Helper()
	folder, err := sqlite.OpenFolder(t.TempDir())
	require.NoError(t, err)
	live = folder.Current()
	db, err := sqlite.Open(t.Context(), live)
	require.NoError(t, err)
	model := sqlite.NewModel(db)
	p := projector.New(log, model, projector.Config{})
	require.NoError(t, p.RunUntil(t.Context(), last))
	rebuilder, err := rebuild.New(rebuild.Config{Log: log, Folder: folder, Model: model, Live: p})
	require.NoError(t, err)
	for options, end := range map[domain.RebuildOptions]domain.RebuildState{
		{}: domain.RebuildSwitched, {Until: last}: domain.RebuildKept,
	} {
		begun, err := rebuilder.Start(options)
		require.NoError(t, err)
		done, err := rebuilder.Wait(t.Context(), begun.ID)
		require.NoError(t, err)
		require.Equal(t, end, done.State, done.Error)
	}
	require.NoError(t, errors.Join(rebuilder.Close(), model.Close()))
	return live, folder.Current(), rebuilder.SnapshotPath(last)
}

// pattern projects a stream in runs that are stopped or killed at random, with
// batches of a random size.
type pattern struct {
	t      *testing.T
	log    projector.Log
	random *rand.Rand
	dir    string
	files  int // what the next run begins with is the files-th file
	kills  int
}

// project gives the file that the last run has left.
func (p *pattern) project(last uint64) (path string) {
	p.t.Helper()
	for at := uint64(0); at < last; {
		path = p.path()
		db, err := sqlite.Open(p.t.Context(), path)
		require.NoError(p.t, err)
		ctx, cancel := context.WithCancel(p.t.Context())
		store := &mortalStore{DB: db, pattern: p, die: cancel}
		if p.random.IntN(2) == 0 {
			store.last = 1 + p.random.IntN(4)
		}
		until := min(last, at+1+p.random.Uint64N(last/2))
		config := projector.Config{MaxBatch: 1 + p.random.IntN(60), Reads: p.random.Uint64}
		require.NoError(p.t, projector.New(p.log, store, config).RunUntil(ctx, until))
		cancel()
		require.NoError(p.t, db.Close())
		checkpoint, err := sqlite.CheckpointOf(p.t.Context(), p.path())
		if !errors.Is(err, sql.ErrNoRows) {
			require.NoError(p.t, err)
		}
		at = checkpoint.StreamSequence
	}
	return path
}

func (p *pattern) path() string { return filepath.Join(p.dir, fmt.Sprintf("%d.sqlite", p.files)) }

// mortalStore is a read model whose program is killed in the middle of one of its
// commits.
type mortalStore struct {
	*sqlite.DB
	pattern *pattern
	last    int // the commit, from 1, that is cut short; 0 for none
	die     context.CancelFunc
}

// Commit of the last commit leaves what a kill at a random moment of it would have
// left, in the pattern's next file, and ends the run.
func (s *mortalStore) Commit(ctx context.Context, b *domain.Batch) error {
	s.last--
	if s.last != 0 {
		return s.DB.Commit(ctx, b)
	}
	p := s.pattern
	path := p.path()
	database, before := readFile(p.t, path), readFile(p.t, path+"-wal")
	err := s.DB.Commit(ctx, b)
	p.files++
	p.kills++
	require.NoError(p.t, os.WriteFile(p.path(), database, 0o600))
	log := cutShort(p.random, before, readFile(p.t, path+"-wal"))
	require.NoError(p.t, os.WriteFile(p.path()+"-wal", log, 0o600))
	s.die()
	return err
}

// cutShort gives a write-ahead log as it is when of what a commit writes to it only
// a random part has been written: it is written from its front to its back.
func cutShort(random *rand.Rand, before, after []byte) []byte {
	first := 0
	for first < min(len(before), len(after)) && before[first] == after[first] {
		first++
	}
	cut := first + random.IntN(len(after)-first+1)
	return append(slices.Clone(after[:cut]), before[min(cut, len(before)):]...)
}

// readFile gives nothing for a file that is not there.
func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	return content
}

// fillWithHistories puts orders of every provider on the stream, interleaved,
// late and repeated, with ids that come again with another body, with webhooks that
// cannot be translated and with erasures, and gives the last stream sequence.
func fillWithHistories(t *testing.T, log *projectortest.Broker) (last uint64) {
	t.Helper()
	began := time.Date(2026, 4, 1, 18, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(3, 2))
	simulator := simulate.New(3)
	var all []simulate.Webhook
	for _, p := range provider.All() {
		for n := range 15 {
			all = append(all, simulator.Order(p.Name(), n, began)...)
		}
	}
	ids := map[string]string{} // the latest of each provider
	var again []*domain.Webhook
	for _, sent := range simulate.Disorder(random, all, simulate.Faults{Delay: time.Hour, Repeat: 0.2}) {
		w := &domain.Webhook{
			Provider: sent.Provider, Source: sent.Provider, Event: sent.Event, ID: sent.ID,
			ReceivedAt: domain.InstantOf(began.Add(sent.After)), Body: sent.Body,
		}
		if w.ID != "" && random.IntN(8) == 0 {
			w.ID = cmp.Or(ids[w.Provider], w.ID)
		}
		ids[w.Provider] = w.ID
		if random.IntN(12) == 0 {
			w.Body = bytes.ToUpper(w.Body[:len(w.Body)-random.IntN(2)])
		}
		receipt, err := log.Append(t.Context(), w)
		require.NoError(t, err)
		if receipt.Duplicate { // within the stream's own window for them
			again = append(again, w)
		}
		if event, err := provider.NewSet(nil).Translate(w); err == nil && random.IntN(40) == 0 {
			log.Erase(w.Source, event.Key)
		}
	}
	require.NotEmpty(t, again)
	for _, w := range again {
		last = log.AcceptAgain(w)
	}
	return last
}
