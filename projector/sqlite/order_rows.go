package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// orderTables are the tables that [DB.ReplaceOrder] compares and replaces, each
// with a query for the rows of an order: what tells one from the others, and all
// the rest of it.
var orderTables = []struct{ name, query string }{
	{"orders", `
		SELECT id, json_array(source, key, state, store_id, reference, problem, waiting_since, updated_at, stream_sequence, document)
		FROM orders
		WHERE id = ?`},
	{"timeline", `
		SELECT stream_sequence || '/' || ordinal, json_array(event, status, effect, note, state, occurred_at, received_at)
		FROM timeline
		WHERE order_id = ?`},
	{"changes", `
		SELECT stream_sequence, ''
		FROM timeline
		JOIN changes USING (order_id, stream_sequence)
		WHERE order_id = ? AND ordinal = 0`},
}

// ReplaceOrder compares the rows of an order with those given, and unless it only
// plans, puts these in their place where any differs, in one transaction. It gives
// the order its ID, and returns domain.ErrNotFound for an order that is not known.
//
// Proofs of delivery, webhook ids and tallies stay as they are: what one order
// has of them cannot be told apart from what the others have. Nothing may be
// committed meanwhile.
func (db *DB) ReplaceOrder(ctx context.Context, rows *domain.OrderRows, plan bool) (*domain.OrderRebuild, error) {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("replace order of source %s: %w", rows.Order.Source, err)
	}
	db.kept.take(rows.Order.Source, rows.Order.Key)
	defer func() { _ = tx.Rollback() }()
	rebuild, err := replaceOrder(ctx, tx, rows)
	if err == nil && rebuild.Differs() && !plan {
		rebuild.Replaced = true
		err = db.changes.during([]*domain.Order{rows.Order}, tx.Commit)
	}
	if err != nil {
		return nil, fmt.Errorf("replace order of source %s: %w", rows.Order.Source, err)
	}
	return rebuild, nil
}

// replaceOrder replaces the rows and tells what that changed, for the transaction
// to keep or not.
func replaceOrder(ctx context.Context, tx *sql.Tx, rows *domain.OrderRows) (*domain.OrderRebuild, error) {
	order := rows.Order
	id, err := orderID(ctx, tx, order.Source, order.Key)
	if err != nil {
		return nil, err
	}
	order.ID = id
	stored, err := readOrderRows(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	w := batchWriter{ctx: ctx, tx: tx}
	w.replace(rows)
	if w.err != nil {
		return nil, w.err
	}
	replaced, err := readOrderRows(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	return describeReplacement(order, stored, replaced), nil
}

func (w *batchWriter) replace(rows *domain.OrderRows) {
	w.orders([]*domain.Order{rows.Order})
	w.run(`
		DELETE FROM changes
		WHERE order_id = ?1 AND stream_sequence IN (SELECT stream_sequence FROM timeline WHERE order_id = ?1)`, rows.Order.ID)
	w.run("DELETE FROM timeline WHERE order_id = ?", rows.Order.ID)
	timeline := make([]domain.OrderEntry, len(rows.Timeline))
	for i, entry := range rows.Timeline {
		timeline[i] = domain.OrderEntry{Order: rows.Order, TimelineEntry: entry}
	}
	insert(w, insertTimeline, timeline, (*bulk).entry)
	insert(w, insertChanges, timeline, (*bulk).change)
}

// orderRows has the rows of an order as text.
type orderRows struct {
	document []byte
	tables   []map[string]string // as orderTables, by what tells a row from the others
}

func readOrderRows(ctx context.Context, tx *sql.Tx, id uint64) (o orderRows, err error) {
	if err := tx.QueryRowContext(ctx, "SELECT document FROM orders WHERE id = ?", id).Scan(&o.document); err != nil {
		return o, err
	}
	for _, table := range orderTables {
		texts, err := readTexts(ctx, tx, table.query, id)
		if err != nil {
			return o, fmt.Errorf("table %s: %w", table.name, err)
		}
		o.tables = append(o.tables, texts)
	}
	return o, nil
}

func readTexts(ctx context.Context, tx *sql.Tx, query string, id uint64) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx, query, id)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	_, err = collect(rows, func(row scanner) (key string, err error) {
		var rest string
		err = row.Scan(&key, &rest)
		texts[key] = rest
		return key, err
	})
	return texts, err
}

func describeReplacement(order *domain.Order, stored, replaced orderRows) *domain.OrderRebuild {
	r := &domain.OrderRebuild{Order: order}
	r.Fields = differingFields(stored.document, replaced.document)
	for i, table := range orderTables {
		r.Tables = append(r.Tables, compareRows(table.name, stored.tables[i], replaced.tables[i]))
	}
	return r
}

func compareRows(table string, stored, replaced map[string]string) domain.TableDifference {
	d := domain.TableDifference{Table: table, InUse: uint64(len(stored)), Rebuilt: uint64(len(replaced))}
	for key, row := range stored {
		switch other, both := replaced[key]; {
		case !both:
			d.Missing++
		case other != row:
			d.Changed++
		}
	}
	d.Added = d.Rebuilt - (d.InUse - d.Missing)
	return d
}

func orderID(ctx context.Context, from rowQuerier, source, key string) (id uint64, err error) {
	err = from.QueryRowContext(ctx, `
		SELECT id
		FROM orders
		WHERE source = ? AND key = ?`, source, key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("order of source %s: %w", source, domain.ErrNotFound)
	}
	return id, err
}
