package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

var flips = flag.Int("flips", 3, "bits to flip in each kind of file of each state")

// remains is what a stop leaves of a read model.
type remains struct {
	name          string
	database, wal []byte // no log after a clean stop
}

// put writes the remains where a program finds them.
func (r remains) put(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "model.sqlite")
	require.NoError(t, os.WriteFile(path, r.database, 0o600))
	if r.wal != nil {
		require.NoError(t, os.WriteFile(path+"-wal", r.wal, 0o600))
	}
	return path
}

// everything are queries that read each table by its rows and by its indexes.
var everything = []string{
	"SELECT * FROM projection", "SELECT * FROM orders ORDER BY id", "SELECT * FROM timeline ORDER BY order_id, stream_sequence, ordinal",
	"SELECT * FROM webhook_ids ORDER BY id, body", "SELECT * FROM proofs ORDER BY number", "SELECT * FROM quarantine ORDER BY stream_sequence",
	"SELECT * FROM order_tallies ORDER BY source, state", "SELECT * FROM minute_tallies ORDER BY minute, source",
	"SELECT * FROM stays ORDER BY stream_sequence", "SELECT * FROM duration_tallies ORDER BY span, start, source, store_id, state, class",
	"SELECT id FROM orders INDEXED BY orders_by_wait WHERE waiting_since > 0 ORDER BY source, state, waiting_since",
	"SELECT id FROM orders INDEXED BY orders_by_update ORDER BY stream_sequence",
	"SELECT id FROM orders INDEXED BY orders_by_state ORDER BY state, stream_sequence",
	"SELECT id FROM orders INDEXED BY orders_by_store WHERE store_id <> '' ORDER BY store_id, stream_sequence",
	"SELECT id FROM orders INDEXED BY orders_by_problem WHERE problem <> '' ORDER BY stream_sequence",
	"SELECT id FROM orders WHERE source = 'shop' ORDER BY source, key",
}

// dump reads everything there is, as text.
func dump(ctx context.Context, dsn string) (checkpoint uint64, text string, err error) {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return 0, "", err
	}
	defer db.Close()
	var all strings.Builder
	for _, query := range everything {
		if err := dumpQuery(ctx, db, query, &all); err != nil {
			return 0, "", err
		}
	}
	err = db.QueryRowContext(ctx, "SELECT checkpoint FROM projection").Scan(&checkpoint)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return checkpoint, all.String(), err
}

func dumpQuery(ctx context.Context, db *sql.DB, query string, to *strings.Builder) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
		for _, value := range values {
			fmt.Fprintf(to, "%v|", *value.(*any))
		}
		to.WriteByte('\n')
	}
	return rows.Err()
}

// history commits a read model step by step, and keeps what it was at each
// checkpoint and what stops at some moments would have left of it.
type history struct {
	t       testing.TB
	path    string
	writer  *writer
	at      map[uint64]string // what the read model holds at a checkpoint
	remains []remains
}

func makeHistory(t testing.TB) *history {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	h := &history{t: t, path: path, at: map[uint64]string{}}
	db, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	h.writer = newWriter(t, db)
	h.commit(12)
	h.stop("killed before any checkpoint")
	h.copyBack()
	h.stop("killed with all of the log copied back")
	h.commit(5) // begins the log anew, over what it held
	h.stop("killed with an older log behind the new one")
	before := h.files()
	h.copyBack()
	h.stopInTheMiddle(before)
	reader := h.reader()
	h.commit(10)
	h.copyBack() // up to where the reader is
	h.stop("killed with a part of the log copied back")
	reader()
	require.NoError(t, db.Close())
	clean := h.files()
	clean.name = "stopped"
	h.remains = append(h.remains, clean)
	h.at[0] = "" // a log that is lost whole leaves nothing where nothing was copied back
	return h
}

// commit makes commits that touch new and old orders, and notes what each leads to.
func (h *history) commit(commits int) {
	h.t.Helper()
	for range commits {
		n := h.writer.batch.Checkpoint.StreamSequence
		for i := range uint64(6) {
			event := step(fmt.Sprintf("order-%d", (n+i*7)%30), domain.Fulfillment(1+(n+i)%4))
			event.StoreID = fmt.Sprintf("store-%d", i)
			if i == 0 {
				event.Description = strings.Repeat("long ", 2000) // on pages of its own
			}
			h.writer.apply(event)
		}
		h.writer.commit()
		checkpoint, text, err := dump(h.t.Context(), "file:"+h.path+"?vfs=pagesum&mode=ro")
		require.NoError(h.t, err)
		h.at[checkpoint] = text
	}
}

// copyBack copies the log into the database as far as readers let it.
func (h *history) copyBack() { execute(h.t, h.path, "PRAGMA wal_checkpoint(PASSIVE)") }

// reader holds the read model as it is now, until it is let go.
func (h *history) reader() (letGo func()) {
	h.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+h.path+"?vfs=pagesum&mode=ro")
	require.NoError(h.t, err)
	conn, err := db.Conn(h.t.Context())
	require.NoError(h.t, err)
	var n int
	for _, statement := range []string{"BEGIN", "SELECT count(*) FROM orders"} {
		require.NoError(h.t, ignoreNoRows(conn.QueryRowContext(h.t.Context(), statement).Scan(&n)))
	}
	return func() { require.NoError(h.t, errors.Join(conn.Close(), db.Close())) }
}

func ignoreNoRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

func (h *history) files() (r remains) {
	h.t.Helper()
	var err error
	r.database, err = os.ReadFile(h.path)
	require.NoError(h.t, err)
	if r.wal, err = os.ReadFile(h.path + "-wal"); errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	require.NoError(h.t, err)
	return r
}

func (h *history) stop(name string) {
	r := h.files()
	r.name = name
	h.remains = append(h.remains, r)
}

// stopInTheMiddle adds the stops in the middle of the copying that lies between
// before and now: pages are copied in their order.
func (h *history) stopInTheMiddle(before remains) {
	const page = 4096
	after := h.files()
	require.NotEqual(h.t, before.database, after.database, "nothing was copied back")
	for _, pages := range []int{2, 3, len(after.database) / page / 2} {
		mixed := append(bytes.Clone(after.database[:pages*page]), before.database[min(pages*page, len(before.database)):]...)
		h.remains = append(h.remains, remains{fmt.Sprintf("killed when %d pages were copied back", pages), mixed, after.wal})
	}
}

// A single flipped bit anywhere in a read model or its write-ahead log, whenever
// the program stopped, is found or has no effect: what is read without an error is
// what was once committed. A control shows what would be served without the sums.
func TestFlippedBitIsFoundOrHasNoEffect(t *testing.T) {
	t.Parallel()
	h := makeHistory(t)
	random := rand.New(rand.NewPCG(4, 4))
	found, silentWithout := 0, 0
	for _, left := range h.remains {
		for range *flips {
			for _, spoilt := range left.flip(random) {
				path := spoilt.put(t)
				text, err := h.read(path)
				require.True(t, err != nil || h.known(text), "%s: a flipped bit is served", spoilt.name)
				if err != nil {
					found++
				}
				_, text, err = dump(t.Context(), "file:"+spoilt.put(t))
				if err == nil && !h.known(text) {
					silentWithout++
				}
			}
		}
	}
	t.Logf("%d flips in each file of %d states: %d found; without sums %d are served", *flips, len(h.remains), found, silentWithout)
	require.NotZero(t, found)

	// A change that is sure to be served without the sums: one bit in a store's name.
	sound := h.remains[len(h.remains)-1]
	sound.database = bytes.ReplaceAll(sound.database, []byte("store-1"), []byte("store-3"))
	_, text, err := dump(t.Context(), "file:"+sound.put(t))
	require.NoError(t, err)
	require.False(t, h.known(text), "the control serves nothing wrong, so this test cannot tell")
	_, err = h.read(sound.put(t))
	require.ErrorContains(t, err, "malformed")
}

// What a stop leaves opens and is what was committed, at a checkpoint that was.
func TestWhatAStopLeavesIsSound(t *testing.T) {
	t.Parallel()
	h := makeHistory(t)
	for _, left := range h.remains {
		text, err := h.read(left.put(t))
		require.NoError(t, err, left.name)
		require.NotEmpty(t, text, left.name)
		require.True(t, h.known(text), left.name)
	}
}

// A read model is not said to be damaged where SQLite could not read it, as on a full
// disk, or here behind a lock: it would be put aside, and made anew.
func TestWhatCannotBeReadNowIsNotDamaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "model.sqlite")
	db, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	w := newWriter(t, db)
	w.apply(domain.Event{Key: "1"})
	w.commit()
	require.NoError(t, db.Close())

	other, err := sql.Open("sqlite3", "file:"+path+"?vfs=pagesum&_locking=EXCLUSIVE&_txlock=exclusive")
	require.NoError(t, err)
	alone, err := other.Begin()
	require.NoError(t, err)
	require.FileExists(t, path+"-wal")
	_, err = sqlite.Open(t.Context(), path)
	require.Error(t, err)
	require.NotErrorIs(t, err, domain.ErrDamaged)
	require.NoError(t, errors.Join(alone.Rollback(), other.Close()))
	require.NoError(t, openAt(t, path).Close())
}

// known tells whether a text is what the read model was at some checkpoint.
func (h *history) known(text string) bool {
	for _, known := range h.at {
		if known == text {
			return true
		}
	}
	return false
}

// read opens the read model as the program does, and reads everything.
func (h *history) read(path string) (string, error) {
	h.t.Helper()
	db, err := sqlite.Open(h.t.Context(), path)
	if err != nil {
		_, told := errors.AsType[*sqlite.FileError](err)
		require.True(h.t, told, "%v", err)
		return "", err
	}
	_, text, err := dump(h.t.Context(), "file:"+path+"?vfs=pagesum&mode=ro")
	require.NoError(h.t, errors.Join(db.Close()))
	return text, err
}

// flip gives the remains with a bit flipped in the database, and with one flipped
// in the log.
func (r remains) flip(random *rand.Rand) (spoilt []remains) {
	one := func(sound []byte) []byte {
		flipped := bytes.Clone(sound)
		bit := random.IntN(8 * len(flipped))
		flipped[bit/8] ^= 1 << (bit % 8)
		return flipped
	}
	spoilt = append(spoilt, remains{r.name + ", database", one(r.database), r.wal})
	if len(r.wal) > 0 {
		spoilt = append(spoilt, remains{r.name + ", log", r.database, one(r.wal)})
	}
	return spoilt
}
