package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ticketrail/ticketrail/domain"
)

// Stats gives the tallies: orders by source and state, webhooks by source and
// minute from since on, and time spent in each state.
func (db *DB) Stats(ctx context.Context, since time.Time) (domain.Stats, error) {
	ctx = toTheEnd(ctx)
	orders, errOrders := db.orderCounts(ctx)
	minutes, errMinutes := db.minuteCounts(ctx, since)
	durations, errDurations := db.stateDurations(ctx)
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

func (db *DB) minuteCounts(ctx context.Context, since time.Time) ([]domain.MinuteCount, error) {
	rows, err := db.reader.QueryContext(ctx, `
		SELECT source, minute, applied, duplicate, not_about_order, quarantined
		FROM minute_tallies
		WHERE minute >= ?
		ORDER BY minute, source`, since.Unix()/60)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(row scanner) (c domain.MinuteCount, err error) {
		var minute int64
		err = row.Scan(&c.Source, &minute, &c.Applied, &c.Duplicate, &c.NotAboutOrder, &c.Quarantined)
		c.Minute = domain.InstantOf(time.Unix(minute*60, 0))
		return c, err
	})
}

// durationClass is a count of stays of one length.
type durationClass struct {
	source string
	state  domain.State
	class  int
	orders uint64
}

func (db *DB) stateDurations(ctx context.Context) ([]domain.StateDuration, error) {
	rows, err := db.reader.QueryContext(ctx, `
		SELECT source, state, class, orders
		FROM duration_tallies
		ORDER BY source, state, class`)
	if err != nil {
		return nil, err
	}
	classes, err := collect(rows, func(row scanner) (c durationClass, err error) {
		var state []byte
		if err := row.Scan(&c.source, &state, &c.class, &c.orders); err != nil {
			return c, err
		}
		return c, c.state.UnmarshalText(state)
	})
	if err != nil {
		return nil, err
	}
	var durations []domain.StateDuration
	for start := 0; start < len(classes); {
		end := start
		for end < len(classes) && classes[end].source == classes[start].source && classes[end].state == classes[start].state {
			end++
		}
		durations = append(durations, summarize(classes[start:end]))
		start = end
	}
	return durations, nil
}

// summarize gives the percentiles of the stays in one state of one source.
func summarize(classes []durationClass) domain.StateDuration {
	var total uint64
	for _, c := range classes {
		total += c.orders
	}
	return domain.StateDuration{
		Source: classes[0].source,
		State:  classes[0].state,
		Orders: total,
		P50:    percentile(classes, total, 50),
		P90:    percentile(classes, total, 90),
		P99:    percentile(classes, total, 99),
	}
}

// percentile gives the lower bound of the class in which the given share of the
// stays is reached.
func percentile(classes []durationClass, total, percent uint64) time.Duration {
	var sum uint64
	for _, c := range classes {
		sum += c.orders
		if sum*100 >= total*percent {
			return domain.ClassDuration(c.class)
		}
	}
	return 0
}
