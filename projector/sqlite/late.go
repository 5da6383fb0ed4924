package sqlite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ticketrail/ticketrail/domain"
)

// waitBound is when an order of one source and state must have come into it to be late now,
// and to have been late at an earlier time.
type waitBound struct {
	of          domain.OrderTally
	now, before int64 // Unix nanoseconds
}

// waitBounds gives a bound for every source and state that has orders and a limit. There are
// as many as an answer about orders has counts, however many orders there are.
func (db *DB) waitBounds(ctx context.Context, l *domain.Lateness, before time.Time) ([]waitBound, error) {
	counts, err := db.orderCounts(ctx)
	if err != nil {
		return nil, err
	}
	var bounds []waitBound
	for _, c := range counts {
		if limit := l.Limits.Of(c.Source, c.State); limit > 0 {
			bounds = append(bounds, waitBound{c.OrderTally, nanosecondsOf(l.At.Add(-limit)), nanosecondsOf(before.Add(-limit))})
		}
	}
	return bounds, nil
}

// waitingSince gives the column of that name.
func waitingSince(o *domain.Order) int64 {
	if since := o.WaitingSince(); !since.IsZero() {
		return nanoseconds(since)
	}
	return 0
}

// lateOrders are the orders beyond bounds, which are its argument: those first, since there
// are few, and then what the index has beyond each.
const lateOrders = `rows(?) CROSS JOIN orders INDEXED BY orders_by_wait
	ON source = c0 AND state = c1 AND waiting_since <= c2 AND waiting_since > 0`

// waitRows gives bounds as rows: those of a source and of states, or of all where none is named.
func waitRows(bounds []waitBound, source string, states []domain.State) []byte {
	rows := bulk{bytes: []byte{3}} // so many columns, and no rows yet
	for _, b := range bounds {
		if (source != "" && b.of.Source != source) || (len(states) > 0 && !slices.Contains(states, b.of.State)) {
			continue
		}
		rows.text(b.of.Source)
		rows.text(b.of.State.String())
		rows.integer(b.now)
	}
	return rows.bytes
}

// Late counts the orders that are late, of which those became so after the time before,
// and tells when the next one is.
func (db *DB) Late(ctx context.Context, l *domain.Lateness, before time.Time) (late domain.Late, err error) {
	bounds, err := db.waitBounds(ctx, l, before)
	if err != nil {
		return late, fmt.Errorf("count late orders: %w", err)
	}
	for _, b := range bounds {
		count := domain.LateCount{OrderTally: b.of}
		var next *int64
		err := db.reader.QueryRowContext(ctx, `
			SELECT
			    (SELECT count(*) FROM orders INDEXED BY orders_by_wait WHERE source = ?1 AND state = ?2 AND waiting_since <= ?3 AND waiting_since > 0),
			    (SELECT count(*) FROM orders INDEXED BY orders_by_wait WHERE source = ?1 AND state = ?2 AND waiting_since <= ?3 AND waiting_since > ?4 AND waiting_since > 0),
			    (SELECT min(waiting_since) FROM orders INDEXED BY orders_by_wait WHERE source = ?1 AND state = ?2 AND waiting_since > ?3 AND waiting_since > 0)`,
			b.of.Source, b.of.State.String(), b.now, b.before).Scan(&count.Orders, &count.Became, &next)
		if err != nil {
			return late, fmt.Errorf("count late orders: %w", damage(err))
		}
		if count.Orders > 0 {
			late.Counts = append(late.Counts, count)
		}
		if next != nil {
			at := time.Unix(0, *next).Add(l.Limits.Of(b.of.Source, b.of.State))
			if late.Next.IsZero() || at.Before(late.Next) {
				late.Next = at
			}
		}
	}
	return late, nil
}

// Heard tells of each source in which minutes its first and last webhook came, of those
// that came since a time.
func (db *DB) Heard(ctx context.Context, since time.Time) ([]domain.Heard, error) {
	rows, err := db.reader.QueryContext(ctx, `
		SELECT source, min(minute), max(minute)
		FROM minute_tallies
		WHERE minute >= ?
		GROUP BY source
		ORDER BY source`, since.Unix()/60)
	if err != nil {
		return nil, fmt.Errorf("look when sources were heard: %w", err)
	}
	return collect(rows, func(row scanner) (h domain.Heard, err error) { return h, row.Scan(&h.Source, &h.First, &h.Last) })
}

// BegunIn counts the orders that began in each of some stretches.
func (db *DB) BegunIn(ctx context.Context, stretches []domain.Stretch) ([]uint64, error) {
	packed := bulk{bytes: []byte{3}} // so many columns, and no rows yet
	for _, s := range stretches {
		packed.text(s.Source)
		packed.integer(s.From)
		packed.integer(s.To)
	}
	rows, err := db.reader.QueryContext(ctx, `
		SELECT (
		    SELECT ifnull(sum(orders), 0)
		    FROM minute_tallies
		    WHERE minute BETWEEN c1 AND c2 AND source = c0)
		FROM rows(?)`, packed.bytes)
	if err != nil {
		return nil, fmt.Errorf("count the orders that began: %w", err)
	}
	return collect(rows, func(row scanner) (begun uint64, err error) { return begun, row.Scan(&begun) })
}
