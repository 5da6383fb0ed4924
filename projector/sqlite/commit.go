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

// writeStatements are the statements of a commit, prepared once on the one
// connection that writes. The first five take rows.
type writeStatements struct {
	orders, timeline, webhookIDs, proofs, quarantine *sql.Stmt
	eraseNotes, eraseProofs                          *sql.Stmt
	tally, minute, duration                          *sql.Stmt
	dropEmptyTallies, checkpoint                     *sql.Stmt
}

func prepareWrites(ctx context.Context, db *sql.DB) (w writeStatements, err error) {
	for statement, query := range w.queries() {
		if *statement, err = db.PrepareContext(ctx, query); err != nil {
			return w, fmt.Errorf("prepare %q: %w", query, err)
		}
	}
	return w, nil
}

func (w *writeStatements) queries() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		// What names an order never changes.
		&w.orders: `
			INSERT INTO orders (id, source, key, state, store_id, reference, problem, last_seen_at, stream_sequence, document)
			SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9
			FROM rows(?)
			WHERE true
			ON CONFLICT (id) DO UPDATE SET
			    state = excluded.state, store_id = excluded.store_id, reference = excluded.reference,
			    problem = excluded.problem, last_seen_at = excluded.last_seen_at,
			    stream_sequence = excluded.stream_sequence, document = excluded.document`,
		&w.timeline: `
			INSERT INTO timeline (order_id, stream_sequence, ordinal, event, status, effect, note, state, occurred_at, received_at)
			SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9
			FROM rows(?)`,
		&w.webhookIDs: `
			INSERT INTO webhook_ids (id, body, stream_sequence)
			SELECT c0, c1, c2
			FROM rows(?)
			WHERE true
			ON CONFLICT DO NOTHING`,
		&w.proofs: `
			INSERT INTO proofs (order_id, id, type, content)
			SELECT c0, c1, c2, c3
			FROM rows(?)
			WHERE true
			ON CONFLICT DO NOTHING`,
		&w.quarantine: `
			INSERT INTO quarantine (stream_sequence, source, event, cause, place, received_at)
			SELECT c0, c1, c2, c3, c4, c5
			FROM rows(?)`,
		&w.eraseNotes: `
			UPDATE timeline
			SET note = ''
			WHERE order_id = ? AND effect = 'back-filled'`,
		// The rows stay: their numbers must not depend on how the batches were cut.
		&w.eraseProofs: `
			UPDATE proofs
			SET content = x''
			WHERE order_id = ?`,
		&w.tally: `
			INSERT INTO order_tallies (source, state, orders)
			VALUES (?1, ?2, max(?3, 0))
			ON CONFLICT DO UPDATE SET orders = orders + ?3`,
		&w.minute: `
			INSERT INTO minute_tallies (source, minute, applied, duplicate, not_about_order, quarantined)
			VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET
			    applied = applied + excluded.applied,
			    duplicate = duplicate + excluded.duplicate,
			    not_about_order = not_about_order + excluded.not_about_order,
			    quarantined = quarantined + excluded.quarantined`,
		&w.duration: `
			INSERT INTO duration_tallies (source, state, class, orders)
			VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET orders = orders + excluded.orders`,
		// A tally that fell to nothing would stay or not by how the batches were cut.
		&w.dropEmptyTallies: `DELETE FROM order_tallies WHERE orders = 0`,
		&w.checkpoint: `
			REPLACE INTO projection (id, version, stream, stream_created_at, checkpoint, chain, previous_chain,
			    applied, duplicate, not_about_order, quarantined)
			VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	}
}

// Close closes the statements.
func (w *writeStatements) Close() error {
	var errs []error
	for statement := range w.queries() {
		if *statement != nil {
			errs = append(errs, (*statement).Close())
		}
	}
	return errors.Join(errs...)
}

// Commit writes a batch and its checkpoint in one transaction, and gives the new
// orders of the batch their IDs. When it returns nil the batch is on disk. After
// an error nothing of it is, and the batch must not be committed again: its
// orders may hold IDs that were never stored. Its errors are [CommitError]s.
func (db *DB) Commit(ctx context.Context, b *domain.Batch) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return &CommitError{StreamSequence: b.Checkpoint.StreamSequence, Err: damage(err)}
	}
	defer func() { _ = tx.Rollback() }()
	w := batchWriter{ctx: ctx, tx: tx, statements: &db.write}
	w.batch(b)
	if w.err == nil {
		w.err = db.changes.during(b.Orders, tx.Commit)
	}
	if w.err != nil {
		return &CommitError{StreamSequence: b.Checkpoint.StreamSequence, Err: damage(w.err)}
	}
	db.announce()
	db.emptyLog(ctx, len(b.Erased) > 0)
	db.tendLog(ctx)
	return nil
}

// batchWriter writes the parts of one batch; after its first error it does
// nothing more.
type batchWriter struct {
	ctx        context.Context
	tx         *sql.Tx
	statements *writeStatements
	err        error
}

func (w *batchWriter) run(statement *sql.Stmt, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.StmtContext(w.ctx, statement).ExecContext(w.ctx, args...)
	}
}

// pieceBytes is when rows are handed to SQLite: large pieces save no more.
const pieceBytes = 1 << 20

// insert runs a statement with the rows that add makes of all.
func insert[T any](w *batchWriter, statement *sql.Stmt, all []T, add func(*bulk, *T)) {
	var piece bulk
	for i := range all {
		if add(&piece, &all[i]); len(piece.bytes) >= pieceBytes {
			w.bulk(statement, &piece)
		}
	}
	w.bulk(statement, &piece)
}

// bulk runs a statement with rows, and lets them go.
func (w *batchWriter) bulk(statement *sql.Stmt, b *bulk) {
	w.err = errors.Join(w.err, b.err)
	if len(b.bytes) > 0 {
		w.run(statement, b.bytes)
	}
	b.bytes = b.bytes[:0]
}

func (w *batchWriter) batch(b *domain.Batch) {
	w.number(b.Orders)
	w.orders(b.Orders)
	insert(w, w.statements.timeline, b.Timeline, (*bulk).entry)
	insert(w, w.statements.webhookIDs, b.WebhookIDs, (*bulk).webhookID)
	insert(w, w.statements.proofs, b.Proofs, (*bulk).proof)
	w.erase(b.Erased)
	insert(w, w.statements.quarantine, b.Quarantined, (*bulk).quarantined)
	w.tallies(&b.Tallies)
	w.checkpoint(&b.Checkpoint)
}

// number numbers the new orders after those there are.
func (w *batchWriter) number(orders []*domain.Order) {
	var last uint64
	if w.err = w.tx.QueryRowContext(w.ctx, "SELECT ifnull(max(id), 0) FROM orders").Scan(&last); w.err != nil {
		return
	}
	for _, order := range orders {
		if order.ID == 0 {
			last++
			order.ID = last
		}
	}
}

func (w *batchWriter) orders(orders []*domain.Order) {
	insert(w, w.statements.orders, orders, (*bulk).order)
}

func (w *batchWriter) erase(orders []*domain.Order) {
	for _, order := range orders {
		w.run(w.statements.eraseNotes, order.ID)
		w.run(w.statements.eraseProofs, order.ID)
	}
}

func (w *batchWriter) tallies(t *domain.Tallies) {
	for tally, orders := range t.Orders {
		w.run(w.statements.tally, tally.Source, tally.State.String(), orders)
	}
	w.run(w.statements.dropEmptyTallies)
	for tally, n := range t.Minutes {
		w.run(w.statements.minute, tally.Source, tally.Minute, n.Applied, n.Duplicate, n.NotAboutOrder, n.Quarantined)
	}
	for tally, orders := range t.Durations {
		w.run(w.statements.duration, tally.Source, tally.State.String(), tally.Class, orders)
	}
}

func (w *batchWriter) checkpoint(c *domain.Checkpoint) {
	n := c.Counts
	w.run(w.statements.checkpoint, c.Version, c.Stream.Name, c.Stream.CreatedAt.String(), c.StreamSequence,
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
