package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ticketrail/ticketrail/domain"
)

// Order gives one order, or domain.ErrNotFound.
func (db *DB) Order(ctx context.Context, source, key string) (*domain.Order, error) {
	order, err := readOrder(db.reader.QueryRowContext(ctx, selectOrder, source, key))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("order of source %s: %w", source, domain.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read order of source %s: %w", source, damage(err))
	}
	return order, nil
}

const selectOrder = `
	SELECT id, document
	FROM orders
	WHERE source = ? AND key = ?`

func readOrder(row scanner) (*domain.Order, error) {
	var id uint64
	var document []byte
	if err := row.Scan(&id, &document); err != nil {
		return nil, err
	}
	order := &domain.Order{}
	if err := json.Unmarshal(document, order); err != nil {
		return nil, fmt.Errorf("document of order %d: %w", id, err)
	}
	order.ID = id
	return order, nil
}

// Orders gives a page of the orders that the query selects.
func (db *DB) Orders(ctx context.Context, q domain.OrderQuery) ([]*domain.Order, error) {
	query, args := selectOrders(q)
	rows, err := db.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return collect(rows, readOrder)
}

func selectOrders(q domain.OrderQuery) (query string, args []any) {
	var where []string
	filter := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if len(q.States) > 0 {
		names := make([]any, len(q.States))
		for i, state := range q.States {
			names[i] = state.String()
		}
		filter("state IN (?"+strings.Repeat(", ?", len(names)-1)+")", names...)
	}
	if q.Source != "" {
		filter("source = ?", q.Source)
	}
	if q.Store != "" {
		filter("store_id = ? AND store_id <> ''", q.Store)
	}
	if q.Problem != nil {
		filter(map[bool]string{true: "problem <> ''", false: "problem = ''"}[*q.Problem])
	}
	switch {
	case q.Text == "":
	case q.KeysOnly:
		filter(`key LIKE ? ESCAPE '\'`, containing(q.Text))
	default:
		filter(`(key LIKE ? ESCAPE '\' OR reference LIKE ? ESCAPE '\')`, containing(q.Text), containing(q.Text))
	}
	if !q.UpdatedSince.IsZero() {
		filter("last_seen_at >= ?", nanoseconds(q.UpdatedSince))
	}
	column, direction, beyond := sorting(q.Sort)
	if q.After != 0 {
		filter(column+beyond+"?", q.After)
	}
	query = "SELECT id, document FROM orders"
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	return query + " ORDER BY " + column + direction + " LIMIT ?", append(args, max(q.Limit, 1))
}

func sorting(sort domain.OrderSort) (column, direction, beyond string) {
	switch sort {
	case domain.SortUpdatedAscending:
		return "stream_sequence", " ASC", " > "
	case domain.SortCreatedAscending:
		return "id", " ASC", " > "
	case domain.SortCreatedDescending:
		return "id", " DESC", " < "
	}
	return "stream_sequence", " DESC", " < "
}

// containing gives the LIKE pattern of a text anywhere.
func containing(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// nanoseconds gives a time as the tables hold it. One before the year 1678 or
// after 2262 is beyond them, and gives the nearest that they can hold.
func nanoseconds(at domain.Instant) int64 {
	switch t := at.Time(); {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	default:
		return t.UnixNano()
	}
}
