package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// The statements of a commit, which stay prepared on the one connection that writes. Those
// that insert or add take rows.
const (
	// What names an order never changes.
	insertOrders = `
		INSERT INTO orders (id, source, key, state, store_id, reference, problem, waiting_since, updated_at, stream_sequence, document)
		SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10
		FROM rows(?)
		WHERE true
		ON CONFLICT (id) DO UPDATE SET
		    state = excluded.state, store_id = excluded.store_id, reference = excluded.reference,
		    problem = excluded.problem, waiting_since = excluded.waiting_since, updated_at = excluded.updated_at,
		    stream_sequence = excluded.stream_sequence, document = excluded.document`
	insertTimeline = `
		INSERT INTO timeline (order_id, stream_sequence, ordinal, event, status, effect, note, state, occurred_at, received_at)
		SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9
		FROM rows(?)`
	insertChanges = `
		INSERT INTO changes (stream_sequence, order_id)
		SELECT c0, c1
		FROM rows(?)`
	insertWebhookIDs = `
		INSERT INTO webhook_ids (id, body, stream_sequence)
		SELECT c0, c1, c2
		FROM rows(?)
		WHERE true
		ON CONFLICT DO NOTHING`
	insertProofs = `
		INSERT INTO proofs (order_id, id, type, content)
		SELECT c0, c1, c2, c3
		FROM rows(?)
		WHERE true
		ON CONFLICT DO NOTHING`
	insertQuarantine = `
		INSERT INTO quarantine (stream_sequence, source, event, cause, place, received_at)
		SELECT c0, c1, c2, c3, c4, c5
		FROM rows(?)`
	// The sum is made here, since no row may be below 0, were it only to be added.
	addOrders = `
		INSERT INTO order_tallies (source, state, orders)
		SELECT c0, c1, c2 + ifnull((SELECT orders FROM order_tallies WHERE source = c0 AND state = c1), 0)
		FROM rows(?)
		WHERE true
		ON CONFLICT DO UPDATE SET orders = excluded.orders`
	addMinutes = `
		INSERT INTO minute_tallies (source, minute, applied, duplicate, not_about_order, quarantined, orders)
		SELECT c0, c1, c2, c3, c4, c5, c6
		FROM rows(?)
		WHERE true
		ON CONFLICT DO UPDATE SET
		    applied = applied + excluded.applied,
		    duplicate = duplicate + excluded.duplicate,
		    not_about_order = not_about_order + excluded.not_about_order,
		    quarantined = quarantined + excluded.quarantined,
		    orders = orders + excluded.orders`
	// A tally that fell to nothing would stay or not by how the batches were cut. The value
	// is 0: a statement without values does not stay prepared.
	dropEmptyTallies = `DELETE FROM order_tallies WHERE orders <= ?`
	eraseNotes       = `
		UPDATE timeline
		SET note = ''
		WHERE order_id = ? AND effect = 'back-filled'`
	// The rows stay: their numbers must not depend on how the batches were cut.
	eraseProofs = `
		UPDATE proofs
		SET content = x''
		WHERE order_id = ?`
	replaceCheckpoint = `
		REPLACE INTO projection (id, version, mappings, stream, stream_created_at, checkpoint, chain, previous_chain,
		    applied, duplicate, not_about_order, quarantined)
		VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	selectLastOrder = `SELECT ifnull(max(id), 0) FROM orders`
)

// checkWrites returns an error for a file whose tables the statements do not fit.
func checkWrites(ctx context.Context, db *sql.DB) error {
	for _, query := range []string{
		insertOrders, insertTimeline, insertChanges, insertWebhookIDs, insertProofs, insertQuarantine, insertStays, addOrders, addMinutes,
		addDurations, dropStays, dropEmptyTallies, eraseNotes, eraseProofs, replaceCheckpoint, selectLastOrder,
	} {
		statement, err := db.PrepareContext(ctx, query)
		if err != nil {
			return fmt.Errorf("prepare %q: %w", query, err)
		}
		if err := statement.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Commit writes a batch and its checkpoint in one transaction, and gives the new
// orders of the batch their IDs. When it returns nil the batch is on disk. After
// an error nothing of it is, and the batch must not be committed again: its
// orders may hold IDs that were never stored. Its errors are [CommitError]s.
func (db *DB) Commit(ctx context.Context, b *domain.Batch) error {
	w, err := db.commit(ctx, b)
	if err != nil {
		return &CommitError{StreamSequence: b.Checkpoint.StreamSequence, Err: damage(err)}
	}
	db.kept.put(b.Orders, w.orderBytes)
	db.announce()
	db.emptyLog(ctx, len(b.Erased) > 0)
	db.tendLog(ctx, w.bytes)
	return nil
}

// commit does without a sql.Tx: that starts a goroutine, which would have to be woken
// for each commit.
func (db *DB) commit(ctx context.Context, b *domain.Batch) (w batchWriter, err error) {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return w, err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return w, err
	}
	w = batchWriter{ctx: ctx, tx: conn}
	counted := countedUpTo(b.Checkpoint.StreamSequence)
	w.batch(b)
	w.stays(b.Stays, db.counted, counted)
	if w.err == nil {
		w.err = db.changes.during(b.Orders, func() error {
			_, err := conn.ExecContext(ctx, "COMMIT")
			return err
		})
	}
	if w.err != nil {
		_, _ = conn.ExecContext(ctx, "ROLLBACK") // it fails where SQLite has done so itself
		return w, w.err
	}
	db.counted = counted
	return w, nil
}

// transaction is what a batch is written in.
type transaction interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	rowQuerier
}

// batchWriter writes the parts of one batch; after its first error it does
// nothing more.
type batchWriter struct {
	ctx        context.Context
	tx         transaction
	bytes      int // of all rows
	orderBytes int // of those of orders
	room       []byte
	err        error
}

func (w *batchWriter) run(statement string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.ExecContext(w.ctx, statement, args...)
	}
}

// pieceBytes is when rows are handed to SQLite: larger pieces save no more, and leave the
// processor's cache.
const pieceBytes = 1 << 18

// insert runs a statement with the rows that add makes of all.
func insert[T any](w *batchWriter, statement string, all []T, add func(*bulk, *T)) {
	piece := bulk{bytes: w.room[:0]}
	defer func() { w.room = piece.bytes }()
	for i := range all {
		if add(&piece, &all[i]); len(piece.bytes) >= pieceBytes {
			w.bulk(statement, &piece)
		}
	}
	w.bulk(statement, &piece)
}

// bulk runs a statement with rows, and lets them go.
func (w *batchWriter) bulk(statement string, b *bulk) {
	w.err = errors.Join(w.err, b.err)
	if len(b.bytes) > 0 {
		w.run(statement, b.bytes)
	}
	w.bytes += len(b.bytes)
	b.bytes = b.bytes[:0]
}

func (w *batchWriter) batch(b *domain.Batch) {
	w.number(b.Orders)
	w.orders(b.Orders)
	insert(w, insertTimeline, b.Timeline, (*bulk).entry)
	insert(w, insertChanges, b.Timeline, (*bulk).change)
	insert(w, insertWebhookIDs, b.WebhookIDs, (*bulk).webhookID)
	insert(w, insertProofs, b.Proofs, (*bulk).proof)
	w.erase(b.Erased)
	insert(w, insertQuarantine, b.Quarantined, (*bulk).quarantined)
	w.tallies(&b.Tallies)
	w.checkpoint(&b.Checkpoint)
}

// number numbers the new orders after those there are.
func (w *batchWriter) number(orders []*domain.Order) {
	var last uint64
	for _, order := range orders {
		if order.ID > 0 {
			continue
		}
		if last == 0 {
			if w.err = w.tx.QueryRowContext(w.ctx, selectLastOrder).Scan(&last); w.err != nil {
				return
			}
		}
		last++
		order.ID = last
	}
}

func (w *batchWriter) orders(orders []*domain.Order) {
	insert(w, insertOrders, orders, (*bulk).order)
	w.orderBytes = w.bytes // they are the first
}

func (w *batchWriter) erase(orders []*domain.Order) {
	for _, order := range orders {
		w.run(eraseNotes, order.ID)
		w.run(eraseProofs, order.ID)
	}
}

func (w *batchWriter) tallies(t *domain.Tallies) {
	var orders, minutes bulk
	fell := false
	for tally, n := range t.Orders {
		if n != 0 {
			orders.orderTally(tally, n)
		}
		fell = fell || n < 0
	}
	for tally, n := range t.Minutes {
		minutes.minuteTally(tally, n)
	}
	w.bulk(addOrders, &orders)
	if fell {
		w.run(dropEmptyTallies, 0)
	}
	w.bulk(addMinutes, &minutes)
}

func (w *batchWriter) checkpoint(c *domain.Checkpoint) {
	n := c.Counts
	w.run(replaceCheckpoint, c.Version, string(c.Mappings), c.Stream.Name, c.Stream.CreatedAt.String(), c.StreamSequence,
		c.Chain[:], c.PreviousChain[:], n.Applied, n.Duplicate, n.NotAboutOrder, n.Quarantined)
}

// webhookIDHash names a webhook id of a source in 64 bits. That two ids share one
// is harmless: a duplicate must also have the same body, and a false "reused" is
// a remark.
func webhookIDHash(source, id string) int64 {
	text := make([]byte, 0, 128) // mostly enough, and then no garbage
	return head(sha256.Sum256(append(append(append(text, source...), 0), id...)))
}

func head(sum domain.Digest) int64 { return int64(binary.BigEndian.Uint64(sum[:8])) }
