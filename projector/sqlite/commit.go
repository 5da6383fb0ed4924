package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/ticketrail/ticketrail/domain"
)

// writeStatements are the statements of a commit, prepared once on the one
// connection that writes.
type writeStatements struct {
	insertOrder, updateOrder        *sql.Stmt
	entry, webhookID, proof, parked *sql.Stmt
	eraseNotes, eraseProofs         *sql.Stmt
	orders, minute, duration        *sql.Stmt
	dropEmptyTallies, checkpoint    *sql.Stmt
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
		&w.insertOrder: `
			INSERT INTO orders (source, key, state, store_id, reference, problem, last_seen_at, stream_sequence, document, id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		&w.updateOrder: `
			UPDATE orders
			SET source = ?, key = ?, state = ?, store_id = ?, reference = ?, problem = ?,
			    last_seen_at = ?, stream_sequence = ?, document = ?
			WHERE id = ?`,
		&w.entry: `
			INSERT INTO timeline (order_id, stream_sequence, ordinal, event, status, effect, note, state, occurred_at, received_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		&w.webhookID: `
			INSERT INTO webhook_ids (id, body, stream_sequence)
			VALUES (?, ?, ?)
			ON CONFLICT DO NOTHING`,
		&w.proof: `
			INSERT INTO proofs (order_id, id, type, content)
			VALUES (?, ?, ?, ifnull(?, x''))
			ON CONFLICT DO NOTHING`,
		&w.eraseNotes: `
			UPDATE timeline
			SET note = ''
			WHERE order_id = ? AND effect = 'back-filled'`,
		// The rows stay: their numbers must not depend on how the batches were cut.
		&w.eraseProofs: `
			UPDATE proofs
			SET content = x''
			WHERE order_id = ?`,
		&w.parked: `
			INSERT INTO quarantine (stream_sequence, source, event, cause, place, received_at)
			VALUES (?, ?, ?, ?, ?, ?)`,
		&w.orders: `
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
	defer db.changes.during(b.Orders)()
	defer func() { _ = tx.Rollback() }()
	w := batchWriter{ctx: ctx, tx: tx, statements: &db.write}
	w.batch(b)
	if w.err == nil {
		w.err = tx.Commit()
	}
	if w.err != nil {
		return &CommitError{StreamSequence: b.Checkpoint.StreamSequence, Err: damage(w.err)}
	}
	db.announce()
	db.emptyLog(ctx, len(b.Erased) > 0)
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

func (w *batchWriter) batch(b *domain.Batch) {
	w.orders(b.Orders)
	for i := range b.Timeline {
		w.entry(&b.Timeline[i])
	}
	for i := range b.WebhookIDs {
		id := &b.WebhookIDs[i]
		w.run(w.statements.webhookID, webhookIDHash(id.Source, id.ID), head(id.Body), id.StreamSequence)
	}
	for _, proof := range b.Proofs {
		w.run(w.statements.proof, proof.Order.ID, proof.ID, proof.Type, proof.Content)
	}
	for _, order := range b.Erased {
		w.run(w.statements.eraseNotes, order.ID)
		w.run(w.statements.eraseProofs, order.ID)
	}
	for _, q := range b.Quarantined {
		w.run(w.statements.parked, q.StreamSequence, q.Source, q.Event, q.Cause, q.Where, q.ReceivedAt.String())
	}
	w.tallies(&b.Tallies)
	w.checkpoint(&b.Checkpoint)
}

// orders writes each order once, and numbers the new ones after those there are.
func (w *batchWriter) orders(orders []*domain.Order) {
	var last uint64
	if w.err = w.tx.QueryRowContext(w.ctx, "SELECT ifnull(max(id), 0) FROM orders").Scan(&last); w.err != nil {
		return
	}
	for _, order := range orders {
		statement := w.statements.updateOrder
		if order.ID == 0 {
			last++
			order.ID = last
			statement = w.statements.insertOrder
		}
		w.order(statement, order)
	}
}

func (w *batchWriter) order(statement *sql.Stmt, o *domain.Order) {
	document, err := json.Marshal(o)
	if err != nil {
		w.err = errors.Join(w.err, err)
		return
	}
	standing := o.Standing()
	w.run(statement, o.Source, o.Key, standing.State().String(), o.StoreID.Value, o.Reference.Value, standing.Problem,
		nanoseconds(o.LastSeenAt), o.StreamSequence, string(document), o.ID)
}

func (w *batchWriter) entry(e *domain.OrderEntry) {
	w.run(w.statements.entry, e.Order.ID, e.StreamSequence, e.Ordinal, e.Event, e.Status, string(e.Effect), e.Note,
		e.State.String(), e.OccurredAt.String(), e.ReceivedAt.String())
}

func (w *batchWriter) tallies(t *domain.Tallies) {
	for tally, orders := range t.Orders {
		w.run(w.statements.orders, tally.Source, tally.State.String(), orders)
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
	return head(sha256.Sum256([]byte(source + "\x00" + id)))
}

func head(sum domain.Digest) int64 { return int64(binary.BigEndian.Uint64(sum[:8])) }
