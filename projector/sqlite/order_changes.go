package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/ticketrail/ticketrail/domain"
)

// Changes gives changes of orders after a stream sequence: up to limit, and no more once
// their orders take so many bytes. The orders may be newer than the checkpoint that the
// changes go up to.
func (db *DB) Changes(ctx context.Context, after uint64, limit, bytes int) (domain.OrderChanges, error) {
	var found domain.OrderChanges
	checkpoint, err := db.Checkpoint(ctx)
	if err != nil || after >= checkpoint.StreamSequence {
		found.Through = after
		return found, err
	}
	rows, err := db.reader.QueryContext(toTheEnd(ctx), `
		SELECT id, document, news.stream_sequence, ordinal, event, status, effect, note, timeline.state, occurred_at, received_at
		FROM (
		    SELECT stream_sequence, order_id
		    FROM changes
		    WHERE stream_sequence > ? AND stream_sequence <= ?
		    ORDER BY stream_sequence
		    LIMIT ?) AS news
		CROSS JOIN orders ON orders.id = news.order_id
		CROSS JOIN timeline ON timeline.order_id = orders.id AND timeline.stream_sequence = news.stream_sequence AND ordinal = 0
		ORDER BY news.stream_sequence`, after, checkpoint.StreamSequence, limit)
	if err != nil {
		return found, fmt.Errorf("read changes: %w", damage(err))
	}
	found.Changes, found.More, err = collectChanges(rows, limit, bytes)
	found.Through = checkpoint.StreamSequence
	if found.More {
		found.Through = found.Changes[len(found.Changes)-1].StreamSequence
	}
	return found, damage(err)
}

// collectChanges reads rows until they are enough, tells whether they were, and closes them.
func collectChanges(rows *sql.Rows, limit, bytes int) (all []domain.OrderChange, enough bool, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for !enough && rows.Next() {
		change, err := readChange(rows)
		if err != nil {
			return nil, false, fmt.Errorf("read row: %w", err)
		}
		all = append(all, change)
		bytes -= change.Size
		enough = len(all) == limit || bytes <= 0
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("read rows: %w", err)
	}
	return all, enough, nil
}

func readChange(row scanner) (c domain.OrderChange, err error) {
	c.Order = &domain.Order{}
	var document []byte
	c.TimelineEntry, err = readEntry(behind{row, []any{&c.Order.ID, &document}})
	if err != nil {
		return c, err
	}
	id := c.Order.ID
	if err := json.Unmarshal(document, c.Order); err != nil {
		return c, fmt.Errorf("document of order %d: %w", id, err)
	}
	c.Order.ID, c.Size = id, len(document)
	return c, nil
}

// behind scans a row whose first columns go elsewhere.
type behind struct {
	scanner
	first []any
}

func (b behind) Scan(rest ...any) error { return b.scanner.Scan(append(b.first, rest...)...) }

// ChangesAfter counts the changes after a stream sequence, and no further than up to most.
func (db *DB) ChangesAfter(ctx context.Context, after uint64, most int) (n int, err error) {
	err = db.reader.QueryRowContext(toTheEnd(ctx), `
		SELECT count(*)
		FROM (SELECT 1 FROM changes WHERE stream_sequence > ? LIMIT ?)`, after, most).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count changes: %w", damage(err))
	}
	return n, nil
}

// Changes is [DB.Changes] of the file in use.
func (m *Model) Changes(ctx context.Context, after uint64, limit, bytes int) (domain.OrderChanges, error) {
	return using(m, func(db *DB) (domain.OrderChanges, error) { return db.Changes(ctx, after, limit, bytes) })
}

// ChangesAfter is [DB.ChangesAfter] of the file in use.
func (m *Model) ChangesAfter(ctx context.Context, after uint64, most int) (int, error) {
	return using(m, func(db *DB) (int, error) { return db.ChangesAfter(ctx, after, most) })
}

// NextCommit gives a channel that is closed at the next commit of this process, and where
// another file or a revision comes.
func (m *Model) NextCommit() <-chan struct{} {
	m.mu.Lock()
	db := m.current.db
	m.mu.Unlock()
	return db.nextCommit()
}

// Revise says that up to a stream sequence orders may have become others without a
// webhook.
func (m *Model) Revise(streamSequence uint64) {
	m.mu.Lock()
	m.revision.StreamSequence = streamSequence
	m.revision.Number++
	db := m.current.db
	m.mu.Unlock()
	db.announce()
}

// Revision gives the last revision; the zero one where there was none.
func (m *Model) Revision() domain.Revision {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.revision
}
