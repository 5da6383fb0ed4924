package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ticketrail/ticketrail/domain"
)

// Stats gives the tallies: orders by source and state, webhooks by source and
// minute from since on, and time spent in each state.
func (db *DB) Stats(ctx context.Context, since time.Time) (domain.Stats, error) {
	ctx = toTheEnd(ctx)
	orders, errOrders := db.orderCounts(ctx)
	minutes, errMinutes := db.Minutes(ctx, domain.MinuteQuery{From: since, Step: time.Minute})
	durations, errDurations := db.stays(ctx, domain.SpanAll, &domain.StayQuery{Most: math.MaxInt32})
	if err := errors.Join(errOrders, errMinutes, errDurations); err != nil {
		return domain.Stats{}, fmt.Errorf("read stats: %w", err)
	}
	return domain.Stats{Orders: orders, PerMinute: minutes, Durations: durations}, nil
}

func (db *DB) orderCounts(ctx context.Context) ([]domain.OrderCount, error) {
	rows, err := db.reader.QueryContext(ctx, `
		SELECT source, state, orders
		FROM order_tallies
		ORDER BY source, state`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(row scanner) (c domain.OrderCount, err error) {
		var state []byte
		if err := row.Scan(&c.Source, &state, &c.Orders); err != nil {
			return c, err
		}
		return c, c.State.UnmarshalText(state)
	})
}

// Minutes gives counts of webhooks by step and source, without those of nothing.
func (db *DB) Minutes(ctx context.Context, q domain.MinuteQuery) ([]domain.MinuteCount, error) {
	limit := -1
	if q.Most > 0 {
		limit = q.Most + 1
	}
	rows, err := db.reader.QueryContext(ctx, `
		SELECT source, minute - minute % ?1, sum(applied), sum(duplicate), sum(not_about_order), sum(quarantined), sum(orders)
		FROM minute_tallies
		WHERE minute >= ?2 AND minute < ?3 AND ?4 IN ('', source)
		GROUP BY 2, 1
		ORDER BY 2, 1
		LIMIT ?5`, max(int64(q.Step/time.Minute), 1), q.From.Unix()/60, (end(q.To)+59)/60, q.Source, limit)
	if err != nil {
		return nil, fmt.Errorf("count webhooks: %w", err)
	}
	return collect(rows, func(row scanner) (c domain.MinuteCount, err error) {
		var minute int64
		err = row.Scan(&c.Source, &minute, &c.Applied, &c.Duplicate, &c.NotAboutOrder, &c.Quarantined, &c.Orders)
		c.Minute = domain.InstantOf(time.Unix(minute*60, 0))
		return c, err
	})
}

// Stays gives counts of stays by source, store, state and step.
func (db *DB) Stays(ctx context.Context, q domain.StayQuery) ([]domain.Stays, error) {
	counts, err := db.stays(ctx, q.Span(), &q)
	if err != nil {
		return nil, fmt.Errorf("count stays: %w", err)
	}
	return counts, nil
}

func (db *DB) stays(ctx context.Context, span domain.Span, q *domain.StayQuery) (counts []domain.Stays, err error) {
	state := ""
	if q.State != nil {
		state = q.State.String()
	}
	rows, err := db.reader.QueryContext(ctx, `
		SELECT source, iif(?1, store_id, ?2), state, iif(?3, start - start % ?3, 0), class, sum(orders)
		FROM durations
		WHERE span = ?4 AND start >= ?5 AND start < ?6
		    AND ?7 IN ('', source) AND ?2 IN ('', store_id) AND ?8 IN ('', state)
		GROUP BY 4, 1, 2, 3, 5
		ORDER BY 4, 1, 2, 3, 5`,
		q.ByStore, q.Store, int64(q.Step/time.Second), span, span.Start(q.From.Unix()), end(q.To), q.Source, state)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one domain.Stays
		var name []byte
		var class domain.ClassCount
		if err := rows.Scan(&one.Source, &one.Store, &name, &one.Start, &class.Class, &class.Orders); err != nil {
			return nil, err
		}
		if err := one.State.UnmarshalText(name); err != nil {
			return nil, err
		}
		if last := len(counts) - 1; last < 0 || !alike(&counts[last], &one) {
			if len(counts) > q.Most {
				return counts, nil
			}
			counts = append(counts, one)
		}
		last := &counts[len(counts)-1]
		last.Classes = append(last.Classes, class)
	}
	return counts, rows.Err()
}

// alike tells whether two rows are of the same count.
func alike(a, b *domain.Stays) bool {
	return a.Start == b.Start && a.Source == b.Source && a.Store == b.Store && a.State == b.State
}

// end gives the end of a range in Unix seconds, where it has one: a second that has begun
// by then is in it.
func end(to time.Time) int64 {
	if to.IsZero() {
		return math.MaxInt64 / 2
	}
	return to.Add(time.Second - 1).Unix()
}
