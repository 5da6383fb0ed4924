package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
)

// pairedOrder is an order that differs, with its ids on both sides; 0 on a side that
// does not have it.
type pairedOrder struct {
	source, key    string
	inUse, rebuilt uint64
}

// orders counts the orders that differ, and gives the first of them by source and
// key. Those that only one side has are looked for in the order of the table: the
// index of keys, which SQLite would rather scan, leads everywhere on the other side.
func (c *Comparison) orders(ctx context.Context, d *domain.Difference, most int) (first []pairedOrder, err error) {
	rows, err := c.conn.QueryContext(ctx, fmt.Sprintf(`
		SELECT m.source, m.key, ifnull(u.id, 0), m.id
		FROM main.orders AS m
		LEFT JOIN in_use.orders AS u ON u.id = %s
		WHERE %s
		UNION ALL
		SELECT u.source, u.key, u.id, 0
		FROM in_use.orders AS u NOT INDEXED
		WHERE %s IS NULL`,
		counterpart("in_use", "m"), strings.Join(waysToDiffer(d), " OR "), counterpart("main", "u")))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o pairedOrder
		if err := rows.Scan(&o.source, &o.key, &o.inUse, &o.rebuilt); err != nil {
			return nil, err
		}
		switch {
		case o.rebuilt == 0:
			d.Orders.Missing++
		case o.inUse == 0:
			d.Orders.Added++
		default:
			d.Orders.Changed++
		}
		at, _ := slices.BinarySearchFunc(first, o, pairedOrder.compare)
		if at < most {
			first = slices.Insert(first, at, o)
			first = first[:min(len(first), most)]
		}
	}
	return first, rows.Err()
}

// counterpart gives the id that an order of the other side has on this one, or NULL.
// As a rule both have the same: to look there first spares a random look into the
// index of keys.
func counterpart(side, order string) string {
	return strings.NewReplacer("{side}", side, "{order}", order).Replace(`ifnull(
		(SELECT id FROM {side}.orders WHERE id = {order}.id AND source = {order}.source AND key = {order}.key),
		(SELECT id FROM {side}.orders WHERE source = {order}.source AND key = {order}.key))`)
}

func (o pairedOrder) compare(other pairedOrder) int {
	return cmp.Or(cmp.Compare(o.source, other.source), cmp.Compare(o.key, other.key))
}

// waysToDiffer gives the conditions under which a pair of orders differs: in the
// folded order and the columns beside it, and in the rows of those tables that are
// known to differ somewhere.
func waysToDiffer(d *domain.Difference) []string {
	ways := []string{"(" + qualified("m", orderColumns) + ") IS NOT (" + qualified("u", orderColumns) + ")"}
	for _, table := range d.Tables {
		if beside, is := besideOrders[table.Table]; is && table.Missing+table.Added+table.Changed > 0 {
			ways = append(ways, beside.differs(table.Table)...)
		}
	}
	return ways
}

// orderColumns are those of an order but for its id.
var orderColumns = []string{
	"source", "key", "state", "store_id", "reference", "problem", "waiting_since", "updated_at", "stream_sequence", "document",
}

// besideOrders are the tables with rows of an order.
var besideOrders = map[string]orderTable{
	"timeline": {
		key:  []string{"stream_sequence", "ordinal"},
		rest: []string{"event", "status", "effect", "note", "state", "occurred_at", "received_at"},
	},
	"proofs": {key: []string{"id"}, rest: []string{"type", "content"}},
}

// orderTable has the columns of a table beside orders: those that tell the rows of one
// order apart, and the others.
type orderTable struct{ key, rest []string }

// pairs are the rows, m and u, of the orders that both sides have.
func (t orderTable) pairs(table string) string {
	return fmt.Sprintf(`main.orders AS o NOT INDEXED
		CROSS JOIN main.%[1]s AS m ON m.order_id = o.id
		CROSS JOIN in_use.%[1]s AS u ON u.order_id = %[2]s AND (%[3]s) = (%[4]s)`,
		table, counterpart("in_use", "o"), qualified("m", t.key), qualified("u", t.key))
}

func (t orderTable) differs(table string) []string {
	return []string{
		fmt.Sprintf(`(SELECT count(*) FROM main.%[1]s WHERE order_id = m.id) <> (SELECT count(*) FROM in_use.%[1]s WHERE order_id = u.id)`, table),
		fmt.Sprintf(`EXISTS (
			SELECT 1
			FROM main.%[1]s AS a
			LEFT JOIN in_use.%[1]s AS b ON b.order_id = u.id AND (%[2]s) = (%[3]s)
			WHERE a.order_id = m.id AND (%[4]s) IS NOT (%[5]s))`,
			table, qualified("a", t.key), qualified("b", t.key), qualified("a", t.rest), qualified("b", t.rest)),
	}
}

// describe tells field by field how orders differ.
func (c *Comparison) describe(ctx context.Context, orders []pairedOrder) (described []domain.OrderDifference, err error) {
	for _, o := range orders {
		inUse, inUseRows, err := c.order(ctx, "in_use", o.inUse)
		if err != nil {
			return nil, err
		}
		rebuilt, rebuiltRows, err := c.order(ctx, "main", o.rebuilt)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(inUse, rebuilt) {
			inUse, rebuilt = inUseRows, rebuiltRows
		}
		described = append(described, domain.OrderDifference{Source: o.source, Key: o.key, Fields: differingFields(inUse, rebuilt)})
	}
	return described, nil
}

// order gives the folded order of one side and what is beside it, both as JSON; nothing
// where the side does not have it.
func (c *Comparison) order(ctx context.Context, side string, id uint64) (document, rows []byte, err error) {
	if id == 0 {
		return nil, nil, nil
	}
	err = c.conn.QueryRowContext(ctx, "SELECT document, "+rowsOf(side, "o")+" FROM "+side+".orders AS o WHERE id = ?", id).Scan(&document, &rows)
	return document, rows, err
}

// rowsOf gives an expression for what one side has of an order beside its folded
// state, as a JSON object: the columns that readers find it by, and its timeline
// by stream sequence, a back-filled line by stream sequence and ordinal.
func rowsOf(schema, order string) string {
	return strings.NewReplacer("{schema}", schema, "{order}", order).Replace(`json_object(
		'columns', json_object(
			'state', {order}.state, 'store_id', {order}.store_id, 'reference', {order}.reference,
			'problem', {order}.problem, 'waiting_since', {order}.waiting_since,
			'updated_at', {order}.updated_at, 'stream_sequence', {order}.stream_sequence),
		'timeline', json((
			SELECT json_group_object(
				stream_sequence || iif(ordinal = 0, '', '.' || ordinal),
				json_object('event', event, 'status', status, 'effect', effect, 'note', note,
				            'state', state, 'occurred_at', occurred_at, 'received_at', received_at))
			FROM (
				SELECT *
				FROM {schema}.timeline
				WHERE order_id = {order}.id
				ORDER BY stream_sequence, ordinal))))`)
}
