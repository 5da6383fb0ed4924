package sqlite

import "strings"

// ordersDiffering pairs the orders of both sides by what names them to the world,
// and leaves those that differ: in the folded order, or in the rows beside it.
var ordersDiffering = `
	FROM main.orders AS m
	FULL OUTER JOIN in_use.orders AS u ON u.source = m.source AND u.key = m.key
	WHERE m.document IS NOT u.document
	   OR ` + rowsOf("main", "m") + ` IS NOT ` + rowsOf("in_use", "u") + `
	   OR ` + proofsOf("main", "m") + ` IS NOT ` + proofsOf("in_use", "u")

// rowsOf gives an expression for what one side has of an order beside its folded
// state, as a JSON object: the columns that readers find it by, and its timeline
// by stream sequence, a back-filled line by stream sequence and ordinal.
func rowsOf(schema, order string) string {
	return strings.NewReplacer("{schema}", schema, "{order}", order).Replace(`json_object(
		'columns', json_object(
			'state', {order}.state, 'store_id', {order}.store_id, 'reference', {order}.reference,
			'problem', {order}.problem, 'last_seen_at', {order}.last_seen_at,
			'stream_sequence', {order}.stream_sequence),
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

// proofsOf gives an expression for one side's proofs of delivery of an order, of
// which only that they differ can be told: their contents are pictures.
func proofsOf(schema, order string) string {
	return strings.NewReplacer("{schema}", schema, "{order}", order).Replace(`(
		SELECT json_group_array(json_array(id, type, hex(content)))
		FROM (
			SELECT id, type, content
			FROM {schema}.proofs
			WHERE order_id = {order}.id
			ORDER BY id))`)
}
