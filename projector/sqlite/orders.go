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
	order, err := readOrder(db.reader.QueryRowContext(toTheEnd(ctx), selectOrder, source, key))
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

// toTheEnd is for a read of a few rows by their keys: it has ended before anybody could
// want to interrupt it, and to watch for that would take longer than the read.
func toTheEnd(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

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
	query, args, err := db.selectOrders(ctx, &q)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	rows, err := db.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return collect(rows, readOrder)
}

// walks tells whether to go through the orders in the sort asked for until a page is
// full, rather than to sort all of the states and the source asked for: by the tallies
// the page is full after limit * all / matching orders.
func (db *DB) walks(ctx context.Context, q *domain.OrderQuery) (bool, error) {
	if q.Source == "" && len(q.States) == 0 {
		return true, nil
	}
	var matching, all float64
	names, args := stateNames(q.States)
	err := db.reader.QueryRowContext(toTheEnd(ctx), `
		SELECT ifnull(sum(orders) FILTER (WHERE ? IN ('', source) AND (`+names+`)), 0), ifnull(sum(orders), 0)
		FROM order_tallies`, append([]any{q.Source}, args...)...).Scan(&matching, &all)
	return matching*matching > float64(q.Limit)*all, err
}

// stateNames gives the condition that a state is one of these, true where there are none.
func stateNames(states []domain.State) (condition string, names []any) {
	if len(states) == 0 {
		return "true", nil
	}
	for _, state := range states {
		names = append(names, state.String())
	}
	return "state IN (?" + strings.Repeat(", ?", len(names)-1) + ")", names
}

// selectOrders gives the query of a page: of late orders from those that there are, and of
// all from the table or from an index of it.
func (db *DB) selectOrders(ctx context.Context, q *domain.OrderQuery) (query string, args []any, err error) {
	s := selection{}
	from := "orders"
	if q.Late != nil {
		bounds, err := db.waitBounds(ctx, q.Late, q.Late.At)
		if err != nil {
			return "", nil, err
		}
		from = lateOrders
		s.args = append(s.args, waitRows(bounds, q.Source, q.States))
	} else {
		walk, err := db.walks(ctx, q)
		if err != nil {
			return "", nil, err
		}
		s.names(q, walk)
	}
	s.rest(q)
	query = "SELECT id, document FROM " + from
	if len(s.where) > 0 {
		query += " WHERE " + strings.Join(s.where, " AND ")
	}
	column, direction, _ := sorting(q.Sort)
	return query + " ORDER BY " + column + direction + " LIMIT ?", append(s.args, max(q.Limit, 1)), nil
}

// selection is the conditions of a query.
type selection struct {
	where []string
	args  []any
}

func (s *selection) filter(condition string, values ...any) {
	s.where = append(s.where, condition)
	s.args = append(s.args, values...)
}

// names filters by what there are tallies of. A plus before a column keeps its index out
// of use, so that a walk stays one.
func (s *selection) names(q *domain.OrderQuery, walk bool) {
	column, _, _ := sorting(q.Sort)
	indexed := map[bool]string{true: "+", false: ""}[walk]
	if states, names := stateNames(q.States); len(names) == 1 && column != "id" {
		s.filter(states, names...) // its index has the sort
	} else if len(names) > 0 {
		s.filter(indexed+states, names...)
	}
	if q.Source != "" {
		s.filter(indexed+"source = ?", q.Source)
	}
}

func (s *selection) rest(q *domain.OrderQuery) {
	if q.Store != "" {
		s.filter("store_id = ? AND store_id <> ''", q.Store)
	}
	if q.Problem != nil {
		s.filter(map[bool]string{true: "problem <> ''", false: "problem = ''"}[*q.Problem])
	}
	switch {
	case q.Text == "":
	case q.KeysOnly:
		s.filter(`key LIKE ? ESCAPE '\'`, containing(q.Text))
	default:
		s.filter(`(key LIKE ? ESCAPE '\' OR reference LIKE ? ESCAPE '\')`, containing(q.Text), containing(q.Text))
	}
	if !q.UpdatedSince.IsZero() {
		s.filter("updated_at >= ?", nanoseconds(q.UpdatedSince))
	}
	switch column, _, beyond := sorting(q.Sort); {
	case q.After == domain.OrderPosition{}:
	case q.Sort == domain.SortSince:
		s.filter("(waiting_since, id) > (?, ?)", q.After.Since, q.After.Number)
	default:
		s.filter(column+beyond+"?", q.After.Number)
	}
}

func sorting(sort domain.OrderSort) (column, direction, beyond string) {
	switch sort {
	case domain.SortSince:
		return "waiting_since, id", " ASC", " > "
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
func nanoseconds(at domain.Instant) int64 { return nanosecondsOf(at.Time()) }

func nanosecondsOf(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	default:
		return t.UnixNano()
	}
}
